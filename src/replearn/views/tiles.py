"""`Tiles`: a sample cut into the cells of a grid, a tile of each, told apart by what they show and nothing else."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from replearn.data.description import Description
from replearn.data.samples import Batch
from replearn.views.base import View, check_interval, check_whole, images, uniform
from replearn.views.compose import check_view
from replearn.views.parts import UNCHANGED, Parts, repeated

FLAT = 10 / 255**2  # added to a tile's variance, so that flat tiles stay flat
GROUND = 0.5  # grey between tiles that are laid out


class Placed(Parts):
    """A split whose one part has a row for each place that a sample is cut at, sample by sample."""

    @property
    @abstractmethod
    def places(self) -> Int[Tensor, "p a"]:
        """Coordinates of the places along each axis, in the order of the rows."""

    @abstractmethod
    def lay(self, rows: Any, at: Int[Tensor, "n k"]) -> Any:
        """Content of n samples for a reader: of k rows each, the j-th one lies at place `at[:, j]`."""

    @abstractmethod
    def name(self, step: Sequence[int]) -> str:
        """A direction in a few words: `above`, `lower right`."""

    def per_part(self, samples: Description) -> int:
        return len(self.places)


@dataclass(frozen=True)
class Tiles(Placed):
    """A tile of each cell of an image, row by row.

    The image is cut into equal cells, and a tile lies at a random place in its cell. What would tell neighbours
    without a look at what they show is kept from a network: gaps between tiles end the lines that go on across a cut,
    the random place blurs how wide the gaps are, and tiles that are levelled share one brightness and contrast. What
    `each` may keep from it besides is in `replearn.views.guards`.

    Args:
        grid: cells along each side.
        share: side of a tile as a share of its cell's, in (0, 1]; from 2/3 on gaps are less than half a tile wide.
        jitter: how much of the room in its cell a tile's place is drawn from, in [0, 1]: 0 puts it in the middle, 1
            anywhere. Tiles do not touch if at least one pixel of the room is left out.
        levelled: whether each channel of a tile loses its mean and deviation, and gets those that it has in the image.
        view: of the sample, before it is cut.
        each: view of each tile, drawn apart.

    References:
        Doersch, Gupta & Efros, ICCV 2015, section 3 (tiles of 96 pixels, gaps of 48). https://arxiv.org/abs/1505.05192
        Noroozi & Favaro, ECCV 2016, section 4.2 (cells of 75 pixels, tiles of 64). https://arxiv.org/abs/1603.09246

    >>> batch = Batch(torch.rand(5, 3, 32, 32), labels=torch.zeros(5).long(), index=torch.arange(5))
    >>> (tiles,) = Tiles(3)(batch)
    >>> tiles.x.shape
    torch.Size([45, 3, 7, 7])
    """

    grid: int = 3
    share: float = 0.66
    jitter: float = 0.5
    levelled: bool = True
    view: View = UNCHANGED
    each: View = UNCHANGED

    def __post_init__(self) -> None:
        check_whole(self, "grid", 1)
        check_interval(self, "share", "share", 1e-6, 1.0)
        check_interval(self, "jitter", "jitter", 0.0, 1.0)
        check_view(self.view, "Tiles")
        check_view(self.each, "Tiles")

    def __call__(self, batch: Batch) -> tuple[Batch, ...]:
        drawn = uniform(batch, 2, self.grid**2, low=-0.5, high=0.5)
        return (self.each(self._tiles(self.view(batch), 0.5 + self.jitter * drawn)),)

    def parts(self, batch: Batch) -> tuple[Batch, ...]:
        middle = torch.full((len(batch), 2, self.grid**2), 0.5, device=batch.labels.device)
        return (self._tiles(batch, middle),)

    def describe(self, samples: Description) -> tuple[Description, ...]:
        sides = (tile_side(side, self.grid, self.share) for side in samples.shape[1:])
        return (replace(samples, shape=(samples.shape[0], *sides)),)

    @property
    def places(self) -> Int[Tensor, "p 2"]:
        return torch.cartesian_prod(torch.arange(self.grid), torch.arange(self.grid))

    def lay(self, rows: Float[Tensor, "m c h w"], at: Int[Tensor, "n k"]) -> Float[Tensor, "n c y x"]:
        n, gap = len(at), max(1, min(rows.shape[2:]) // 4)
        tiles = torch.nn.functional.pad(rows, (0, gap, 0, gap), value=GROUND)  # (n·k, c, h, w)
        laid = tiles.new_full((n, self.grid**2, *tiles.shape[1:]), GROUND)
        laid[torch.arange(n)[:, None], at.to(laid.device)] = tiles.view(*at.shape, *tiles.shape[1:])
        laid = laid.view(n, self.grid, self.grid, *tiles.shape[1:]).permute(0, 3, 1, 4, 2, 5)
        whole: Tensor = laid.flatten(4).flatten(2, 3)[..., :-gap, :-gap]
        return whole  # (n, c, y, x)

    def name(self, step: Sequence[int]) -> str:
        down, across = step
        if not across:
            return "above" if down < 0 else "below"
        side = "left" if across < 0 else "right"
        return f"{'upper ' if down < 0 else 'lower ' if down else ''}{side}"

    def _tiles(self, batch: Batch, at: Float[Tensor, "n 2 p"]) -> Batch:
        x = images(batch, self)
        cell = torch.arange(self.grid**2, device=x.device).expand(len(x), -1)
        tiles = cut_tiles(x, cell, at, grid=self.grid, share=self.share)  # (n, p, c, h, w)
        tiles = level(tiles, x) if self.levelled else tiles
        return repeated(batch, self.grid**2).with_x(tiles.flatten(0, 1))


def tile_side(side: int, grid: int, share: float) -> int:
    """Pixels of a tile along a side of the image."""
    return max(1, math.floor(side / grid * share))


def cut_tiles(
    x: Float[Tensor, "n c h w"],
    cell: Int[Tensor, "n p"],
    at: Float[Tensor, "n 2 p"],
    *,
    grid: int,
    share: float,
) -> Float[Tensor, "n p c _ _"]:
    """Tile `k` of image `i` is of cell `cell[i, k]`, at `at[i, :, k]`, in [0, 1], of the room that it has there."""
    cells = torch.stack([cell // grid, cell % grid], dim=1)  # (n, 2, p): down, across
    places = []
    for axis, side in enumerate(x.shape[2:]):
        tile = tile_side(side, grid, share)
        room = max(0.0, side / grid - tile)
        first = cells[:, axis] * (side / grid) + at[:, axis] * room
        first = first.long().clamp(max=side - tile)  # (n, p)
        places.append(first[..., None] + torch.arange(tile, device=x.device))  # (n, p, tile)
    down, across = places
    rows = torch.arange(len(x), device=x.device).view(-1, 1, 1, 1)
    return x[rows, :, down[..., None], across[:, :, None]].movedim(-1, 2)  # (n, p, c, h, w)


def level(tiles: Float[Tensor, "n p c h w"], x: Float[Tensor, "n c y x"]) -> Float[Tensor, "n p c h w"]:
    """Tiles with the mean and deviation of their images, channel by channel, in [0, 1]."""
    mean, variance = tiles.mean((3, 4), keepdim=True), tiles.var((3, 4), correction=0, keepdim=True)
    whole = x[:, None]
    own = whole.mean((3, 4), keepdim=True), whole.var((3, 4), correction=0, keepdim=True).sqrt()
    return ((tiles - mean) * ((variance + FLAT).rsqrt() * own[1]) + own[0]).clamp_(0, 1)
