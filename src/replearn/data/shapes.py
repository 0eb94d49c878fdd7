"""Drawn shapes whose factors are known: shape, scale, rotation, x and y, in the spirit of dSprites.

    position --digits of a mixed base--> factors --distance to the outline--> picture

Nothing is stored and nothing is random: a picture is computed from its position when a batch asks for it, so the full
grid of 737,280 pictures costs no more memory than a table of its factors.

References: Matthey et al., dSprites, 2017 (the idea and the five factors; no picture or code of it).
https://github.com/google-deepmind/dsprites-dataset
"""

from math import pi, prod, sqrt

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from replearn.data.samples import Batch, Samples

SHAPES = ("square", "ellipse", "heart")
FACTORS = ("shape", "scale", "rotation", "x", "y")
# Lengths are shares of the picture's side; at scale 1 every shape has the same area.
ROOM = 0.25  # centres stay so far from the border
LARGEST = 0.23  # half the length of the longest shape, the ellipse
SMALLEST = 0.5  # of the scales
SIDE = LARGEST / sqrt(
    2 / pi
)  # root of the area; of an ellipse twice as long as wide, half the length is 0.8 of it

PART = 128  # pictures drawn at a time: what stays in the processor's cache

Pixels = Float[Tensor, "n h w"]


def shapes(*, size: int = 64, scales: int = 6, rotations: int = 40, positions: int = 32) -> "Shapes":
    """White shapes on black, one picture for each combination of the factors, in the order of counting.

    The factors: *shape* (square, ellipse, heart; the labels), *scale* from 0.5 to 1 in equal steps, *rotation*
    from 0 to 2 pi clockwise in equal steps (2 pi itself left out, since it is 0), *x* from left to right and *y*
    from top to bottom, in equal steps. Every shape lies whole within the picture, and all three have the same area
    at the same scale.

    A quarter turn leaves a square as it is, and half a turn an ellipse; the factor counts on. So with an even
    number of rotations some pictures come twice (with 40, each square four times). With an odd number no two
    pictures are the same.

    Args:
        size: pixels a side. Edges are anti-aliased, so any resolution shows the same shapes.
        scales, rotations, positions: steps of each factor, `positions` of x and of y. The defaults are those of
            dSprites.

    Raises:
        ValueError: a size under 8 pixels, or a factor without a step.

    >>> samples = shapes(size=32, scales=2, rotations=5, positions=4)
    >>> len(samples), samples.factor_names, samples.factors[-1].tolist()
    (480, ('shape', 'scale', 'rotation', 'x', 'y'), [2, 1, 4, 3, 3])
    >>> tuple(samples[np.array([0, 479])].x.shape)
    (2, 1, 32, 32)
    """
    if size < 8:
        raise ValueError(f"size must be at least 8 pixels, to show a shape; got {size}.")
    steps = {"scales": scales, "rotations": rotations, "positions": positions}
    for name, number in steps.items():
        if number < 1:
            raise ValueError(f"{name} counts the steps of a factor and must be at least 1; got {number}.")
    return Shapes(size, (len(SHAPES), scales, rotations, positions, positions))


class Shapes(Samples):
    """The pictures that `shapes` describes.

    Args:
        size: pixels a side.
        steps: number of values of each factor, in the order of `FACTORS`.
    """

    kind = "image"
    classes = SHAPES
    factor_names = FACTORS
    amounts = (1, 3, 4)  # scale, x and y; rotation is an angle

    def __init__(self, size: int, steps: tuple[int, ...]) -> None:
        self.size = size
        self.steps = steps
        self.shape = (1, size, size)
        self.factors = np.stack(np.unravel_index(np.arange(prod(steps)), steps), axis=1)  # (n, 5)
        self.labels = self.factors[:, 0].copy()

    def __len__(self) -> int:
        return prod(self.steps)

    def __getitem__(self, index: np.ndarray) -> Batch:
        index = np.asarray(index, dtype=np.int64)
        factors = torch.from_numpy(np.asarray(self.factors)[index])
        parts = [
            draw(factors[start : start + PART], steps=self.steps, size=self.size)
            for start in range(0, max(1, len(factors)), PART)
        ]
        return Batch(x=torch.cat(parts)[:, None], labels=factors[:, 0].clone(), index=torch.from_numpy(index))


