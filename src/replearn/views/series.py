"""Views of what goes on in time, `(n, c, t)`: series of sensors, and sounds, which have one channel.

    TimeNoise, Gain, Turn   change values      TimeWarp, TimeCrop, Permute   change places in time
    TimeMask                hides a stretch    TimeGrid                      cuts into windows

Amounts are shares of a channel's deviation in the samples that a method is fitted on, so that no unit matters.

References: Um et al., ICMI 2017 (the views, for wearables). https://arxiv.org/abs/1706.00527
"""

import math
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from replearn.data.content import as_float
from replearn.data.samples import Batch, Samples
from replearn.views.base import (
    View,
    check_at_least,
    check_interval,
    check_probability,
    check_whole,
    normal,
    uniform,
)
from replearn.views.parts import Windows

Numbers = tuple[float, ...]


def in_time(batch: Batch, view: object) -> Float[Tensor, "n c t"]:
    """The batch's series or sounds as floats.

    Raises:
        ValueError: if the batch holds something else.
    """
    if batch.x.ndim != 3:
        raise ValueError(
            f"{type(view).__name__} is a view of series and sounds, (n, c, t); got {tuple(batch.x.shape)}."
        )
    return as_float(batch.x)


def _column(numbers: Numbers | None, x: Tensor, otherwise: float) -> Float[Tensor, "1 c 1"]:
    """A number per channel."""
    return x.new_tensor(numbers or (otherwise,) * x.shape[1]).view(1, -1, 1)


@dataclass(frozen=True)
class TimeNoise(View):
    """Normal noise added to every value.

    Args:
        most: the noise's deviation is drawn for each sample from 0 to this share of the channel's.
        deviation: of each channel; None: that of the samples that a method is fitted on (1 where there are none).
    """

    most: float = 0.1
    deviation: Numbers | None = None

    def __post_init__(self) -> None:
        check_at_least(self, "most", 0.0)

    def __call__(self, batch: Batch) -> Batch:
        x = in_time(batch, self)
        size = uniform(batch, 1, 1, high=self.most) * _column(self.deviation, x, 1.0)
        return batch.with_x(x + size * normal(batch, *x.shape[1:]))

    def fitted(self, samples: Samples) -> "TimeNoise":
        """With the deviations of samples, where none are given."""
        return self if self.deviation else replace(self, deviation=tuple(samples.statistics[1].tolist()))


@dataclass(frozen=True)
class Gain(View):
    """Each channel's swing around its mean made larger or smaller, by a factor from 1/most to most.

    Args:
        most: the largest factor; its logarithm is drawn evenly, for each sample and channel.
        mean: of each channel; None: that of the samples that a method is fitted on (0 where there are none).
    """

    most: float = 1.5
    mean: Numbers | None = None

    def __post_init__(self) -> None:
        check_at_least(self, "most", 1.0)

    def __call__(self, batch: Batch) -> Batch:
        x, mean = in_time(batch, self), _column(self.mean, batch.x.float(), 0.0)
        factor = uniform(batch, x.shape[1], 1, low=-1.0).mul(math.log(self.most)).exp()  # (n, c, 1)
        return batch.with_x(mean + (x - mean) * factor)

    def fitted(self, samples: Samples) -> "Gain":
        """With the means of samples, where none are given."""
        return self if self.mean else replace(self, mean=tuple(samples.statistics[0].tolist()))


@dataclass(frozen=True)
class Turn(View):
    """The axes turned: channels are triples of axes (x, y, z of a sensor), which one rotation of the sample turns all.

    Axis and angle are drawn for each sample. Channels that are no triples get another sign, each by a fair coin.

    Args:
        degrees: the largest angle.
    """

    degrees: float = 30.0

    def __post_init__(self) -> None:
        check_interval(self, "degrees", "degrees", 0.0, 180.0)

    def __call__(self, batch: Batch) -> Batch:
        x = in_time(batch, self)
        if x.shape[1] % 3:
            signs = torch.where(uniform(batch, x.shape[1], 1) < 0.5, -1.0, 1.0)
            return batch.with_x(x * signs)
        axis = F.normalize(normal(batch, 3), dim=1)  # (n, 3)
        angle = uniform(batch, 1, 1, high=math.radians(self.degrees))
        triples = x.reshape(len(x), -1, 3, x.shape[2])
        turned = torch.einsum("nij, nkjt -> nkit", rotations(axis, angle), triples)
        return batch.with_x(turned.reshape(x.shape))


def rotations(axis: Float[Tensor, "n 3"], angle: Float[Tensor, "n 1 1"]) -> Float[Tensor, "n 3 3"]:
    """Matrices that turn around unit axes by angles: I + sin(a) K + (1 - cos(a)) K K (Rodrigues)."""
    zero = torch.zeros_like(axis[:, 0])
    x, y, z = axis.unbind(1)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], 1).view(-1, 3, 3)
    found: Tensor = (
        torch.eye(3, device=axis.device) + angle.sin() * cross + (1 - angle.cos()) * (cross @ cross)
    )
    return found


