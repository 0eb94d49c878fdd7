"""`Rotations`: each image in all four ways that it can be turned by right angles."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Int
from torch import Tensor

from replearn.data.description import Description
from replearn.data.samples import Batch
from replearn.views.base import View, images
from replearn.views.compose import check_view
from replearn.views.parts import UNCHANGED, Parts, repeated

TURNS = 4  # quarters


@dataclass(frozen=True)
class Rotations(Parts):
    """Each image as it is and turned by 90, 180 and 270 degrees against the clock, one after the other.

    Its one part has four rows per sample. Pixels change their places and nothing is interpolated, so that no trace of
    a resampling tells the turn. Of images that are not square the middle square is seen.

    Args:
        view: of the sample, before it is turned.

    References: Gidaris, Singh & Komodakis, ICLR 2018, section 2.2. https://arxiv.org/abs/1803.07728

    >>> batch = Batch(torch.arange(4.0).view(1, 1, 2, 2), labels=torch.tensor([0]), index=torch.tensor([0]))
    >>> (turned,) = Rotations().parts(batch)
    >>> turned.x.flatten(1).tolist()
    [[0.0, 1.0, 2.0, 3.0], [1.0, 3.0, 0.0, 2.0], [3.0, 2.0, 1.0, 0.0], [2.0, 0.0, 3.0, 1.0]]
    """

    view: View = UNCHANGED

    def __post_init__(self) -> None:
        check_view(self.view, "Rotations")

    def __call__(self, batch: Batch) -> tuple[Batch, ...]:
        return self.parts(self.view(batch))

    def parts(self, batch: Batch) -> tuple[Batch, ...]:
        x = images(batch, self)
        side = min(x.shape[2:])
        top, left = ((length - side) // 2 for length in x.shape[2:])
        x = x[:, :, top : top + side, left : left + side]
        turned = torch.stack([torch.rot90(x, turn, (2, 3)) for turn in range(TURNS)], dim=1)
        return (repeated(batch, TURNS).with_x(turned.flatten(0, 1)),)  # (n·4, c, s, s)

    def describe(self, samples: Description) -> tuple[Description, ...]:
        side = min(samples.shape[1:])
        return (replace(samples, shape=(samples.shape[0], side, side)),)

    def per_part(self, samples: Description) -> int:
        return TURNS


def quarters(batch: Batch) -> Int[Tensor, " m"]:
    """By how many quarters each row of the part that `Rotations` makes of a batch is turned."""
    return torch.arange(TURNS, device=batch.labels.device).repeat(len(batch))
