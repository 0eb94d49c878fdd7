"""Views of clouds of points, `(n, 3, k)` with y up: what is left is the same thing, seen and scanned otherwise.

    Spin, PointMirror, PointScale   move the whole      PointNoise   moves each point
    PointDrop, PointCrop            leave points out, in whose places copies of others stand, so that k stays

References: Qi et al., NeurIPS 2017, section 3.4 and appendix (rotation about up, scaling, jitter, dropping).
    https://arxiv.org/abs/1706.02413
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from replearn.data.content import as_float
from replearn.data.samples import Batch
from replearn.views.base import (
    View,
    chance,
    check_at_least,
    check_interval,
    check_probability,
    normal,
    uniform,
)


def clouds(batch: Batch, view: object) -> Float[Tensor, "n 3 k"]:
    """The batch's clouds as floats.

    Raises:
        ValueError: if the batch holds something else.
    """
    if batch.x.ndim != 3 or batch.x.shape[1] != 3:
        raise ValueError(
            f"{type(view).__name__} is a view of clouds of points, (n, 3, k); got {tuple(batch.x.shape)}."
        )
    return as_float(batch.x)


@dataclass(frozen=True)
class Spin(View):
    """Each cloud turned about the axis that points up.

    Args:
        degrees: the largest angle, to both sides; 180 is any.
    """

    degrees: float = 180.0

    def __post_init__(self) -> None:
        check_interval(self, "degrees", "degrees", 0.0, 180.0)

    def __call__(self, batch: Batch) -> Batch:
        x, y, z = clouds(batch, self).unbind(1)  # (n, k) each
        angle = uniform(batch, 1, low=-1.0).mul(math.radians(self.degrees))
        cos, sin = angle.cos(), angle.sin()
        return batch.with_x(torch.stack([cos * x + sin * z, y, cos * z - sin * x], 1))


@dataclass(frozen=True)
class PointMirror(View):
    """Left and right exchanged, with some probability: the other hand of the same thing."""

    probability: float = 0.5

    def __post_init__(self) -> None:
        check_probability(self, "probability")

    def __call__(self, batch: Batch) -> Batch:
        x = clouds(batch, self)
        sign = torch.where(chance(batch, self.probability), -1.0, 1.0)
        signs = torch.stack([sign, torch.ones_like(sign), torch.ones_like(sign)], 1)
        return batch.with_x(x * signs[:, :, None])


@dataclass(frozen=True)
class PointScale(View):
    """Made larger or smaller, by a factor from 1/most to most for each axis apart.

    Args:
        most: the largest factor; its logarithm is drawn evenly.
    """

    most: float = 1.25

    def __post_init__(self) -> None:
        check_at_least(self, "most", 1.0)

    def __call__(self, batch: Batch) -> Batch:
        x = clouds(batch, self)
        return batch.with_x(x * uniform(batch, 3, 1, low=-1.0).mul(math.log(self.most)).exp())


@dataclass(frozen=True)
class PointNoise(View):
    """Every point moved by normal noise.

    Args:
        deviation: of the noise along each axis, in radii of the unit sphere.
        most: the farthest that a point is moved along an axis, in deviations.
    """

    deviation: float = 0.02
    most: float = 3.0

    def __post_init__(self) -> None:
        check_at_least(self, "deviation", 0.0)
        check_at_least(self, "most", 0.0)

    def __call__(self, batch: Batch) -> Batch:
        x = clouds(batch, self)
        noise = normal(batch, *x.shape[1:]).clamp(-self.most, self.most)
        return batch.with_x(x + self.deviation * noise)


@dataclass(frozen=True)
class PointDrop(View):
    """Points left out at random, a share from 0 to most of them, drawn for each cloud."""

    most: float = 0.5

    def __post_init__(self) -> None:
        check_probability(self, "most")

    def __call__(self, batch: Batch) -> Batch:
        x = clouds(batch, self)
        order = uniform(batch, x.shape[2]).argsort(1)  # (n, k)
        return batch.with_x(kept(x, order, 1 - uniform(batch, 1, high=self.most)))


@dataclass(frozen=True)
class PointCrop(View):
    """The points that are nearest to one of them, drawn at random: a part of the thing.

    Args:
        low, high: the share that is left, drawn for each cloud.
    """

    low: float = 0.5
    high: float = 1.0

    def __post_init__(self) -> None:
        check_interval(self, "low", "high", 1e-3, 1.0)

    def __call__(self, batch: Batch) -> Batch:
        x = clouds(batch, self)
        first = uniform(batch, 1).mul(x.shape[2]).long().clamp(max=x.shape[2] - 1)  # (n, 1)
        middle = x.gather(2, first[:, None].expand(-1, 3, -1))  # (n, 3, 1)
        order = (x - middle).square().sum(1).argsort(1)
        return batch.with_x(kept(x, order, uniform(batch, 1, low=self.low, high=self.high)))


def kept(
    x: Float[Tensor, "n 3 k"], order: Int[Tensor, "n k"], share: Float[Tensor, "n 1"]
) -> Float[Tensor, "n 3 k"]:
    """The first points by some order, a share of each cloud and one at least, over and over until there are k."""
    number = share.mul(x.shape[2]).round().long().clamp(min=1)
    rows = torch.arange(x.shape[2], device=x.device) % number  # (n, k)
    return x.gather(2, order.gather(1, rows)[:, None].expand_as(x))
