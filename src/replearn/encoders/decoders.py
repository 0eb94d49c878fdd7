"""Decoders: from a code back to a sample, `(n, dim) -> (n, *shape)`."""

from difflib import get_close_matches
from itertools import pairwise
from math import prod

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from replearn.encoders.base import Encoder
from replearn.encoders.conv import halvings
from replearn.encoders.dense import MLP, Linear
from replearn.encoders.heads import mlp
from replearn.encoders.resnet import conv3x3, initialise

DECODERS = ("linear", "mlp", "conv")


def make_decoder(kind: str, dim: int, shape: tuple[int, ...]) -> nn.Module:
    """A decoder that mirrors the encoder of the same kind; it returns real numbers of the samples' shape.

    Args:
        kind: `"linear"`, one linear map; `"mlp"`, two hidden layers of 512; `"conv"`, for images: a map of at
            most 8 pixels, doubled up to the images' size. For 28-pixel grey images and `dim` 128 these have
            101,136, 731,920 and 895,713 parameters.
        dim: numbers of the code.
        shape: of one sample, `(c, h, w)` or `(d,)`; any sizes, odd ones too.

    Raises:
        ValueError: the kind is unknown, or is `"conv"` for samples that are not images.

    Example:
        >>> import torch
        >>> make_decoder("conv", 16, (1, 28, 28))(torch.zeros(4, 16)).shape
        torch.Size([4, 1, 28, 28])
    """
    if kind not in DECODERS or (kind == "conv" and len(shape) != 3):
        near = get_close_matches(kind, DECODERS, n=1, cutoff=0.0)
        raise ValueError(
            f"decoder must be linear or mlp, or conv for images (c, h, w); got {kind!r} for samples of shape "
            f"{shape}. Nearest: {near[0] if kind not in DECODERS else 'mlp'}."
        )
    if kind == "linear":
        return nn.Sequential(nn.Linear(dim, prod(shape)), nn.Unflatten(1, shape))
    if kind == "mlp":
        return nn.Sequential(mlp(dim, 512, prod(shape), depth=3), nn.Unflatten(1, shape))
    return ConvDecoder(dim, (shape[0], shape[1], shape[2]))


def decoder_for(encoder: Encoder, shape: tuple[int, ...], *, dim: int | None = None) -> nn.Module:
    """The decoder that mirrors an encoder: linear or mlp for these, convolutional for others of images.

    Args:
        encoder: to be mirrored.
        shape: of one sample.
        dim: numbers of the code; None: of the representation.
    """
    others = "conv" if len(shape) == 3 else "mlp"
    kind = {Linear: "linear", MLP: "mlp"}.get(type(encoder.body), others)
    return make_decoder(kind, encoder.dim if dim is None else dim, shape)


class ConvDecoder(nn.Module):
    """A small map from the code, then doubled in size and halved in width, step by step, up to the image.

        (n, dim) -> (n, 4 width, h/4, w/4) -> (n, 2 width, h/2, w/2) -> (n, width, h, w) -> (n, c, h, w)

    Sizes are halved, rounding up, until both sides are at most 8 pixels; going up, each step enlarges to the
    size that was halved, so that any size comes out exactly.

    Args:
        dim: numbers of the code.
        shape: `(c, h, w)` of the image.
        width: channels of the last map; each step before doubles them, up to `4 · width`.
    """

    def __init__(self, dim: int, shape: tuple[int, int, int], *, width: int = 32) -> None:
        super().__init__()
        channels, *size = shape
        sizes = halvings(*size)[::-1]
        widths = [width * 2 ** min(2, step) for step in reversed(range(len(sizes)))]
        self.sizes = sizes[1:]
        self.start = nn.Sequential(
            nn.Linear(dim, widths[0] * prod(sizes[0]), bias=False),
            nn.Unflatten(1, (widths[0], *sizes[0])),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
        )
        self.steps = nn.ModuleList(
            nn.Sequential(conv3x3(before, after), nn.BatchNorm2d(after), nn.ReLU(inplace=True))
            for before, after in pairwise(widths)
        )
        self.out = nn.Conv2d(widths[-1], channels, 3, padding=1)
        initialise(self)

    def forward(self, z: Float[Tensor, "n dim"]) -> Float[Tensor, "n c h w"]:
        x = self.start(z)  # (n, k, h0, w0)
        for size, step in zip(self.sizes, self.steps, strict=True):
            x = step(F.interpolate(x, size))  # (n, k/2, *size)
        image: Tensor = self.out(x)  # (n, c, h, w)
        return image
