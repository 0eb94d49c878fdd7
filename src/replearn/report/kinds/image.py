"""Images are shown as they are; of other numbers of channels than one and three, the first ones."""

from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from replearn.data.content import as_float
from replearn.report.kinds.base import Looks, Shown


class ImageLooks(Looks):
    """Images `(c, h, w)`."""

    shown: ClassVar[Shown | None] = "picture"

    def cell(self, shape: tuple[int, ...]) -> tuple[int, int]:
        return 3 if shape[0] >= 3 else 1, max(shape[1:])

    def draw(self, x: Any, side: int) -> UInt8[np.ndarray, "n s s c"]:
        """A picture that is not square gets margins; small ones grow without smoothing."""
        channels = 3 if x.shape[1] >= 3 else 1
        pictures = fitted(as_float(x[:, :channels]), side)  # (n, c, s, s)
        bytes_ = pictures.nan_to_num(0, 1, 0).clamp(0, 1).mul(255).round().to(torch.uint8)
        return bytes_.permute(0, 2, 3, 1).numpy()  # (n, s, s, c)


def fitted(x: Float[Tensor, "n c h w"], side: int) -> Float[Tensor, "n c s s"]:
    """Resize to fit a square, and centre in it."""
    height, width = x.shape[2:]
    scale = side / max(height, width)
    size = max(1, round(height * scale)), max(1, round(width * scale))
    if size != (height, width):
        smooth = (
            {"mode": "bilinear", "antialias": True, "align_corners": False}
            if scale < 1
            else {"mode": "nearest"}
        )
        x = torch.nn.functional.interpolate(x, size, **smooth)
    top, left = (side - size[0]) // 2, (side - size[1]) // 2
    return torch.nn.functional.pad(x, (left, side - size[1] - left, top, side - size[0] - top))
