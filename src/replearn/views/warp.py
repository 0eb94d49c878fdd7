"""The engine of the geometric views: any chain of them is one sampling grid, and the image is resampled once.

A geometric view says where each point of its output is read in its input, in pixels from the image's centre:

    affine views:  p -> M p            M (3, 3), homogeneous
    bending views: p -> p + d(p)       d smooth, given at the knots of a coarse grid

Views v1, v2, ..., vk applied in this order read the point p at v1(v2(... vk(p))). Matrices are multiplied,
and a bend after them costs two small matrix products, since M(p + d(p)) = M p + L d(p) with L the linear part
of M.

Points outside the image read its nearest border pixel. For drawings that is the background, whatever its
colour, and photographs get no black wedges. Because nothing is resampled in between, a rotation after a crop
reads the true pixels around the crop.
"""

import math
from abc import abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from replearn.data.samples import Batch
from replearn.views.base import View, images

Size = tuple[int, int]  # height, width


class Geometry(View):
    """A view that moves pixels. Consecutive ones in a `Chain` are resampled once, together.

    Attributes:
        cuts: whether a smaller view is a part of the image, as it is, rather than the image made smaller.
    """

    cuts: ClassVar[bool] = False

    @abstractmethod
    def draw(self, batch: Batch, size: Size) -> Float[Tensor, "n ..."]:
        """What it does to images of `size` pixels: matrices `(n, 3, 3)`, or bends `(n, 2, knots, knots)`."""

    def size_after(self, size: Size) -> Size:
        """Height and width of the view of an image of `size` pixels."""
        return size

    def __call__(self, batch: Batch) -> Batch:
        return warp(batch, (self,))


def warp(batch: Batch, views: Sequence[Geometry]) -> Batch:
    """The batch after all `views`, resampled once.

    Where the result has fewer pixels a side than the image, and is no mere cut, each of its pixels is the mean of
    several readings, as many along a side as the rounded ratio: shrinking does not alias.
    """
    x = images(batch, views[0])
    size, steps, shrunk = _size(x), [], (1.0, 1.0)
    for view in views:
        steps.append((view.draw(batch, size), size))
        before, size = size, view.size_after(size)
        if not view.cuts:
            shrunk = shrunk[0] * before[0] / size[0], shrunk[1] * before[1] / size[1]
    readings = max(1, round(shrunk[0])), max(1, round(shrunk[1]))
    grid = sampling_grid(steps, size, readings)
    seen = F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return batch.with_x(seen if readings == (1, 1) else F.avg_pool2d(seen, readings))


def sampling_grid(
    steps: Sequence[tuple[Float[Tensor, "n ..."], Size]],
    size: Size,
    readings: Size = (1, 1),
) -> Float[Tensor, "n h w 2"]:
    """Where each pixel of the result is read, in `grid_sample`'s units: -1 and 1 are the image's edges.

    Args:
        steps: what each view drew, in order, with the size of the image that it acts on.
        size: height and width of the result.
        readings: for each pixel of the result, along its height and width.
    """
    moves = [move for move, _ in steps]
    height, width = steps[0][1]
    to_units = moves[0].new_tensor([2 / width, 2 / height, 1]).diag()
    before, last = moves[:-1], moves[-1]
    if any(move.ndim == 4 for move in before):
        return _follow(steps, _base_points(size, readings, last.device)) @ to_units[:2, :2]
    matrix = to_units
    for move in before if last.ndim == 4 else moves:
        matrix = matrix @ move
    matrix = matrix.expand(len(last), 3, 3)
    y, x = _axes(size, readings, last.device)
    across = matrix[:, None, :2, 0] * x[:, None] + matrix[:, None, :2, 2]  # (n, w, 2)
    down = matrix[:, None, :2, 1] * y[:, None]  # (n, h, 2)
    grid = across[:, None] + down[:, :, None]  # (n, h, w, 2)
    if last.ndim == 4:
        turned = torch.einsum("nij,njkl->nikl", matrix[:, :2, :2], last)
        grid += _between_knots(turned, (len(y), len(x))).permute(0, 2, 3, 1)
    return grid


def affine(
    n: int,
    *,
    xx: Tensor | float = 1.0,
    xy: Tensor | float = 0.0,
    yx: Tensor | float = 0.0,
    yy: Tensor | float = 1.0,
    x: Tensor | float = 0.0,
    y: Tensor | float = 0.0,
    device: torch.device,
) -> Float[Tensor, "n 3 3"]:
    """Matrices of `(px, py) -> (xx px + xy py + x, yx px + yy py + y)`; entries are numbers or `(n,)`."""
    matrix = torch.eye(3, device=device).repeat(n, 1, 1)
    for row, column, entry in (
        (0, 0, xx),
        (0, 1, xy),
        (1, 0, yx),
        (1, 1, yy),
        (0, 2, x),
        (1, 2, y),
    ):
        matrix[:, row, column] = entry
    return matrix


def _follow(
    steps: Sequence[tuple[Float[Tensor, "n ..."], Size]],
    points: Float[Tensor, "1 h w 2"],
) -> Float[Tensor, "n h w 2"]:
    """Points through all steps, last view first: the way for bends that other views come after."""
    for move, size in reversed(steps):
        points = points.expand(len(move), -1, -1, -1)
        if move.ndim == 3:
            points = (points.flatten(1, 2) @ move[:, :2, :2].mT + move[:, None, :2, 2]).view_as(points)
            continue
        units = points * points.new_tensor([2 / size[1], 2 / size[0]])
        bend = F.grid_sample(
            _between_knots(move, size),
            units,
            padding_mode="border",
            align_corners=False,
        )
        points = points + bend.permute(0, 2, 3, 1)
    return points


def _between_knots(bend: Float[Tensor, "n 2 k k"], size: Size) -> Float[Tensor, "n 2 h w"]:
    """Bicubic interpolation of the knots, which span the image from edge to edge: two matrix products."""
    down, across = (_cubic_weights(bend.shape[-1], length, bend.device) for length in size)
    return down @ (bend @ across.mT)


@lru_cache(maxsize=64)
def _cubic_weights(knots: int, length: int, device: torch.device) -> Float[Tensor, "length knots"]:
    rows = torch.eye(knots, device=device)[None, None]  # (1, 1, knots, knots)
    weights = F.interpolate(rows, (knots, length), mode="bicubic", align_corners=True)
    return weights[0, 0].T.contiguous()


@lru_cache(maxsize=64)
def _axes(
    size: Size, readings: Size, device: torch.device
) -> tuple[Float[Tensor, " h"], Float[Tensor, " w"]]:
    """Places read along the height and the width of the result, in pixels from its centre."""
    y, x = (
        (torch.arange(length * often, device=device) + 0.5) / often - length / 2
        for length, often in zip(size, readings, strict=True)
    )
    return y, x


def _base_points(size: Size, readings: Size, device: torch.device) -> Float[Tensor, "1 h w 2"]:
    y, x = _axes(size, readings, device)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)[None]


def _size(x: Float[Tensor, "n c h w"]) -> Size:
    return x.shape[-2], x.shape[-1]


def radians(degrees: Tensor) -> Tensor:
    """Degrees as radians."""
    return degrees * (math.pi / 180)
