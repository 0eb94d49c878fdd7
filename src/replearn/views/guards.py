"""Guards: views of tiles that keep a network from telling by a trace of the lens or the file where a tile was.

    DropChannels     a lens bends colours apart, more so towards the border: one channel is left
    ChannelJitter    the same: channels are moved against each other by more than a lens does
    Coarse           lenses and files are sharper at some places: tiles are made coarse at random

They are for `each` of `Tiles(...)`, which takes away gaps, brightness and contrast itself. The first two change nothing
in images of one channel.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from replearn.data.samples import Batch
from replearn.views.base import (
    View,
    chance,
    check_at_least,
    check_interval,
    check_probability,
    check_whole,
    images,
    normal,
    uniform,
)


@dataclass(frozen=True)
class DropChannels(View):
    """One channel, drawn at random, and noise in place of the others, around its mean.

    It forbids to tell by chromatic aberration how far from the middle of the picture something lies: of a single
    channel no other one is displaced.

    Args:
        noise: standard deviation of the noise, as a share of that of the channel that is left.

    References: Doersch, Gupta & Efros, ICCV 2015, section 3.1. https://arxiv.org/abs/1505.05192
    """

    noise: float = 0.01

    def __post_init__(self) -> None:
        check_at_least(self, "noise", 0.0)

    def __call__(self, batch: Batch) -> Batch:
        x = images(batch, self)
        c = x.shape[1]
        kept = (uniform(batch) * c).long().clamp(max=c - 1)  # (n,)
        drawn = normal(batch, *x.shape[1:])
        kept = kept.view(-1, 1, 1, 1)
        channel = x.take_along_dim(kept, dim=1)  # (n, 1, h, w)
        deviation = channel.var((2, 3), correction=0, keepdim=True).sqrt()
        others = (channel.mean((2, 3), keepdim=True) + drawn * (self.noise * deviation)).clamp_(0, 1)
        left = torch.arange(c, device=x.device)[:, None, None] == kept
        return batch.with_x(torch.where(left, x, others))


@dataclass(frozen=True)
class ChannelJitter(View):
    """Every channel moved by whole pixels, drawn apart for each along both sides; the border is continued.

    It makes chromatic aberration a clue that is mostly wrong, and leaves colours to be learned from.

    Args:
        pixels: by which a channel is moved at most, either way.

    References: Noroozi & Favaro, ECCV 2016, section 4.2. https://arxiv.org/abs/1603.09246
    """

    pixels: int = 1

    def __post_init__(self) -> None:
        check_whole(self, "pixels", 0)

    def __call__(self, batch: Batch) -> Batch:
        x = images(batch, self)
        c = x.shape[1]
        by = (uniform(batch, 2, c) * (2 * self.pixels + 1)).long() - self.pixels  # (n, 2, c)
        if c == 1:
            return batch.with_x(x)
        down, across = (
            (torch.arange(side, device=x.device) + by[:, axis, :, None]).clamp(0, side - 1)
            for axis, side in enumerate(x.shape[2:])
        )  # (n, c, side) each
        return batch.with_x(x.take_along_dim(down[..., None], 2).take_along_dim(across[:, :, None], 3))


@dataclass(frozen=True)
class Coarse(View):
    """With some probability made smaller, by a factor drawn at random, and as large as before again.

    It forbids to tell by sharpness, which lenses and compression let vary over a picture.

    Args:
        probability: of any change.
        lowest: the smallest that the sides become, as a share of what they are.

    References: Doersch, Gupta & Efros, ICCV 2015, section 3 ("robustness to pixelation").
        https://arxiv.org/abs/1505.05192
    """

    probability: float = 0.3
    lowest: float = 0.5

    def __post_init__(self) -> None:
        check_probability(self, "probability")
        check_interval(self, "lowest", "lowest", 1e-6, 1.0)

    def __call__(self, batch: Batch) -> Batch:
        x = images(batch, self)
        chosen = chance(batch, self.probability)
        factor = uniform(batch, low=self.lowest).where(chosen, 1.0)  # (n,)
        down, across = (self._along(factor, side) for side in x.shape[2:])  # (n, 1, side, side) each
        return batch.with_x((down @ x @ across.mT).clamp_(0, 1))

    def _along(self, factor: Float[Tensor, " n"], side: int) -> Float[Tensor, "n 1 s s"]:
        """The change along a side of so many pixels, as a matrix."""
        fewest = max(1, math.floor(side * self.lowest))
        left = (factor * side).round().long().clamp(fewest, side)
        return _down_and_up(side, fewest, factor.device)[left - fewest][:, None]


@lru_cache(maxsize=32)
def _down_and_up(side: int, fewest: int, device: torch.device) -> Float[Tensor, "k s s"]:
    """What makes `side` pixels `fewest, ..., side` by means, and again `side` by straight lines between."""
    one = torch.eye(side)[None]  # the images of single pixels, as channels of a row
    made = [
        F.interpolate(F.adaptive_avg_pool1d(one, left), side, mode="linear", align_corners=False)[0].mT
        for left in range(fewest, side + 1)
    ]
    return torch.stack(made).to(device)
