"""Views that filter or spoil pixels: blur, solarize, noise, cutout, edges, strokes."""

import math
from dataclasses import dataclass

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
    images,
    normal,
    uniform,
)


@dataclass(frozen=True)
class Blur(View):
    """Gaussian blur with a width drawn for each sample, with some probability.

    Args:
        sigma_low, sigma_high: standard deviation of the Gaussian in pixels, drawn uniformly. It is cut at
            three of the largest; beyond the border the image is continued by its border pixels.
        probability: of any blur at all.

    References: Chen et al., ICML 2020, appendix A. https://arxiv.org/abs/2002.05709
    """

    sigma_low: float = 0.1
    sigma_high: float = 2.0
    probability: float = 0.5

    def __post_init__(self) -> None:
        check_interval(self, "sigma_low", "sigma_high", 1e-6, math.inf)
        check_probability(self, "probability")

    def __call__(self, batch: Batch) -> Batch:
        sigma = uniform(batch, low=self.sigma_low, high=self.sigma_high)
        chosen = chance(batch, self.probability).nonzero()[:, 0]  # (k,)
        x = images(batch, self).clone()
        kernel = gaussian(sigma[chosen], math.ceil(3 * self.sigma_high))
        across, down = (
            _band(kernel, side)[:, None] for side in (x.shape[3], x.shape[2])
        )  # (k, 1, side, side)
        x[chosen] = (down @ (x[chosen] @ across.mT)).clamp_(0, 1)  # rounding may pass 1
        return batch.with_x(x)


def _band(kernel: Float[Tensor, "k t"], side: int) -> Float[Tensor, "k side side"]:
    """The blur along one axis as a matrix, whose products beat grouped convolutions; the border is continued."""
    reach = kernel.shape[1] // 2
    at = torch.arange(side, device=kernel.device)[:, None] + torch.arange(
        -reach, reach + 1, device=kernel.device
    )
    at = at.clamp_(0, side - 1).expand(len(kernel), -1, -1)  # (k, side, t)
    return kernel.new_zeros(len(kernel), side, side).scatter_add_(2, at, kernel[:, None].expand_as(at))


def gaussian(sigma: Float[Tensor, " n"], radius: int) -> Float[Tensor, "n k"]:
    """Weights at the pixels `-radius .. radius`, of sum 1."""
    at = torch.arange(-radius, radius + 1, device=sigma.device)
    return torch.softmax(-0.5 * (at / sigma[:, None]) ** 2, dim=1)


@dataclass(frozen=True)
class Solarize(View):
    """Values of at least `threshold` inverted, `x -> 1 - x`, with some probability.

    References: Grill et al., NeurIPS 2020, appendix B. https://arxiv.org/abs/2006.07733
    """

    threshold: float = 0.5
    probability: float = 0.2

    def __post_init__(self) -> None:
        check_interval(self, "threshold", "threshold", 0.0, 1.0)
        check_probability(self, "probability")

    def __call__(self, batch: Batch) -> Batch:
        x = images(batch, self)
        chosen = chance(batch, self.probability).view(-1, 1, 1, 1)
        return batch.with_x(torch.where(chosen & (x >= self.threshold), 1 - x, x))


@dataclass(frozen=True)
class Noise(View):
    """Normal noise of standard deviation `std` added to every pixel of every channel, clamped to [0, 1]."""

    std: float = 0.1

    def __post_init__(self) -> None:
        check_at_least(self, "std", 0.0)

    def __call__(self, batch: Batch) -> Batch:
        x = images(batch, self)
        return batch.with_x(torch.add(x, normal(batch, *x.shape[1:]), alpha=self.std).clamp_(0, 1))


