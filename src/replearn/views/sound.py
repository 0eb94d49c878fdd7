"""Views of sounds, `(n, 1, t)`: what microphones, rooms and other voices do to them.

    Speed     pitch and pace together         Hiss      noise, at some decibels under the sound
    Reverb    echoes of a room                Tone      a microphone's colour: some frequencies louder
    MixIn     another sound, quietly          BandMask  a band of frequencies is silent

A view that needs the rate takes that of the samples that a method is fitted on. `TimeCrop`, `Gain` and
`TimeMask` are in `replearn.views.series`.
"""

import math
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from replearn.data.processes import collect, processes
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
from replearn.views.series import in_time, sampled

USUAL = 16_000  # Hz, where nothing else is said


def _with_rate(view: "Reverb | BandMask", samples: Samples) -> "Reverb | BandMask":
    rate = samples.details.get("rate")
    return replace(view, rate=rate) if view.rate is None and isinstance(rate, int) else view


def loudness(x: Float[Tensor, "n c t"]) -> Float[Tensor, "n 1 1"]:
    """The root of the mean square of each sound, and a little more, so that silence stays finite."""
    return x.square().mean((1, 2), keepdim=True).sqrt() + 1e-6


@dataclass(frozen=True)
class Speed(View):
    """Played faster or slower, by a factor from 1/most to most: higher and shorter, or lower and longer.

    What is too long is cut at its end; what is too short is followed by silence.
    """

    most: float = 1.15

    def __post_init__(self) -> None:
        check_at_least(self, "most", 1.0)

    def __call__(self, batch: Batch) -> Batch:
        x = in_time(batch, self)
        factor = uniform(batch, 1, low=-1.0).mul(math.log(self.most)).exp()  # (n, 1)
        places = torch.arange(x.shape[2], device=x.device) * factor  # (n, t)
        heard = (places <= x.shape[2] - 1)[:, None]
        return batch.with_x(torch.where(heard, sampled(x, places), 0.0))


@dataclass(frozen=True)
class Hiss(View):
    """Noise, from white to that of a waterfall (power falls with the square of the frequency), drawn for each sample.

    Args:
        low, high: decibels from the sound down to the noise; more is quieter.
    """

    low: float = 10.0
    high: float = 40.0

    def __post_init__(self) -> None:
        check_interval(self, "low", "high", -20.0, 200.0)

    def __call__(self, batch: Batch) -> Batch:
        x = in_time(batch, self)
        under = uniform(batch, 1, 1, low=self.low, high=self.high)
        slope = uniform(batch, 1, 1)
        spectrum = torch.fft.rfft(normal(batch, 1, x.shape[2]))
        frequency = torch.arange(1, spectrum.shape[2] + 1, device=x.device) / spectrum.shape[2]
        noise = torch.fft.irfft(spectrum * frequency**-slope, n=x.shape[2])
        return batch.with_x(x + noise / loudness(noise) * loudness(x) * 10 ** (-under / 20))


@dataclass(frozen=True)
class Reverb(View):
    """Echoes: the sound, and its convolution with noise that decays.

    Args:
        most: the noise decays by 60 decibels in a time drawn for each sample, up to so many seconds.
        share: of the echo's loudness in the sound's, at most.
        rate: in Hz; None: that of the samples that a method is fitted on (16,000 where there are none).
    """

    most: float = 0.3
    share: float = 0.5
    rate: int | None = None

    def __post_init__(self) -> None:
        check_at_least(self, "most", 0.001)
        check_probability(self, "share")

    def __call__(self, batch: Batch) -> Batch:
        x = in_time(batch, self)
        length = min(x.shape[2], max(2, round(self.most * (self.rate or USUAL))))
        fall = uniform(batch, 1, 1, low=0.1) * length  # rows of 60 dB
        rows = torch.arange(length, device=x.device)
        echo = normal(batch, 1, length) * torch.exp(-math.log(1000) * rows / fall)  # (n, 1, length)
        size = x.shape[2] + length
        wet = torch.fft.irfft(torch.fft.rfft(x, size) * torch.fft.rfft(echo, size), size)[:, :, : x.shape[2]]
        share = uniform(batch, 1, 1, high=self.share)
        return batch.with_x(x + share * wet * loudness(x) / loudness(wet))

    def fitted(self, samples: Samples) -> View:
        """With the rate of samples, where none is given."""
        return _with_rate(self, samples)


@dataclass(frozen=True)
class Tone(View):
    """Frequencies made louder and quieter, by a smooth curve through some knots, as microphones do.

    Args:
        decibels: deviation of the curve at a knot.
        knots: of the curve.
    """

    decibels: float = 4.0
    knots: int = 6

    def __post_init__(self) -> None:
        check_at_least(self, "decibels", 0.0)
        check_whole(self, "knots", 2)

    def __call__(self, batch: Batch) -> Batch:
        x = in_time(batch, self)
        spectrum = torch.fft.rfft(x)
        curve = normal(batch, 1, self.knots).mul(self.decibels)
        curve = F.interpolate(curve, spectrum.shape[2], mode="linear", align_corners=True)
        return batch.with_x(torch.fft.irfft(spectrum * 10 ** (curve / 20), n=x.shape[2]))


@dataclass(frozen=True)
class MixIn(View):
    """Another sound of the batch, quietly, as of a next room.

    The batch is the joined one of all processes that train together, so that they hear what one would hear.

    Args:
        most: loudness of the other sound, drawn for each sample from 0 to this share of the sample's own.
    """

    most: float = 0.2

    def __post_init__(self) -> None:
        check_probability(self, "most")

    def __call__(self, batch: Batch) -> Batch:
        x = in_time(batch, self)
        rows = collect(x) if batch.total == len(x) * processes() else x
        other = rows[(uniform(batch) * len(rows)).long().clamp_(max=len(rows) - 1)]
        share = uniform(batch, 1, 1, high=self.most)
        return batch.with_x(x + share * other * loudness(x) / loudness(other))


@dataclass(frozen=True)
class BandMask(View):
    """A band of frequencies is silent: the masks of SpecAugment along frequency, made of the wave.

    Args:
        most: the band's width, drawn for each sample from 0 to this share of the mel scale.
        rate: in Hz; None: that of the samples that a method is fitted on (16,000 where there are none).

    References: Park et al. (SpecAugment), Interspeech 2019, section 2. https://arxiv.org/abs/1904.08779
    """

    most: float = 0.2
    rate: int | None = None

    def __post_init__(self) -> None:
        check_probability(self, "most")

    def __call__(self, batch: Batch) -> Batch:
        x = in_time(batch, self)
        spectrum = torch.fft.rfft(x)
        frequency = torch.linspace(0, (self.rate or USUAL) / 2, spectrum.shape[2], device=x.device)
        place = (1 + frequency / 700).log()
        place = place / place[-1].clamp_min(1e-9)  # on the mel scale, from 0 to 1
        width = uniform(batch, 1, 1, high=self.most)
        first = uniform(batch, 1, 1) * (1 - width)
        silent = (place >= first) & (place < first + width)
        return batch.with_x(torch.fft.irfft(spectrum.masked_fill(silent, 0), n=x.shape[2]))

    def fitted(self, samples: Samples) -> View:
        """With the rate of samples, where none is given."""
        return _with_rate(self, samples)
