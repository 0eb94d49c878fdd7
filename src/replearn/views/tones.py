"""What Pillow calls operations on images, for a batch at once: each sample has an amount of its own.

Images are floats in [0, 1]; amounts are `(n, 1, 1, 1)`.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from replearn.views.colour import grey_weights

Images = Float[Tensor, "n c h w"]
Amount = Float[Tensor, "n 1 1 1"]


def blended(x: Images, plain: Float[Tensor, "n _ _ _"], factor: Amount) -> Images:
    """From a plainer image (0) to the image (1) and as far beyond (2)."""
    return (plain + factor * (x - plain)).clamp_(0, 1)


def grey(x: Images) -> Float[Tensor, "n 1 h w"]:
    """Luma of three channels, the plain mean of any other number."""
    return torch.einsum("nchw,c->nhw", x, grey_weights(x.shape[1], x.device))[:, None]


def smooth(x: Images) -> Images:
    """The mean of nine pixels, that in the middle counted five times; pixels at the border stay as they are."""
    rows = x[..., :-2, :] + x[..., 1:-1, :] + x[..., 2:, :]
    nine = rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]
    found = x.clone()
    found[..., 1:-1, 1:-1] = (nine + 4 * x[..., 1:-1, 1:-1]) / 13
    return found


def stretched(x: Images) -> Images:
    """Each channel stretched so that its darkest pixel is 0 and its brightest 1; a flat one stays as it is."""
    low, high = x.amin((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
    return torch.where(high > low, (x - low) / (high - low), x)


def posterized(x: Images, bits: Amount) -> Images:
    """Levels of 8 bits of which so many, the highest, are kept."""
    step = 2 ** (8 - bits.round())
    return ((x * 255).round() / step).floor() * (step / 255)


def equalized(x: Images) -> Images:
    """Each channel's levels of 8 bits spread so that all occur equally often, as Pillow does it."""
    levels = (x * 255).round().long().flatten(2)  # (n, c, h w)
    counts = torch.zeros(*levels.shape[:2], 256, dtype=torch.int64, device=x.device)
    counts.scatter_add_(2, levels, torch.ones_like(levels))
    step = (levels.shape[2] - counts.gather(2, levels.amax(2, keepdim=True))) // 255  # (n, c, 1)
    below = counts.cumsum(2) - counts
    table = ((below + step // 2) // step.clamp(min=1)).clamp(max=255) / 255
    return torch.where(step[..., None] > 0, table.gather(2, levels).view_as(x), x)
