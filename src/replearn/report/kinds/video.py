"""Clips are shown as four of their frames, the first at the top left and the last at the bottom right; one as it is."""

from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import UInt8

from replearn.data.content import as_float
from replearn.report.kinds.base import Looks, Shown
from replearn.report.kinds.image import fitted

SHOWN = 2  # frames along each side of a picture
GAP = 1  # pixels between them
GROUND = 1.0


class VideoLooks(Looks):
    """Clips `(c, t, h, w)`."""

    shown: ClassVar[Shown | None] = "picture"

    def cell(self, shape: tuple[int, ...]) -> tuple[int, int]:
        return 3, 48

    def draw(self, x: Any, side: int) -> UInt8[np.ndarray, "n s s 3"]:
        """Of up to four frames evenly spread; fewer leave places white."""
        x = as_float(torch.as_tensor(x)).nan_to_num(0, 1, 0).clamp(0, 1)  # (n, c, t, h, w)
        x = x[:, :3] if x.shape[1] >= 3 else x[:, :1].expand(-1, 3, -1, -1, -1)
        if x.shape[2] == 1:
            return _bytes(fitted(x[:, :, 0], side))
        chosen = torch.linspace(0, x.shape[2] - 1, min(SHOWN**2, x.shape[2])).round().long()
        small = (side - GAP) // SHOWN
        picture = x.new_full((len(x), 3, side, side), GROUND)
        for place, frame in enumerate(chosen.tolist()):
            top, left = (number * (small + GAP) for number in divmod(place, SHOWN))
            picture[:, :, top : top + small, left : left + small] = fitted(x[:, :, frame], small)
        return _bytes(picture)


def _bytes(x: torch.Tensor) -> UInt8[np.ndarray, "n s s 3"]:
    return x.mul(255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
