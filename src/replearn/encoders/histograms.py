"""Histograms of oriented gradients: which edges are near a place, by their direction.

    image --gradients--> edges --orientations--> (n, o, h, w) --cells--> (n, o, h', w') --blocks--> (n, 4 o, h'', w'')

References: Dalal & Triggs, CVPR 2005. https://doi.org/10.1109/CVPR.2005.177
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from replearn.data.content import as_float
from replearn.data.samples import Batch
from replearn.encoders.gradients import gradients

CLIP = 0.2  # no number of a block counts for more: section 6.4 of the paper
FLOOR = 1e-2  # blocks of less contrast are not blown up, or noise would look like edges


class OrientedBlocks(nn.Module):
    """A descriptor of the edges around every place, half a cell apart: `batch -> (n, 4 bins, i, j)`.

    Args:
        cell: side of a cell in pixels; a block is two by two cells.
        bins: directions of edges.

    Example:
        >>> from replearn.data import as_samples
        >>> import numpy as np
        >>> batch = as_samples(np.zeros((2, 1, 28, 28), np.uint8))[np.arange(2)]
        >>> OrientedBlocks(4, 9)(batch).shape
        torch.Size([2, 36, 11, 11])
    """

    def __init__(self, cell: int, bins: int) -> None:
        super().__init__()
        self.cell, self.bins, self.stride = cell, bins, max(1, cell // 2)
        self.dim = 4 * bins

    def forward(self, batch: Batch) -> Float[Tensor, "n d i j"]:
        found = cells(as_float(batch.x), size=self.cell, stride=self.stride, bins=self.bins)
        return blocks(found, gap=self.cell // self.stride)


def orientations(x: Float[Tensor, "n c h w"], *, bins: int = 9) -> Float[Tensor, "n bins h w"]:
    """The strength of each pixel's edge, shared by the two bins whose directions are nearest to its own.

    Directions are angles in [0, 180) degrees: an edge from dark to bright is one from bright to dark.

    Args:
        x: images, in [0, 1].
        bins: of directions 0, 180 / bins, ... degrees; 0 is brightness that changes to the right.

    >>> slope = torch.arange(4.0).expand(1, 1, 4, 4)
    >>> orientations(slope, bins=4)[0, :, 1, 1].tolist()
    [2.0, 0.0, 0.0, 0.0]
    """
    down, right = gradients(x)
    angle = torch.atan2(down, right).remainder(math.pi) * (bins / math.pi)  # in bins
    before, strength = angle.floor(), (down.square() + right.square()).sqrt()
    beyond = strength * (angle - before)
    at = before.long() % bins
    maps = x.new_zeros(x.shape[0], bins, *x.shape[2:])
    maps.scatter_(1, at[:, None], (strength - beyond)[:, None])
    return maps.scatter_(1, ((at + 1) % bins)[:, None], beyond[:, None])


def cells(
    x: Float[Tensor, "n c h w"], *, size: int, stride: int, bins: int = 9
) -> Float[Tensor, "n bins i j"]:
    """Mean strength of edges of each direction, over squares of `size` pixels, `stride` pixels apart."""
    return F.avg_pool2d(orientations(x, bins=bins), size, stride)


def blocks(found: Float[Tensor, "n bins i j"], *, gap: int) -> Float[Tensor, "n d k l"]:
    """Two by two cells, `gap` steps apart, as one descriptor of norm 1, so that contrast does not count.

    The norm is taken, numbers are cut at 0.2, and it is taken again (L2-Hys).

    Returns:
        `d` is four times the number of directions: upper left, upper right, lower left, lower right cell.
    """
    near, far = slice(None, -gap), slice(gap, None)
    corners = [found[:, :, rows, columns] for rows in (near, far) for columns in (near, far)]
    joined = torch.cat(corners, dim=1)  # (n, 4 bins, k, l)
    return _unit(_unit(joined).clamp(max=CLIP), floor=0.0)


def _unit(x: Tensor, floor: float = FLOOR) -> Tensor:
    return x / (x.square().sum(dim=1, keepdim=True) + floor**2).sqrt().clamp(min=1e-12)
