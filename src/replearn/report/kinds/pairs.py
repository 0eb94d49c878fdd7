"""Pairs are shown by their picture, if a member is one; the name of a sample is its text, where it has no other."""

from typing import Any, ClassVar

import numpy as np
from jaxtyping import UInt8
from torch import Tensor

from replearn.report.kinds.base import Shown
from replearn.report.kinds.image import ImageLooks

WHITE = 255


class PairLooks(ImageLooks):
    """Samples with members."""

    shown: ClassVar[Shown | None] = "picture"

    def cell(self, shape: tuple[int, ...]) -> tuple[int, int]:
        return 3, 48

    def draw(self, x: Any, side: int) -> UInt8[np.ndarray, "n s s c"]:
        """The first member that is images; where none is, nothing is drawn."""
        images = [one for one in x.members.values() if isinstance(one, Tensor) and one.ndim == 4]
        if not images:
            return np.full((len(x), side, side, 3), WHITE, dtype=np.uint8)
        pictures = super().draw(images[0], side)
        return pictures.repeat(3, axis=3) if pictures.shape[3] == 1 else pictures
