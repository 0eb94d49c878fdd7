"""Views that change colours. Each is an affine map of the colour axis; consecutive ones are one map and one
clamp.

    x[:, i, j] -> A x[:, i, j] + b,   A (c, c) and b (c,) drawn for each sample

Contrast pulls colours towards the image's mean, which the views before it have changed: the mean goes through
the same maps (it is linear in x), so the product is exact. Unlike a sequence of separate views nothing is
clamped in between.

Any number of channels works. Grey is the luma .299 R + .587 G + .114 B for three channels and the plain mean
of any other number; so Saturation and Grey leave one channel as it is. Hue turns three channels, and leaves
other numbers as they are.
"""

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from replearn.data.samples import Batch
from replearn.views.base import (
    View,
    chance,
    check_at_least,
    check_interval,
    check_probability,
    images,
    uniform,
)


class ColourView(View):
    """A view that maps colours. Consecutive ones in a `Chain` are applied as one."""

    @abstractmethod
    def colour_map(self, batch: Batch, mean: Float[Tensor, "n c"]) -> Float[Tensor, "n c c+1"]:
        """The maps `[A | b]`, given the mean colour of each image."""

    def __call__(self, batch: Batch) -> Batch:
        return recolour(batch, (self,))


def recolour(batch: Batch, views: Sequence[ColourView]) -> Batch:
    """The batch after all `views`, as one affine map of colours, clamped to [0, 1]."""
    x = images(batch, views[0])
    n, c = x.shape[:2]
    pixels = x.flatten(2)  # (n, c, h w)
    mean = pixels.mean(2)
    total = torch.eye(c, c + 1, device=x.device).expand(n, c, c + 1)
    for view in views:
        step = view.colour_map(batch, mean)
        mean = _follow(step, mean[:, :, None])[:, :, 0]
        total = torch.cat([step[:, :, :c] @ total[:, :, :c], _follow(step, total[:, :, c:])], dim=2)
    return batch.with_x(_follow(total, pixels).clamp_(0, 1).view_as(x))


def _follow(total: Float[Tensor, "n c c+1"], pixels: Float[Tensor, "n c p"]) -> Float[Tensor, "n c p"]:
    c = pixels.shape[1]
    return torch.baddbmm(total[:, :, c:], total[:, :, :c], pixels)


@dataclass(frozen=True)
class Brightness(ColourView):
    """Colours times a factor from `1 - strength` (or 0) to `1 + strength`."""

    strength: float = 0.4

    def __post_init__(self) -> None:
        check_at_least(self, "strength", 0.0)

    def colour_map(self, batch: Batch, mean: Float[Tensor, "n c"]) -> Float[Tensor, "n c c+1"]:
        return _towards(torch.zeros_like(mean), _factor(batch, self.strength))


@dataclass(frozen=True)
class Contrast(ColourView):
    """Distance from the image's mean grey times a factor from `1 - strength` (or 0) to `1 + strength`."""

    strength: float = 0.4

    def __post_init__(self) -> None:
        check_at_least(self, "strength", 0.0)

    def colour_map(self, batch: Batch, mean: Float[Tensor, "n c"]) -> Float[Tensor, "n c c+1"]:
        # Colours may have left [0, 1] by now; pulled towards a grey outside, all would be clamped to one.
        grey = (mean @ grey_weights(mean.shape[1], mean.device)).clamp(0, 1)  # (n,)
        return _towards(grey[:, None].expand_as(mean), _factor(batch, self.strength))


@dataclass(frozen=True)
class Saturation(ColourView):
    """Distance of a pixel from its own grey times a factor from `1 - strength` (or 0) to `1 + strength`."""

    strength: float = 0.4

    def __post_init__(self) -> None:
        check_at_least(self, "strength", 0.0)

    def colour_map(self, batch: Batch, mean: Float[Tensor, "n c"]) -> Float[Tensor, "n c c+1"]:
        return _desaturate(mean, _factor(batch, self.strength))


@dataclass(frozen=True)
class Grey(ColourView):
    """Grey in every channel, with some probability."""

    probability: float = 0.2

    def __post_init__(self) -> None:
        check_probability(self, "probability")

    def colour_map(self, batch: Batch, mean: Float[Tensor, "n c"]) -> Float[Tensor, "n c c+1"]:
        return _desaturate(mean, 1.0 - chance(batch, self.probability).float())


