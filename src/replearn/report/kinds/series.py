"""Series are shown as curves, a channel below the other, each on one scale for all samples that are drawn together."""

from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from replearn.report.kinds.base import Looks, Shown

MOST = 6  # channels that are drawn
THICK = 1.2  # pixels


class SeriesLooks(Looks):
    """Series `(c, t)`."""

    shown: ClassVar[Shown | None] = "picture"

    def cell(self, shape: tuple[int, ...]) -> tuple[int, int]:
        return 1, 48

    def draw(self, x: Any, side: int) -> UInt8[np.ndarray, "n s s c"]:
        """Of up to six channels; of more, some, evenly spread."""
        x = torch.as_tensor(x).float().nan_to_num()  # (n, c, t)
        chosen = torch.linspace(0, x.shape[1] - 1, min(MOST, x.shape[1])).round().long()
        return curves(x[:, chosen], side)


def curves(x: Float[Tensor, "n c t"], side: int) -> UInt8[np.ndarray, "n s s 1"]:
    """Ink where a curve goes: between the lowest and the highest value of each column of pixels, and those beside."""
    low, high = (x.amin((0, 2), keepdim=True), x.amax((0, 2), keepdim=True))
    channels = x.shape[1]
    level = (x - low) / (high - low).clamp_min(1e-12)  # in [0, 1]
    band = side / channels
    top = torch.arange(channels)[:, None] * band
    height = top + (1 - level) * (band - 2) + 0.5  # (n, c, t), in pixels from the top
    places = torch.linspace(0, x.shape[2] - 1, side * 4)
    before = places.floor().long().clamp(max=max(0, x.shape[2] - 2))
    after = (before + 1).clamp(max=x.shape[2] - 1)
    fine = torch.lerp(height[:, :, before], height[:, :, after], places - before)
    fine = fine.view(*fine.shape[:2], side, 4)
    first, last = fine.amin(3)[:, :, None], fine.amax(3)[:, :, None]  # (n, c, 1, s)
    rows = torch.arange(side)[:, None] + 0.5
    distance = torch.maximum(first - rows, rows - last).clamp_min(0)
    ink = (1 - (distance - THICK / 2).clamp(0, 1)).amax(1)  # (n, s, s)
    return (ink * 255).round().to(torch.uint8)[..., None].numpy()
