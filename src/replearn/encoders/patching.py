"""Samples on a grid as patches: images `(n, c, h, w)`, and whatever else has channels and places in rows.

    patchify: (n, c, *sizes) -> (n, p, c * side ** axes)      unpatchify: and back
    positions: a grid -> (p, dim), sines and cosines of each patch's place

Patches are in rows, the last axis first, as pixels are. What has no whole number of patches is filled up with zeros
behind its end, which is the mean once it is standardised.
"""

from collections.abc import Sequence
from math import prod

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

MOST = 8  # patches along the longer side of small samples
LARGEST = 16  # places along the side of a patch

Sizes = tuple[int, ...]


def side_for(sizes: Sequence[int]) -> int:
    """The side of a patch for samples of these sizes: about 8 of them along the longest one, and at most 16 places.

    >>> side_for((28, 28)), side_for((32, 32)), side_for((224, 224))
    (4, 4, 16)
    """
    return min(LARGEST, -(-max(sizes) // MOST))


def grid_of(sizes: Sequence[int], side: int) -> Sizes:
    """How many patches lie along each axis.

    >>> grid_of((28, 30), 4)
    (7, 8)
    """
    return tuple(-(-size // side) for size in sizes)


def patchify(x: Float[Tensor, "n c *sizes"], side: int) -> Float[Tensor, "n p v"]:
    """The patches of samples, each as a row of its numbers: the channels of its first place, of its second, ...

    >>> patchify(torch.arange(8.0).view(1, 1, 2, 4), 2).tolist()
    [[[0.0, 1.0, 4.0, 5.0], [2.0, 3.0, 6.0, 7.0]]]
    """
    n, channels, *sizes = x.shape
    axes = len(sizes)
    missing = [-size % side for size in sizes]
    if any(missing):
        x = F.pad(x, [number for last in reversed(missing) for number in (0, last)])
    grid = grid_of(sizes, side)
    x = x.reshape(n, channels, *(number for along in grid for number in (along, side)))
    along, within = (range(first, first + 2 * axes, 2) for first in (2, 3))
    return x.permute(0, *along, *within, 1).reshape(n, prod(grid), side**axes * channels)  # (n, p, v)


def unpatchify(patches: Float[Tensor, "n p v"], sizes: Sequence[int], side: int) -> Float[Tensor, "n c ..."]:
    """Samples of these sizes, of their patches."""
    grid, axes = grid_of(sizes, side), len(sizes)
    x = patches.reshape(len(patches), *grid, *[side] * axes, -1)
    pairs = (axis for first in range(1, 1 + axes) for axis in (first, first + axes))
    x = x.permute(0, 2 * axes + 1, *pairs).reshape(len(patches), -1, *(along * side for along in grid))
    for axis, size in enumerate(sizes, start=2):
        x = x.narrow(axis, 0, size)
    return x


def positions(grid: Sequence[int], dim: int, like: Tensor | None = None) -> Float[Tensor, "p dim"]:
    """Sines and cosines of the place of each patch: each axis has an equal share of the numbers; what is left is 0.

    Along an axis, place t has sin(w t) and cos(w t) for frequencies w from 1 down to 1/10000 in a geometric series, as
    in a transformer (Vaswani et al., 2017, section 3.5), in two axes as in MAE. https://arxiv.org/abs/1706.03762

    >>> positions((1, 3), 4)[:, 2:].double().round(decimals=2).tolist()
    [[0.0, 1.0], [0.84, 0.54], [0.91, -0.42]]
    """
    device = None if like is None else like.device
    each = dim // (2 * len(grid))  # frequencies of an axis
    frequencies = 10_000.0 ** -(torch.arange(each, dtype=torch.float64, device=device) / max(1, each))
    places = torch.meshgrid(
        [torch.arange(along, dtype=torch.float64, device=device) for along in grid], indexing="ij"
    )
    angles = [place.flatten()[:, None] * frequencies for place in places]  # (p, each)
    waves = torch.cat([wave for angle in angles for wave in (angle.sin(), angle.cos())], dim=1)
    found = F.pad(waves, (0, dim - waves.shape[1]))  # (p, dim)
    return found.to(torch.get_default_dtype() if like is None else like.dtype)


def chosen(rows: Float[Tensor, "n p d"], places: Tensor) -> Float[Tensor, "n k d"]:
    """Of the patches of each sample those at these places, int `(n, k)`."""
    return rows.gather(1, places[:, :, None].expand(-1, -1, rows.shape[2]))
