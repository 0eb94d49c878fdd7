"""Fisher vectors: in which way the vectors of an image differ from those of all images.

References: Perronnin, Sánchez & Mensink, ECCV 2010. https://doi.org/10.1007/978-3-642-15561-1_11
    Sánchez et al., IJCV 2013 (appendix A: the gradients). https://doi.org/10.1007/s11263-013-0636-x
"""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class Mixture(nn.Module):
    """Gaussians with diagonal covariances over principal components of the vectors at the places of a map.

    Args:
        count: k, how many Gaussians.
        dim: d, numbers of a vector.
        kept: q, principal components.
    """

    # How vectors become principal components, and the Gaussians over these.
    centre: Tensor
    axes: Tensor
    vectors: Tensor
    variances: Tensor
    weights: Tensor

    def __init__(self, count: int, dim: int, kept: int) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(dim))
        self.register_buffer("axes", torch.zeros(kept, dim))
        self.register_buffer("vectors", torch.zeros(count, kept))
        self.register_buffer("variances", torch.ones(count, kept))
        self.register_buffer("weights", torch.full((count,), 1 / count))

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args: Any) -> None:
        """Of few samples fewer Gaussians and components were learned than was asked for."""
        for name in ("axes", "vectors", "variances", "weights"):
            own, stored = getattr(self, name), state_dict.get(f"{prefix}{name}")
            if stored is not None and stored.ndim == own.ndim and min(stored.shape) >= 1:
                setattr(self, name, own[tuple(map(slice, stored.shape))].clone())
        super()._load_from_state_dict(state_dict, prefix, *args)

    def components(self, z: Float[Tensor, "n d i j"]) -> Float[Tensor, "n q i j"]:
        """The principal components of vectors."""
        return F.conv2d(z - self.centre[:, None, None], self.axes[:, :, None, None])

    def shares(self, x: Float[Tensor, "n q i j"]) -> Float[Tensor, "n k i j"]:
        """How likely each Gaussian has made a vector; of all Gaussians 1."""
        means, precisions = self.vectors, 1 / self.variances
        constant = self.weights.log() - 0.5 * (self.variances.log() + means.square() * precisions).sum(1)
        squares = F.conv2d(x.square(), -0.5 * precisions[:, :, None, None], constant)
        return (squares + F.conv2d(x, (means * precisions)[:, :, None, None])).softmax(dim=1)

    def forward(self, z: Float[Tensor, "n d i j"], there: Float[Tensor, "n i j"]) -> Float[Tensor, "n k2q"]:
        """How the mean log-likelihood of an image's vectors changes with means and deviations of the Gaussians.

            first_k  = mean_p s_pk (x_p - m_k) / d_k / sqrt(w_k)
            second_k = mean_p s_pk ((x_p - m_k)² / d_k² - 1) / sqrt(2 w_k)

        with vectors `x_p`, shares `s_pk`, and means `m_k`, deviations `d_k` and weights `w_k` of Gaussians: equations
        (16) to (18) of the paper of 2013.

        Args:
            z: vectors at places.
            there: 1 where a place counts, 0 where it doesn't.
        """
        x = self.components(z)
        shares = (self.shares(x) * there[:, None]).flatten(2) / there[0].numel()  # (n, k, p)
        x = x.flatten(2).mT  # (n, p, q)
        count, sums, squares = shares.sum(2)[:, :, None], shares @ x, shares @ x.square()
        means, root = self.vectors, self.weights[:, None].sqrt()
        first = (sums - means * count) / (self.variances.sqrt() * root)
        spread = squares - 2 * means * sums + means.square() * count
        second = (spread / self.variances - count) / (2**0.5 * root)
        return torch.cat([first, second], dim=2).flatten(1)


def powers(x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Square roots that keep the sign, of length 1: what is frequent counts less, and so does how much there is.

    >>> powers(torch.tensor([[9.0, -16.0], [0.0, 0.0]]))
    tensor([[ 0.6000, -0.8000],
            [ 0.0000,  0.0000]])
    """
    return F.normalize(x.sign() * x.abs().sqrt(), dim=1)