def sampled(x: Float[Tensor, "n c t"], places: Float[Tensor, "n s"]) -> Float[Tensor, "n c s"]:
    """Values between rows, on straight lines; `places` count rows from 0."""
    places = places.clamp(0, x.shape[2] - 1)
    before = places.floor().long().clamp(max=max(0, x.shape[2] - 2))
    after = (before + 1).clamp(max=x.shape[2] - 1)
    part = (places - before)[:, None]
    low, high = (x.gather(2, at[:, None].expand(-1, x.shape[1], -1)) for at in (before, after))
    return torch.lerp(low, high, part)


@dataclass(frozen=True)
class TimeWarp(View):
    """Time that goes faster and slower: its speed is a random curve through a few knots, the whole is still seen.

    Args:
        strength: deviation of the logarithm of the speed at a knot.
        knots: of the curve.
    """

    strength: float = 0.3
    knots: int = 4

    def __post_init__(self) -> None:
        check_at_least(self, "strength", 0.0)
        check_whole(self, "knots", 2)

    def __call__(self, batch: Batch) -> Batch:
        x = in_time(batch, self)
        speed = normal(batch, 1, self.knots).mul(self.strength)
        speed = F.interpolate(speed, x.shape[2], mode="linear", align_corners=True)[:, 0].exp()  # (n, t)
        passed = speed.cumsum(1) - speed[:, :1]
        return batch.with_x(sampled(x, passed / passed[:, -1:].clamp_min(1e-9) * (x.shape[2] - 1)))


@dataclass(frozen=True)
class TimeCrop(View):
    """A stretch of time, stretched to the whole length or left as it is.

    Args:
        low, high: its length, as a share of the whole.
        stretched: whether it is stretched; else what is left over is filled up from the other end, as if time went in a
            circle, so that pitch and pace stay.
    """

    low: float = 0.5
    high: float = 1.0
    stretched: bool = True

    def __post_init__(self) -> None:
        check_interval(self, "low", "high", 1e-3, 1.0)

    def __call__(self, batch: Batch) -> Batch:
        x = in_time(batch, self)
        length = uniform(batch, 1, low=self.low, high=self.high) * (x.shape[2] - 1)
        first = uniform(batch, 1) * (x.shape[2] - 1 - length)
        at = torch.linspace(0, 1, x.shape[2], device=x.device)
        if self.stretched:
            return batch.with_x(sampled(x, first + at * length))
        rows = torch.arange(x.shape[2], device=x.device)
        places = first.round().long() + rows % (length.round().long() + 1)  # (n, t)
        return batch.with_x(x.gather(2, places[:, None].expand_as(x)))


@dataclass(frozen=True)
class Permute(View):
    """Equal segments of time in random order."""

    segments: int = 4

    def __post_init__(self) -> None:
        check_whole(self, "segments", 1)

    def __call__(self, batch: Batch) -> Batch:
        x = in_time(batch, self)
        rank = uniform(batch, self.segments).argsort(1)  # (n, k)
        rows = torch.arange(x.shape[2], device=x.device)
        segment = rows * self.segments // x.shape[2]
        order = (rank[:, segment] * x.shape[2] + rows).argsort(1)  # (n, t)
        return batch.with_x(x.gather(2, order[:, None].expand_as(x)))


@dataclass(frozen=True)
class TimeMask(View):
    """Stretches of time set to the mean, in all channels.

    Args:
        most: the length of a stretch is drawn from 0 to this share of the whole.
        number: of stretches.
        mean: of each channel; None: that of the samples that a method is fitted on (0 where there are none).
    """

    most: float = 0.2
    number: int = 1
    mean: Numbers | None = None

    def __post_init__(self) -> None:
        check_probability(self, "most")
        check_whole(self, "number", 1)

    def __call__(self, batch: Batch) -> Batch:
        x = in_time(batch, self)
        length = uniform(batch, self.number, 1, high=self.most) * x.shape[2]
        first = uniform(batch, self.number, 1) * (x.shape[2] - length)
        rows = torch.arange(x.shape[2], device=x.device)
        hidden = ((rows >= first) & (rows < first + length)).any(1, keepdim=True)  # (n, 1, t)
        return batch.with_x(torch.where(hidden, _column(self.mean, x, 0.0), x))

    def fitted(self, samples: Samples) -> "TimeMask":
        """With the means of samples, where none are given."""
        return self if self.mean else replace(self, mean=tuple(samples.statistics[0].tolist()))


@dataclass(frozen=True)
class TimeGrid(Windows):
    """Windows of equal length, from the first to the last.

    Args:
        windows, overlap, view, each: as in `replearn.views.parts.Windows`.
    """

    def in_time(self, batch: Batch) -> Float[Tensor, "n c t"]:
        return in_time(batch, self)