def draw(factors: Int[Tensor, "n 5"], *, steps: tuple[int, ...], size: int) -> UInt8[Tensor, "n h w"]:
    """Pictures, uint8, from the numbers of their factors' values.

    A pixel is as white as its share within the shape, taken from the signed distance of its centre to the
    outline, in pixels: 1/2 - distance, held to [0, 1]. On a straight edge that is right to a few percent.
    """
    shape = factors[:, 0]
    scale, rotation, x, y = (factors[:, k].float() for k in range(1, 5))
    unit = SIDE * (SMALLEST + (1 - SMALLEST) * along(scale, steps[1])) * size  # (n,), pixels
    angle = rotation * (2 * pi / steps[2])
    cos, sin = angle.cos() / unit, angle.sin() / unit
    pixels = torch.arange(size) + 0.5
    right = pixels - (ROOM + (1 - 2 * ROOM) * along(x, steps[3]))[:, None] * size  # (n, w)
    down = pixels - (ROOM + (1 - 2 * ROOM) * along(y, steps[4]))[:, None] * size  # (n, h)
    # Where each pixel lies in the frame of its shape, of area 1 and turned back: separable until the sum.
    u = (cos[:, None] * right)[:, None, :] + (sin[:, None] * down)[:, :, None]  # (n, h, w)
    v = (cos[:, None] * down)[:, :, None] - (sin[:, None] * right)[:, None, :]  # (n, h, w)
    distance = torch.empty_like(u)
    for number, outline in enumerate(OUTLINES):
        rows = torch.nonzero(shape == number)[:, 0]
        if len(rows):
            distance[rows] = outline(u[rows], v[rows])
    white = distance.mul_(-unit[:, None, None]).add_(0.5).clamp_(0, 1)
    return white.mul_(255).round_().to(torch.uint8)


def along(step: Float[Tensor, " n"], steps: int) -> Float[Tensor, " n"]:
    """How far along a factor its values are: from 0 to 1, and 1/2 if it has one value."""
    return step / (steps - 1) if steps > 1 else torch.full_like(step, 0.5)


def square(u: Pixels, v: Pixels) -> Pixels:
    """Distance to a square of side 1, negative within."""
    return torch.maximum(u.abs(), v.abs()).sub_(0.5)


def ellipse(u: Pixels, v: Pixels) -> Pixels:
    """Distance to an ellipse of area 1, twice as long as wide, to first order near the outline: F / |grad F|."""
    a, b = sqrt(2 / pi), sqrt(0.5 / pi)
    p, q = (u / a).square_(), (v / b).square_()
    slope = (p / a**2 + q / b**2).sqrt_().mul_(2).clamp_(min=1e-3)  # 0 in the middle
    return p.add_(q).sub_(1).div_(slope)


def heart(u: Pixels, v: Pixels) -> Pixels:
    """Distance to a heart of area 1, its tip pointing down: a square on its corner, and a disc on each upper side.

    The square has side a, the discs diameter a, so the area is a^2 (1 + pi/4). The centre of mass is at 0.
    """
    a = 1 / sqrt(1 + pi / 4)
    side = a / sqrt(8)  # from the square's centre to the middle of a side, in u and in v
    # Each half disc beyond a side: area pi a^2 / 8, its centre of mass 2a / (3 pi) beyond that side.
    lift = pi / 4 * a**2 * (side + 2 * a / (3 * pi) / sqrt(2))
    u, up = u.abs(), lift - v  # v points down; the heart is the same on both sides
    edges = torch.maximum((u + up).abs_(), (u - up).abs_()).div_(sqrt(2)).sub_(a / 2)
    disc = torch.hypot(u - side, up - side).sub_(a / 2)
    return torch.minimum(edges, disc)


OUTLINES = (square, ellipse, heart)
