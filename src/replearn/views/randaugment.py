"""`RandAugment`: some of fourteen operations on each image, drawn apart for each.

rotate, shear and shift across and down          one resampling, before all others
brightness, contrast, colour, sharpness          from dull to exaggerated
posterize, solarize, equalize, auto contrast
identity
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from replearn.data.samples import Batch
from replearn.views.base import View, check_interval, check_whole, images, uniform
from replearn.views.tones import (
    Amount,
    Images,
    blended,
    equalized,
    grey,
    posterized,
    smooth,
    stretched,
)
from replearn.views.warp import affine, radians, sampling_grid

DEGREES, SLANT, FAR, FACTOR, BITS = 30.0, 0.3, 0.3, 0.9, 4.0  # what a magnitude of 1 does

# Where a point is read, of its pixel: entries of a matrix (see `replearn.views.warp`) by operation, of the amount.
PLACES = ("rotate", "shear across", "shear down", "shift across", "shift down")
# Of an amount in [-1, 1] whose sign is drawn; an operation that has no sign takes its size.
TONES: dict[str, Callable[[Images, Amount], Images]] = {
    "brightness": lambda x, by: (x * (1 + FACTOR * by)).clamp_(0, 1),
    "contrast": lambda x, by: blended(x, grey(x).mean((2, 3), keepdim=True), 1 + FACTOR * by),
    "sharpness": lambda x, by: blended(x, smooth(x), 1 + FACTOR * by),
    "posterize": lambda x, by: posterized(x, 8 - BITS * by.abs()),
    "solarize": lambda x, by: torch.where(x >= 1 - by.abs(), 1 - x, x),
    "equalize": lambda x, by: equalized(x),
    "auto contrast": lambda x, by: stretched(x),
    "colour": lambda x, by: blended(x, grey(x), 1 + FACTOR * by),
}


@dataclass(frozen=True)
class RandAugment(View):
    """Operations on each image, drawn from fourteen, each as strong as one magnitude says, in a direction drawn.

    Images of one channel have no colours, so they are changed by one of thirteen. Places are changed first, and are
    resampled once; what lies beyond the border is the nearest pixel of it (the paper: in the order drawn, and grey).

    Args:
        number: of operations on an image; the same one may come again.
        low, high: the magnitude, as a share of the most: turns of 30 degrees, slants and shifts of 0.3 of the side,
            brightness, contrast, colour and sharpness times 0.1 or 1.9, four bits of eight, all inverted. If `low` is
            smaller, it is drawn for each operation of each image, as FixMatch does from 0 to 1.

    References: Cubuk et al., NeurIPS 2020, section 3. https://arxiv.org/abs/1909.13719
        Sohn et al., NeurIPS 2020, appendix D (magnitudes that are drawn). https://arxiv.org/abs/2001.07685
    """

    number: int = 2
    low: float = 0.5
    high: float = 0.5

    def __post_init__(self) -> None:
        check_whole(self, "number", 1)
        check_interval(self, "low", "high", 0.0, 1.0)

    def __call__(self, batch: Batch) -> Batch:
        x = images(batch, self).clone()
        drawn = uniform(batch, 3, self.number)
        names = operations(x.shape[1])
        chosen = (drawn[:, 0] * len(names)).long().clamp(max=len(names) - 1)  # (n, number)
        amount = self.low + (self.high - self.low) * drawn[:, 1]
        by = torch.where(drawn[:, 2] < 0.5, -amount, amount)
        rows = (chosen < len(PLACES)).any(1).nonzero()[:, 0]
        x[rows] = moved(x[rows], chosen[rows], by[rows])
        for turn in range(self.number):
            for which, name in enumerate(names):
                if name not in TONES:
                    continue
                rows = (chosen[:, turn] == which).nonzero()[:, 0]
                x[rows] = TONES[name](x[rows], by[rows, turn].view(-1, 1, 1, 1))
        return batch.with_x(x)


def operations(channels: int) -> tuple[str, ...]:
    """Names of the operations on images of so many channels, those on places first."""
    tones = (name for name in TONES if channels > 1 or name != "colour")
    return *PLACES, *tones, "identity"


def moved(x: Images, chosen: Int[Tensor, "n k"], by: Float[Tensor, "n k"]) -> Images:
    """Images after all their operations on places, resampled once."""
    size = x.shape[2], x.shape[3]
    steps = [(_matrix(chosen[:, turn], by[:, turn], size), size) for turn in range(by.shape[1])]
    grid = sampling_grid(steps, size)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _matrix(
    chosen: Int[Tensor, " n"], by: Float[Tensor, " n"], size: tuple[int, int]
) -> Float[Tensor, "n 3 3"]:
    angle, across, down, right, below = (
        torch.where(chosen == which, by * most, 0.0)
        for which, most in enumerate((DEGREES, SLANT, SLANT, FAR * size[1], FAR * size[0]))
    )
    angle = radians(angle)
    cos, sin = angle.cos(), angle.sin()
    return affine(len(by), xx=cos, xy=across - sin, yx=down + sin, yy=cos, x=right, y=below, device=by.device)
