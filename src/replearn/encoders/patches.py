"""Patches of images: all of them, of equal contrast and whitened, by one convolution.

    image --every patch--> p --contrast--> (p - mean(p)) / deviation(p) --whitening--> z

References: Coates, Lee & Ng, AISTATS 2011, section 3.1. https://proceedings.mlr.press/v15/coates11a.html
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from replearn.data.content import as_float
from replearn.data.samples import Batch

FLAT = 10 / 255**2  # added to a patch's variance, so that flat patches stay flat
RIDGE = 0.1  # added to the variance of each principal component


class WhitePatches(nn.Module):
    """Patches around every place of an image: `batch -> (n, d, i, j)` with d = c side².

    A patch loses its mean and is divided by its deviation; then `z = W (p - m)`, where `m` and `W` come from `fit` and
    whiten patches, turning them as little as possible (ZCA). Before `fit`, z = p.

    Args:
        channels: of the images.
        side: of a patch, in pixels.
        stride: pixels between two patches.

    Example:
        >>> patches = WhitePatches(1, side=3, stride=2)
        >>> from replearn.data import as_samples
        >>> batch = as_samples(torch.rand(4, 1, 9, 9))[torch.arange(4).numpy()]
        >>> patches(batch).shape
        torch.Size([4, 9, 4, 4])
    """

    mean: Tensor
    whitening: Tensor

    def __init__(self, channels: int, *, side: int, stride: int = 1) -> None:
        super().__init__()
        self.shape = (channels, side, side)
        self.stride = stride
        dim = channels * side**2
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("whitening", torch.eye(dim))

    def forward(self, batch: Batch) -> Float[Tensor, "n d i j"]:
        x = as_float(batch.x)
        mean, deviation = self._contrast(x)  # (n, 1, i, j)
        turned = F.conv2d(x, self.whitening.view(-1, *self.shape), stride=self.stride)  # (n, d, i, j)
        # W (p - mean) / deviation - W m, with the sums over a patch taken by the convolution.
        flat = self.whitening.sum(1).view(1, -1, 1, 1)
        return (turned - flat * mean) / deviation - (self.whitening @ self.mean).view(1, -1, 1, 1)

    def fit(self, patches: Float[Tensor, "n d"]) -> "WhitePatches":
        """Whiten such patches, as they come out of `forward` before this.

        With C = V diag(l) Vᵀ their covariance, W = V diag((l + 0.1)^-1/2) Vᵀ.
        """
        rows = patches.double()
        mean = rows.mean(0)
        variances, axes = torch.linalg.eigh((rows - mean).T @ (rows - mean) / len(rows))
        self.mean.copy_(mean)
        self.whitening.copy_(axes @ ((variances.clamp(min=0) + RIDGE).rsqrt()[:, None] * axes.T))
        return self

    def whiten(self, patches: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        """What `forward` makes of such patches after `fit`."""
        return (patches - self.mean) @ self.whitening

    def _contrast(self, x: Float[Tensor, "n c h w"]) -> tuple[Tensor, Tensor]:
        """Mean and deviation of each patch."""
        side = self.shape[1]
        first, second = x.mean(1, keepdim=True), x.square().mean(1, keepdim=True)
        mean, square = (F.avg_pool2d(part, side, self.stride) for part in (first, second))
        return mean, ((square - mean.square()).clamp(min=0) + FLAT).sqrt()
