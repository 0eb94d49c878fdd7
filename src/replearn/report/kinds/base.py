"""`Looks`: how samples of a kind are shown."""

from typing import Any, ClassVar, Literal

import numpy as np
from jaxtyping import UInt8

from replearn.data import Samples

Shown = Literal["picture", "text"]


class Looks:
    """A kind of samples, as the stage `report` knows it: here one of which nothing is shown but class and name.

    Attributes:
        shown: whether samples are shown by a picture, which `draw` makes, or by a text, which `text` gives.
    """

    shown: ClassVar[Shown | None] = None

    def cell(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Of samples of a shape, the channels of pictures (one, shown as ink, or three) and their longest side."""
        return 3, 48

    def draw(self, x: Any, side: int) -> UInt8[np.ndarray, "n s s c"]:
        """Pictures of `side` by `side` pixels of a batch's content, of as many channels as `cell` says.

        Raises:
            NotImplementedError: nothing is drawn of this kind.
        """
        raise NotImplementedError

    def heard(self, samples: Samples, index: int) -> bytes:
        """A sample as a WAV file, or its beginning; of a sample that is no sound, nothing."""
        return b""

    def cloud(self, samples: Samples, index: int) -> bytes:
        """A sample as points to be turned: x, y (up) and z of each as bytes from -127 to 127; of others, nothing."""
        return b""

    def text(self, samples: Samples, index: int) -> str:
        """The whole text of a sample; of a sample that is no text, nothing."""
        return ""
