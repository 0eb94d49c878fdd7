"""`GreyOf`: images without their colours, and the colours."""

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F

from replearn.data.description import Description
from replearn.data.samples import Batch
from replearn.views.base import View, images
from replearn.views.compose import check_view
from replearn.views.lab import grey, lab
from replearn.views.parts import UNCHANGED, Parts

CHANNELS = 3
COLOURS = (0.5, 0.06)  # about the mean and deviation of a and b in photographs, as `lab` scales them


@dataclass(frozen=True)
class GreyOf(Parts):
    """Each image in grey, and its colours.

        grey: of equal lightness, in three equal channels, so that what reads colours reads it too
        colours: a and b of CIE Lab, as `replearn.views.lab.lab` scales them, averaged to a quarter of the size

    Args:
        view: of the sample, before its colours are parted from it.

    References: Zhang, Isola & Efros, ECCV 2016, section 2. https://arxiv.org/abs/1603.08511

    >>> batch = Batch(torch.ones(1, 3, 8, 8), labels=torch.tensor([0]), index=torch.tensor([0]))
    >>> [tuple(part.x.shape) for part in GreyOf().parts(batch)]
    [(1, 3, 8, 8), (1, 2, 2, 2)]
    """

    view: View = UNCHANGED

    def __post_init__(self) -> None:
        check_view(self.view, "GreyOf")

    def __call__(self, batch: Batch) -> tuple[Batch, ...]:
        return self.parts(self.view(batch))

    def parts(self, batch: Batch) -> tuple[Batch, ...]:
        x = images(batch, self)
        _check_colour(x.shape[1])
        colours = F.interpolate(
            lab(x)[:, 1:], quarter(x.shape[2], x.shape[3]), mode="area"
        )  # (n, 2, h/4, w/4)
        return batch.with_x(grey(x)), batch.with_x(colours)

    def describe(self, samples: Description) -> tuple[Description, ...]:
        channels, *sides = samples.shape
        _check_colour(channels)
        mean, std = (torch.full((2,), value) for value in COLOURS)
        return samples, replace(samples, shape=(2, *quarter(*sides)), statistics=(mean, std))


def quarter(height: int, width: int) -> tuple[int, int]:
    """A quarter of a size, rounded up."""
    return -(-height // 4), -(-width // 4)


def _check_colour(channels: int) -> None:
    if channels != CHANNELS:
        raise ValueError(
            f"colours are predicted of images of three channels; got {channels}. "
            "Give colour images, or learn from these with ContextEncoder or Rotation."
        )
