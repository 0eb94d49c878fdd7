"""Views that move pixels: crop, flip, rotate, shear, bend, shift, scale, resize. `warp` fuses them."""

import math
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from replearn.data.samples import Batch
from replearn.views.base import (
    chance,
    check_at_least,
    check_interval,
    check_probability,
    check_whole,
    normal,
    uniform,
)
from replearn.views.warp import Geometry, Size, affine, radians


@dataclass(frozen=True)
class Crop(Geometry):
    """A rectangle of random area, shape and place, resized to the image's size (the random resized crop of
    SimCLR).

    Args:
        scale_low, scale_high: area of the rectangle, as a fraction of the image's, drawn uniformly.
        ratio_low, ratio_high: its width over its height, relative to the image's own, drawn uniformly in the
        logarithm.
        size: side or (height, width) of the result in pixels; None: that of the image.

    A side that comes out longer than the image's is cut to it.

    References: Szegedy et al., CVPR 2015, section 6. https://arxiv.org/abs/1409.4842

    >>> Crop(0.2, 1.0)
    Crop(scale_low=0.2, scale_high=1.0, ratio_low=0.75, ratio_high=1.3333333333333333, size=None)
    """

    scale_low: float = 0.2
    scale_high: float = 1.0
    ratio_low: float = 3 / 4
    ratio_high: float = 4 / 3
    size: int | tuple[int, int] | None = None

    def __post_init__(self) -> None:
        check_interval(self, "scale_low", "scale_high", 1e-6, 1.0)
        check_interval(self, "ratio_low", "ratio_high", 1e-6, math.inf)
        check_size(self, self.size)

    def draw(self, batch: Batch, size: Size) -> Float[Tensor, "n 3 3"]:
        area = uniform(batch, low=self.scale_low, high=self.scale_high)
        ratio = uniform(batch, low=math.log(self.ratio_low), high=math.log(self.ratio_high)).exp()
        wide, high = (
            (area * ratio).sqrt().clamp(max=1),
            (area / ratio).sqrt().clamp(max=1),
        )  # of the image's sides
        place = uniform(batch, 2, low=-0.5, high=0.5)
        height, width = size
        out_height, out_width = self.size_after(size)
        return affine(
            len(batch),
            xx=wide * (width / out_width),
            yy=high * (height / out_height),
            x=place[:, 0] * (1 - wide) * width,
            y=place[:, 1] * (1 - high) * height,
            device=area.device,
        )

    def size_after(self, size: Size) -> Size:
        return size if self.size is None else both_sides(self.size)


@dataclass(frozen=True)
class Flip(Geometry):
    """Left and right exchanged, with some probability."""

    probability: float = 0.5

    def __post_init__(self) -> None:
        check_probability(self, "probability")

    def draw(self, batch: Batch, size: Size) -> Float[Tensor, "n 3 3"]:
        flipped = chance(batch, self.probability)
        return affine(len(batch), xx=1.0 - 2.0 * flipped, device=flipped.device)


@dataclass(frozen=True)
class VerticalFlip(Geometry):
    """Top and bottom exchanged, with some probability."""

    probability: float = 0.5

    def __post_init__(self) -> None:
        check_probability(self, "probability")

    def draw(self, batch: Batch, size: Size) -> Float[Tensor, "n 3 3"]:
        flipped = chance(batch, self.probability)
        return affine(len(batch), yy=1.0 - 2.0 * flipped, device=flipped.device)


@dataclass(frozen=True)
class Rotate(Geometry):
    """Turned about the centre, by an angle drawn uniformly from `-degrees` to `degrees`."""

    degrees: float = 15.0

    def __post_init__(self) -> None:
        check_at_least(self, "degrees", 0.0)

    def draw(self, batch: Batch, size: Size) -> Float[Tensor, "n 3 3"]:
        angle = radians(uniform(batch, low=-self.degrees, high=self.degrees))
        cos, sin = angle.cos(), angle.sin()
        return affine(len(batch), xx=cos, xy=-sin, yx=sin, yy=cos, device=angle.device)