@dataclass(frozen=True)
class Hue(ColourView):
    """Hue turned by at most `turn` of the colour circle either way: a rotation of I and Q in YIQ space.

    It keeps the luma, and is close to the usual rotation in HSV space but linear. Other than three channels
    stay as they are.
    """

    turn: float = 0.1

    def __post_init__(self) -> None:
        check_interval(self, "turn", "turn", 0.0, 0.5)

    def colour_map(self, batch: Batch, mean: Float[Tensor, "n c"]) -> Float[Tensor, "n c c+1"]:
        angle = uniform(batch, low=-self.turn, high=self.turn) * (2 * math.pi)
        n, c = mean.shape
        if c != 3:
            return torch.eye(c, c + 1, device=mean.device).expand(n, c, c + 1)
        cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
        keep, along, across = _hue_parts(mean.device)
        return torch.cat([keep + cos * along + sin * across, mean.new_zeros(n, 3, 1)], dim=2)


@dataclass(frozen=True)
class Colour(ColourView):
    """SimCLR's colour jitter: brightness, contrast, saturation and hue, together with some probability.

    Brightness, contrast and saturation have strength `0.8 strength`, hue turns by at most `0.2 strength`.
    They act in this order for all samples (the original shuffles them).

    References: Chen et al., ICML 2020, appendix A. https://arxiv.org/abs/2002.05709
    """

    strength: float = 0.5
    probability: float = 0.8

    def __post_init__(self) -> None:
        check_interval(self, "strength", "strength", 0.0, 2.5)  # hue turns by at most half the circle
        check_probability(self, "probability")

    def colour_map(self, batch: Batch, mean: Float[Tensor, "n c"]) -> Float[Tensor, "n c c+1"]:
        n, c = mean.shape
        by = 0.8 * self.strength
        total = identity = torch.eye(c, c + 1, device=mean.device).expand(n, c, c + 1)
        for view in (
            Brightness(by),
            Contrast(by),
            Saturation(by),
            Hue(0.2 * self.strength),
        ):
            step = view.colour_map(batch, _follow(total, mean[:, :, None])[:, :, 0])
            total = torch.cat(
                [step[:, :, :c] @ total[:, :, :c], _follow(step, total[:, :, c:])],
                dim=2,
            )
        return torch.where(chance(batch, self.probability)[:, None, None], total, identity)


def _factor(batch: Batch, strength: float) -> Float[Tensor, " n"]:
    return uniform(batch, low=max(0.0, 1 - strength), high=1 + strength)


def _towards(colour: Float[Tensor, "n c"], factor: Float[Tensor, " n"]) -> Float[Tensor, "n c c+1"]:
    """The map `x -> f x + (1 - f) colour`."""
    linear = factor[:, None, None] * torch.eye(colour.shape[1], device=colour.device)
    return torch.cat([linear, ((1 - factor)[:, None] * colour)[:, :, None]], dim=2)


def _desaturate(mean: Float[Tensor, "n c"], factor: Float[Tensor, " n"]) -> Float[Tensor, "n c c+1"]:
    """The map `x -> f x + (1 - f) grey(x)`."""
    n, c = mean.shape
    factor = factor[:, None, None]
    linear = factor * torch.eye(c, device=mean.device) + (1 - factor) * grey_weights(c, mean.device)
    return torch.cat([linear, mean.new_zeros(n, c, 1)], dim=2)


@lru_cache(maxsize=32)
def grey_weights(c: int, device: torch.device) -> Float[Tensor, " c"]:
    """The part of each channel in grey: luma for three channels (ITU-R BT.601), else the plain mean."""
    return torch.tensor([0.299, 0.587, 0.114] if c == 3 else [1 / c] * c, device=device)


@lru_cache(maxsize=8)
def _hue_parts(device: torch.device) -> tuple[Float[Tensor, "3 3"], ...]:
    """P, Q, R of the hue rotation `P + cos(angle) Q + sin(angle) R`, in RGB."""
    yiq = torch.tensor(
        [
            [0.299, 0.587, 0.114],
            [0.595716, -0.274453, -0.321263],
            [0.211456, -0.522591, 0.311135],
        ],
        dtype=torch.float64,
    )
    back = yiq.inverse()
    turned = (torch.diag(torch.tensor(d, dtype=torch.float64)) for d in ([1.0, 0, 0], [0, 1.0, 1.0]))
    across = torch.tensor([[0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]], dtype=torch.float64)
    keep, along = ((back @ part @ yiq) for part in turned)
    return tuple(part.float().to(device) for part in (keep, along, back @ across @ yiq))
