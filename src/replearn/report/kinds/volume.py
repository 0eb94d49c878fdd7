"""Volumes are shown by three slices through their middle, and by a projection."""

from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import UInt8

from replearn.data.content import as_float
from replearn.report.kinds.base import Looks, Shown
from replearn.report.kinds.image import fitted


class VolumeLooks(Looks):
    """Volumes `(c, d, h, w)`, of which the first channel is shown."""

    shown: ClassVar[Shown | None] = "picture"

    def cell(self, shape: tuple[int, ...]) -> tuple[int, int]:
        return 1, 48

    def draw(self, x: Any, side: int) -> UInt8[np.ndarray, "n s s 1"]:
        """Four pictures in one: the slices across d and, beside it, across h; below across w, and the largest along h.

        The end of d is at the top: the head, if d goes from the feet to the head.
        """
        x = as_float(torch.as_tensor(x))[:, :1].nan_to_num().clamp(0, 1)  # (n, 1, d, h, w)
        middle = [along // 2 for along in x.shape[2:]]
        parts = (
            x[:, :, middle[0]],
            x[:, :, :, middle[1]].flip(2),
            x[:, :, :, :, middle[2]].flip(2),
            x.amax(3).flip(2),
        )
        half = side // 2
        above, front, aside, through = (fitted(part, half) for part in parts)  # (n, 1, s/2, s/2)
        whole = torch.cat([torch.cat([above, front], 3), torch.cat([aside, through], 3)], 2)
        whole = torch.nn.functional.pad(whole, (0, side - 2 * half, 0, side - 2 * half))
        return whole.mul(255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
