"""Views of volumes, `(n, c, d, h, w)` in [0, 1].

    VolumeCrop, VolumeTurn, VolumeElastic   change places      VolumeFlip                      exchanges sides
    VolumeIntensity, VolumeNoise            change values      VolumeMask                      hides a box

Voxels are taken to be as long on all sides. What comes from outside is 0.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from replearn.data.content import as_float
from replearn.data.samples import Batch
from replearn.views.base import (
    View,
    chance,
    check_at_least,
    check_interval,
    check_probability,
    check_whole,
    normal,
    uniform,
)
from replearn.views.series import rotations


def volumes(batch: Batch, view: object) -> Float[Tensor, "n c d h w"]:
    """The batch's volumes as floats in [0, 1].

    Raises:
        ValueError: if the batch holds something else.
    """
    if batch.x.ndim != 5:
        raise ValueError(
            f"{type(view).__name__} is a view of volumes, (n, c, d, h, w); got {tuple(batch.x.shape)}."
        )
    return as_float(batch.x)


def sampled(x: Float[Tensor, "n c d h w"], places: Float[Tensor, "n d h w 3"]) -> Float[Tensor, "n c d h w"]:
    """Values between voxels, on straight lines; `places` are (w, h, d) from -1 to 1, as torch has them."""
    return F.grid_sample(x, places, align_corners=False)


def grid(x: Float[Tensor, "n c d h w"], turn: Float[Tensor, "n 3 4"]) -> Float[Tensor, "n d h w 3"]:
    """Where each voxel is taken from, by an affine map of (w, h, d, 1)."""
    return F.affine_grid(turn, list(x.shape), align_corners=False)


@dataclass(frozen=True)
class VolumeCrop(View):
    """A box at a random place, enlarged to the whole.

    Args:
        low, high: its share of the volume; all sides are the same share of the whole's.
    """

    low: float = 0.3
    high: float = 1.0

    def __post_init__(self) -> None:
        check_interval(self, "low", "high", 1e-3, 1.0)

    def __call__(self, batch: Batch) -> Batch:
        x = volumes(batch, self)
        side = uniform(batch, 1, low=self.low, high=self.high).pow(1 / 3)  # (n, 1)
        middle = uniform(batch, 3, low=-1.0) * (1 - side)  # (n, 3)
        turn = torch.cat([torch.diag_embed(side.expand(-1, 3)), middle[:, :, None]], 2)
        return batch.with_x(sampled(x, grid(x, turn)))


@dataclass(frozen=True)
class VolumeTurn(View):
    """Turned about a random axis.

    Args:
        degrees: the largest angle.
    """

    degrees: float = 15.0

    def __post_init__(self) -> None:
        check_interval(self, "degrees", "degrees", 0.0, 180.0)

    def __call__(self, batch: Batch) -> Batch:
        x = volumes(batch, self)
        axis = F.normalize(normal(batch, 3), dim=1)  # (n, 3)
        turn = rotations(axis, uniform(batch, 1, 1, high=math.radians(self.degrees)))  # (n, 3, 3)
        sides = x.new_tensor(x.shape[:1:-1])  # (w, h, d): places are shares of sides, which may be unlike
        turn = turn * sides / sides[:, None]
        return batch.with_x(sampled(x, grid(x, torch.cat([turn, torch.zeros_like(turn[:, :, :1])], 2))))


@dataclass(frozen=True)
class VolumeElastic(View):
    """Every place moved, near ones alike: random moves of a few knots, on straight lines between them.

    Args:
        strength: deviation of a knot's move along each axis, as a share of the volume's side.
        knots: along each side.
    """

    strength: float = 0.03
    knots: int = 5

    def __post_init__(self) -> None:
        check_at_least(self, "strength", 0.0)
        check_whole(self, "knots", 2)

    def __call__(self, batch: Batch) -> Batch:
        x = volumes(batch, self)
        moves = normal(batch, 3, self.knots, self.knots, self.knots).mul(2 * self.strength)
        moves = F.interpolate(moves, x.shape[2:], mode="trilinear", align_corners=True)  # (n, 3, d, h, w)
        still = grid(x, torch.eye(3, 4, device=x.device).expand(len(x), -1, -1))
        return batch.with_x(sampled(x, still + moves.permute(0, 2, 3, 4, 1)))


@dataclass(frozen=True)
class VolumeFlip(View):
    """The two sides of an axis exchanged, with some probability.

    Args:
        axis: 0 for d, 1 for h, 2 for w: left and right of a body, which is nearly the same on both; others are not.
        probability: of it.
    """

    axis: int = 2
    probability: float = 0.5

    def __post_init__(self) -> None:
        if self.axis not in (0, 1, 2):
            raise ValueError(f"axis of VolumeFlip must be 0, 1 or 2; got {self.axis!r}.")
        check_probability(self, "probability")

    def __call__(self, batch: Batch) -> Batch:
        x = volumes(batch, self)
        turned = chance(batch, self.probability)[:, None, None, None, None]
        return batch.with_x(torch.where(turned, x.flip(2 + self.axis), x))


@dataclass(frozen=True)
class VolumeIntensity(View):
    """Brighter or darker, with more or less contrast; cut to [0, 1].

    Args:
        most: the largest change of brightness; contrast is multiplied by a factor from 1 - most to 1 + most.
    """

    most: float = 0.3

    def __post_init__(self) -> None:
        check_probability(self, "most")

    def __call__(self, batch: Batch) -> Batch:
        x = volumes(batch, self)
        factor, more = (uniform(batch, 1, 1, 1, 1, low=-1.0) * self.most for _ in range(2))
        mean = x.mean((1, 2, 3, 4), keepdim=True)
        return batch.with_x((mean + (x - mean) * (1 + factor) + more / 2).clamp(0, 1))


@dataclass(frozen=True)
class VolumeNoise(View):
    """Normal noise; cut to [0, 1].

    Args:
        most: its deviation is drawn for each volume from 0 to this.
    """

    most: float = 0.1

    def __post_init__(self) -> None:
        check_at_least(self, "most", 0.0)

    def __call__(self, batch: Batch) -> Batch:
        x = volumes(batch, self)
        size = uniform(batch, 1, 1, 1, 1, high=self.most)
        return batch.with_x((x + size * normal(batch, *x.shape[1:])).clamp(0, 1))


@dataclass(frozen=True)
class VolumeMask(View):
    """A box of zeros at a random place.

    Args:
        most: its side is drawn from 0 to this share of the volume's.
    """

    most: float = 0.4

    def __post_init__(self) -> None:
        check_probability(self, "most")

    def __call__(self, batch: Batch) -> Batch:
        x = volumes(batch, self)
        side = uniform(batch, 1, high=self.most)
        first = uniform(batch, 3) * (1 - side)  # (n, 3)
        hidden = torch.ones(1, 1, 1, 1, 1, dtype=torch.bool, device=x.device)
        for axis, along in enumerate(x.shape[2:]):
            at = (torch.arange(along, device=x.device) + 0.5) / along
            inside = (at >= first[:, axis, None]) & (at < first[:, axis, None] + side)  # (n, along)
            hidden = hidden & inside.view(len(x), 1, *(along if other == axis else 1 for other in range(3)))
        return batch.with_x(x.masked_fill(hidden, 0.0))
