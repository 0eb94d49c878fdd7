"""`Hidden`: images with a hole, what was there, and how much each pixel counts."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from replearn.data.samples import Batch, Samples
from replearn.views.base import Split, View, images, in_full_precision, normal, uniform
from replearn.views.compose import check_view
from replearn.views.filters import gaussian
from replearn.views.parts import UNCHANGED

BLOCKS = 4  # each of a quarter of the height and width: they hide a quarter of the image at most
LEAST, MOST = 0.2, 0.3  # share of the image that a region hides
PATTERN = 1 / 8  # deviation of the Gaussian that noise is smoothed by, of the shorter side
BORDER, WEIGHT = 7 / 128, 10.0  # of the shorter side; of its pixels, beside 1 of hidden ones
GREY = (0.5,)


@dataclass(frozen=True)
class Hidden(Split):
    """Each image with a hole; the image; and a map of weights, by which what is predicted counts.

        centre: the middle of half the height and width
        blocks: four blocks of a quarter of the height and width, which may overlap
        region: where smoothed noise is highest, 20 to 30 % of the image

    Weights `(n, 1, h, w)` are 1 in the hole, 10 in a border of visible pixels around it, which is predicted too so that
    the parts fit together, and 0 elsewhere.

    Args:
        mask: `centre`, `blocks` or `region`.
        view: of the sample, before a part is hidden.
        fill: what the hole is filled with, one number per channel; None: the mean colour of the images that a method is
            fitted on (grey where there is none).

    References: Pathak et al., CVPR 2016, sections 3.3 and 4. https://arxiv.org/abs/1604.07379

    >>> batch = Batch(torch.ones(1, 1, 8, 8), labels=torch.tensor([0]), index=torch.tensor([0]))
    >>> seen, target, weights = Hidden("centre")(batch)
    >>> (weights.x == 1).sum().item(), (weights.x == 10).sum().item()
    (16, 20)
    """

    mask: str = "region"
    view: View = UNCHANGED
    fill: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        check_view(self.view, "Hidden")
        if self.mask not in HOLES:
            raise ValueError(f"mask of Hidden must be centre, blocks or region; got {self.mask!r}.")

    @in_full_precision
    def __call__(self, batch: Batch) -> tuple[Batch, ...]:
        batch = self.view(batch)
        x = images(batch, self)
        hole = HOLES[self.mask](batch, x.shape[2], x.shape[3])  # (n, 1, h, w)
        fill = x.new_tensor(self.fill or GREY).view(1, -1, 1, 1)
        return batch.with_x(torch.where(hole, fill, x)), batch.with_x(x), batch.with_x(weights_of(hole))

    def fitted(self, samples: Samples) -> "Hidden":
        """With the mean colour of samples, where no fill is given."""
        return self if self.fill else replace(self, fill=tuple(samples.statistics[0].tolist()))


def weights_of(hole: Bool[Tensor, "n 1 h w"]) -> Float[Tensor, "n 1 h w"]:
    """1 in the hole, 10 in the border around it, 0 elsewhere."""
    border = max(1, round(BORDER * min(hole.shape[2:])))
    inside = hole.float()
    near = F.max_pool2d(inside, 2 * border + 1, stride=1, padding=border)
    return inside + WEIGHT * (near - inside)


def centre(batch: Batch, height: int, width: int) -> Bool[Tensor, "n 1 h w"]:
    """The middle of half the height and width."""
    tall, wide = max(1, height // 2), max(1, width // 2)
    top, left = (height - tall) // 2, (width - wide) // 2
    hole = torch.zeros(len(batch), 1, height, width, dtype=torch.bool, device=batch.labels.device)
    hole[:, :, top : top + tall, left : left + wide] = True
    return hole


def blocks(batch: Batch, height: int, width: int) -> Bool[Tensor, "n 1 h w"]:
    """Four blocks anywhere."""
    down, across = (
        _runs(uniform(batch, BLOCKS), length, max(1, length // 4)) for length in (height, width)
    )  # (n, 4, h) and (n, 4, w)
    return (down[:, :, :, None] & across[:, :, None]).any(1, keepdim=True)  # (n, 1, h, w)


def region(batch: Batch, height: int, width: int) -> Bool[Tensor, "n 1 h w"]:
    """Where smoothed noise is highest."""
    noise = normal(batch, 1, height, width)
    sigma = PATTERN * min(height, width)
    reach = min(ceil(3 * sigma), height, width)
    kernel = gaussian(noise.new_full((1,), sigma), reach).view(1, 1, 1, -1)
    noise = F.conv2d(F.pad(noise, (reach,) * 4, mode="circular"), kernel)
    noise = F.conv2d(noise, kernel.mT).flatten(1)  # (n, h·w)
    number = (uniform(batch, 1, low=LEAST, high=MOST) * noise.shape[1]).round().clamp(min=1)
    rank = noise.argsort(1, descending=True).argsort(1)
    return (rank < number).view(-1, 1, height, width)


HOLES: dict[str, Callable[[Batch, int, int], Bool[Tensor, "n 1 h w"]]] = {
    "centre": centre,
    "blocks": blocks,
    "region": region,
}


def _runs(drawn: Float[Tensor, "n k"], length: int, run: int) -> Bool[Tensor, "n k length"]:
    """Which places lie in a run that begins at a drawn share of where it may."""
    first = (drawn * (length - run + 1)).long()[:, :, None]
    at = torch.arange(length, device=drawn.device)
    return (at >= first) & (at < first + run)
