"""CIE Lab: lightness L and colours ab, from sRGB and back.

References: IEC 61966-2-1 (sRGB), CIE 15 (Lab). https://www.w3.org/Graphics/Color/sRGB.html
"""

from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor

SPAN, OFFSET = 255, 128  # of a and b: (a + 128) / 255 lies in [0, 1]
WIDTH = 10  # of a bin of colours, in units of Lab
LEVELS = 65  # of each channel, by which colours are gone through; with 256 the bins are the same


def lab(x: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
    """CIE Lab of sRGB colours in [0, 1], each channel scaled to [0, 1].

    >>> lab(torch.ones(1, 3, 1, 1)).flatten().mul(torch.tensor([100, 255, 255])).round().tolist()  # white
    [100.0, 128.0, 128.0]
    """
    linear = torch.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    xyz = torch.einsum("kc, nchw -> nkhw", _matrix(x), linear)
    f = torch.where(xyz > (6 / 29) ** 3, xyz.clamp(min=1e-6) ** (1 / 3), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    light = 1.16 * f[:, 1] - 0.16
    a, b = 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])
    return torch.stack([light, (a + OFFSET) / SPAN, (b + OFFSET) / SPAN], dim=1).clamp_(0, 1)


def rgb(x: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
    """sRGB in [0, 1] of what `lab` returns; colours outside of it are cut off, channel by channel.

    >>> x = torch.rand(1, 3, 4, 4)
    >>> bool((rgb(lab(x)) - x).abs().max() < 1e-4)
    True
    """
    light, colours = x[:, :1], x[:, 1:] * SPAN - OFFSET
    y = (light + 0.16) / 1.16
    f = torch.cat([y + colours[:, :1] / 500, y, y - colours[:, 1:] / 200], dim=1)
    xyz = torch.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    linear = torch.einsum("ck, nkhw -> nchw", torch.linalg.inv(_matrix(x)), xyz)
    bent = 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(linear <= 0.0031308, 12.92 * linear, bent).clamp_(0, 1)


def grey(x: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
    """sRGB images without their colours, of equal lightness L.

    >>> grey(torch.full((1, 3, 1, 1), 0.25)).flatten().mul(100).round().tolist()
    [25.0, 25.0, 25.0]
    """
    neutral = torch.full_like(x, OFFSET / SPAN)
    neutral[:, 0] = lab(x)[:, 0]
    return rgb(neutral)


@cache
def colour_bins() -> Float[Tensor, "q 2"]:
    """The centres `(a, b)`, multiples of 10, to which the colours of sRGB are rounded: 261, by a, then by b.

    Zhang et al. count 313, with bins around these that no colour of sRGB falls in.

    >>> bins = colour_bins()
    >>> len(bins), bins.min(0).values.tolist(), bins.max(0).values.tolist()
    (261, [-90.0, -110.0], [100.0, 90.0])
    """
    level = torch.linspace(0, 1, LEVELS, dtype=torch.float64)
    x = torch.stack(torch.meshgrid(level, level, level, indexing="ij"))  # (3, 65, 65, 65)
    colours = lab(x.flatten(2)[None])[0, 1:] * SPAN - OFFSET  # (2, 65, 4225)
    rounded = (colours.flatten(1).T / WIDTH).round()
    bins: Tensor = torch.unique(rounded, dim=0)
    return bins.float() * WIDTH


def _matrix(x: Tensor) -> Float[Tensor, "3 3"]:
    """From linear sRGB to XYZ, scaled so that white becomes (1, 1, 1)."""
    matrix = x.new_tensor([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    return matrix / matrix.sum(1, keepdim=True)
