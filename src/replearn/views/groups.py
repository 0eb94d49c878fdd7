"""`Groups`: the channels of an image, or the columns of a table, in two groups that are seen apart."""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from replearn.data.content import as_float
from replearn.data.description import Description
from replearn.data.samples import Batch
from replearn.views.base import View
from replearn.views.compose import check_view
from replearn.views.filters import Sobel, gaussian
from replearn.views.lab import lab
from replearn.views.parts import UNCHANGED, Parts

SMOOTHING = 1.0  # pixels
# Mean and deviation of each channel as they are in photographs (of drawings, edges): a description of samples says
# nothing of these channels, and encoders need no more than their order of magnitude.
LIGHT, COLOURS, EDGES = (0.5, 0.25), (0.5, 0.06), (0.1, 0.2)


@dataclass(frozen=True)
class Groups(Parts):
    """Two groups of channels of each sample.

        three channels:       lightness L; colours ab (CIE Lab, whites D65)
        one channel:          the image, smoothed; its edges
        any other number:     the first half of the channels; the rest
        tables:               the first half of the columns; the rest

    Lab is scaled to [0, 1]: L / 100 and (a + 128) / 255, (b + 128) / 255.

    Args:
        view: of the sample, before its channels are parted.
        other: of the sample for the second group, drawn apart; None: the second group sees what the first sees.

    References: Tian, Krishnan & Isola, ECCV 2020, section 4.1. https://arxiv.org/abs/1906.05849
    """

    view: View = UNCHANGED
    other: View | None = None

    def __post_init__(self) -> None:
        check_view(self.view, "Groups")
        if self.other is not None:
            check_view(self.other, "Groups")

    def __call__(self, batch: Batch) -> tuple[Batch, ...]:
        first, second = self.parts(self.view(batch))
        return first, second if self.other is None else self.parts(self.other(batch))[1]

    def parts(self, batch: Batch) -> tuple[Batch, ...]:
        x = as_float(batch.x)
        if x.ndim == 4 and x.shape[1] == 3:
            x = lab(x)
            return batch.with_x(x[:, :1]), batch.with_x(x[:, 1:])
        if x.ndim == 4 and x.shape[1] == 1:
            return batch.with_x(smoothed(x)), Sobel()(batch)
        half = _half(x.shape[1])
        return batch.with_x(x[:, :half]), batch.with_x(x[:, half:])

    def describe(self, samples: Description) -> tuple[Description, ...]:
        channels, *sides = samples.shape
        mean, std = samples.statistics
        if len(samples.shape) == 3 and channels == 3:
            return _as(samples, (1, *sides), LIGHT), _as(samples, (2, *sides), COLOURS)
        if len(samples.shape) == 3 and channels == 1:
            return samples, _as(samples, samples.shape, EDGES)
        half = _half(channels)
        return (
            replace(samples, shape=(half, *sides), statistics=(mean[:half], std[:half])),
            replace(samples, shape=(channels - half, *sides), statistics=(mean[half:], std[half:])),
        )


def smoothed(x: Float[Tensor, "n 1 h w"]) -> Float[Tensor, "n 1 h w"]:
    """Images of one channel under a Gaussian; beyond the border they are continued by their border pixels."""
    reach = math.ceil(3 * SMOOTHING)
    kernel = gaussian(x.new_full((1,), SMOOTHING), reach).view(1, 1, 1, -1)
    x = F.conv2d(F.pad(x, (reach, reach, reach, reach), mode="replicate"), kernel)
    return F.conv2d(x, kernel.mT).clamp_(0, 1)


def _half(channels: int) -> int:
    """Channels or columns of the first group."""
    if channels < 2:
        raise ValueError(f"Groups needs at least 2 columns to part; got {channels}. Use another method.")
    return channels // 2


def _as(samples: Description, shape: tuple[int, ...], scale: tuple[float, float]) -> Description:
    mean, std = (torch.full((shape[0],), value) for value in scale)
    return replace(samples, shape=shape, statistics=(mean, std))