@dataclass(frozen=True)
class Shear(Geometry):
    """Slanted like handwriting: rows slide sideways, by an angle from `-degrees` to `degrees`."""

    degrees: float = 15.0

    def __post_init__(self) -> None:
        check_interval(self, "degrees", "degrees", 0.0, 89.0)

    def draw(self, batch: Batch, size: Size) -> Float[Tensor, "n 3 3"]:
        angle = radians(uniform(batch, low=-self.degrees, high=self.degrees))
        return affine(len(batch), xy=angle.tan(), device=angle.device)


@dataclass(frozen=True)
class Shift(Geometry):
    """Moved sideways and up or down, each by a part of the side from `-fraction` to `fraction`."""

    fraction: float = 0.1

    def __post_init__(self) -> None:
        check_at_least(self, "fraction", 0.0)

    def draw(self, batch: Batch, size: Size) -> Float[Tensor, "n 3 3"]:
        by = uniform(batch, 2, low=-self.fraction, high=self.fraction)
        return affine(len(batch), x=by[:, 0] * size[1], y=by[:, 1] * size[0], device=by.device)


@dataclass(frozen=True)
class Scale(Geometry):
    """Magnified about the centre, by a factor from `low` to `high` drawn uniformly in the logarithm.

    Shrinking (a factor below 1) shows border pixels around the image, and is not anti-aliased.
    """

    low: float = 0.8
    high: float = 1.25

    def __post_init__(self) -> None:
        check_interval(self, "low", "high", 1e-6, math.inf)

    def draw(self, batch: Batch, size: Size) -> Float[Tensor, "n 3 3"]:
        inverse = (-uniform(batch, low=math.log(self.low), high=math.log(self.high))).exp()
        return affine(len(batch), xx=inverse, yy=inverse, device=inverse.device)


@dataclass(frozen=True)
class Elastic(Geometry):
    """A smooth random warp: normal displacements at the knots of a coarse grid, bicubic between them.

    Cheapest as the last geometric view of a chain.

    Args:
        strength: standard deviation of the displacement at a knot, as a fraction of the image's sides.
        knots: knots along each side; more of them bend finer.

    References: Simard et al., ICDAR 2003, section 2 (with a Gaussian in place of our grid).
    """

    strength: float = 0.05
    knots: int = 4

    def __post_init__(self) -> None:
        check_at_least(self, "strength", 0.0)
        check_whole(self, "knots", 2)

    def draw(self, batch: Batch, size: Size) -> Float[Tensor, "n 2 k k"]:
        drawn = normal(batch, 2, self.knots, self.knots)
        sides = drawn.new_tensor([size[1], size[0]]).view(2, 1, 1)
        return drawn * (sides * self.strength)


@dataclass(frozen=True)
class Resize(Geometry):
    """Resized to `size` pixels: a side, or (height, width)."""

    size: int | tuple[int, int] = 32

    def __post_init__(self) -> None:
        check_size(self, self.size)

    def draw(self, batch: Batch, size: Size) -> Float[Tensor, "n 3 3"]:
        height, width = self.size_after(size)
        return affine(
            len(batch),
            xx=size[1] / width,
            yy=size[0] / height,
            device=batch.labels.device,
        )

    def size_after(self, size: Size) -> Size:
        return both_sides(self.size)


def both_sides(size: int | tuple[int, int]) -> Size:
    """Height and width."""
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def check_size(view: object, size: int | tuple[int, int] | None) -> None:
    """Raise unless `size` is at least one pixel a side."""
    sides = () if size is None else both_sides(size)
    if any(not isinstance(side, int) or side < 1 for side in sides):
        name = type(view).__name__
        raise ValueError(
            f"size of {name} must be at least 1 pixel; got {size}. Give a side, or (height, width)."
        )