@dataclass(frozen=True)
class Cutout(View):
    """A rectangle of the image replaced by the image's mean colour.

    Args:
        area_low, area_high: area of the rectangle as a fraction of the image's, drawn uniformly. Its width
            over its height, relative to the image's own, is from 1/2 to 2; its place is within the image.

    References: DeVries & Taylor, 2017. https://arxiv.org/abs/1708.04552
    """

    area_low: float = 0.05
    area_high: float = 0.25

    def __post_init__(self) -> None:
        check_interval(self, "area_low", "area_high", 0.0, 1.0)

    def __call__(self, batch: Batch) -> Batch:
        x = images(batch, self)
        area = uniform(batch, low=self.area_low, high=self.area_high)
        ratio = uniform(batch, low=-math.log(2), high=math.log(2)).exp()
        place = uniform(batch, 2)
        wide, high = (
            (area * ratio).sqrt().clamp(max=1),
            (area / ratio).sqrt().clamp(max=1),
        )
        across = _within(x.shape[3], place[:, 0] * (1 - wide), wide)  # (n, w)
        down = _within(x.shape[2], place[:, 1] * (1 - high), high)  # (n, h)
        hole = (down[:, :, None] & across[:, None, :])[:, None]  # (n, 1, h, w)
        return batch.with_x(torch.where(hole, x.mean((2, 3), keepdim=True), x))


def _within(length: int, start: Float[Tensor, " n"], extent: Float[Tensor, " n"]) -> Tensor:
    """Which of `length` pixels have their centre in an interval, in fractions of the side: `(n, length)`."""
    at = (torch.arange(length, device=start.device) + 0.5) / length
    return (at >= start[:, None]) & (at < (start + extent)[:, None])


@dataclass(frozen=True)
class Sobel(View):
    """Edges: the length of the Sobel gradient of each channel, over 4, at most 1 (a full upright step)."""

    def __call__(self, batch: Batch) -> Batch:
        x = F.pad(images(batch, self), (1, 1, 1, 1), mode="replicate")
        along_rows = x[..., :-2, :] + 2 * x[..., 1:-1, :] + x[..., 2:, :]
        along_columns = x[..., :-2] + 2 * x[..., 1:-1] + x[..., 2:]
        right = along_rows[..., 2:] - along_rows[..., :-2]
        down = along_columns[..., 2:, :] - along_columns[..., :-2, :]
        return batch.with_x(torch.hypot(right, down).div_(4).clamp_(max=1))


@dataclass(frozen=True)
class Stroke(View):
    """Strokes thickened or thinned, by a maximum or a minimum over neighbouring pixels.

    With r drawn uniformly from `-radius` to `radius`, bright strokes grow by r pixels on each side (dark ones
    for r < 0). A fraction of a pixel is a mixture: r = 0.3 is 0.7 of the image and 0.3 of its maximum over 3
    x 3 pixels.

    Args:
        radius: the largest change, in pixels; it need not be whole.
        probability: of any change at all.
    """

    radius: float = 1.0
    probability: float = 1.0

    def __post_init__(self) -> None:
        check_at_least(self, "radius", 0.0)
        check_probability(self, "probability")

    def __call__(self, batch: Batch) -> Batch:
        drawn = uniform(batch, low=-self.radius, high=self.radius) * chance(batch, self.probability)
        radius = drawn.view(-1, 1, 1, 1)
        # min(x) = -max(-x): with the sign of each sample's radius, one maximum serves both.
        sign = torch.where(radius < 0, -1.0, 1.0)
        x = images(batch, self) * sign
        for done in range(math.ceil(self.radius)):
            x = torch.lerp(x, _maximum_of_nine(x), (radius.abs() - done).clamp(0, 1))
        return batch.with_x(x * sign)


def _maximum_of_nine(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
    """Maximum over 3 x 3 pixels: rows, then columns, of shifted images. Faster than max_pool2d on CPUs."""
    x = F.pad(x, (1, 1, 1, 1), mode="replicate")
    x = torch.maximum(torch.maximum(x[..., :-2, :], x[..., 2:, :]), x[..., 1:-1, :])
    return torch.maximum(torch.maximum(x[..., :-2], x[..., 2:]), x[..., 1:-1])
