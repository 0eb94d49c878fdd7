"""`Windows`: how videos of unlike lengths become clips of one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int


@dataclass(frozen=True)
class Windows:
    """Clips of `length` frames of a video, one in every `step` frames of it.

    A video that has less is left out: what would be made up, repeated frames say, tells which way time runs.

    Attributes:
        length: frames of a clip.
        step: frames of the video from one frame of a clip to the next.
        stride: frames of the video between the beginnings of two clips; None: there is one, from the middle.

    >>> Windows(4, 2, None).starts(9), Windows(4, 1, 3).starts(9), Windows(4, 1, None).starts(3)
    ([1], [0, 3], [])
    """

    length: int
    step: int = 1
    stride: int | None = None

    @property
    def span(self) -> int:
        """Frames of a video from a clip's first to its last."""
        return (self.length - 1) * self.step + 1

    def starts(self, frames: int) -> list[int]:
        """Where the clips of a video begin; none, if it is too short."""
        spare = frames - self.span
        if spare < 0:
            return []
        return [spare // 2] if self.stride is None else list(range(0, spare + 1, self.stride))

    def cut(self, lengths: Sequence[int]) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
        """Where clips begin among the frames of all videos, one after another; and the video that each is of."""
        first = np.cumsum([0, *lengths])
        found = [self.starts(frames) for frames in lengths]
        of = np.repeat(np.arange(len(lengths)), [len(starts) for starts in found])
        starts = np.array([start for each in found for start in each], dtype=np.int64)
        return first[of] + starts, of.astype(np.int64)

    def told(self, lengths: Sequence[int]) -> list[str]:
        """Lines on what is in no clip."""
        n, short = len(lengths), sum(frames < self.span for frames in lengths)
        long = [frames for frames in lengths if frames > self.span]
        lines = []
        if short:
            lines.append(
                f"{short:,} of {n:,} videos have less than the {self.span} frames of a clip and are left out"
            )
        if self.stride is not None:
            clips = sum(len(self.starts(frames)) for frames in lengths)
            lines.append(
                f"{n - short:,} videos are cut into {clips:,} clips of {self.length} frames, one every {self.stride} "
                "frames"
            )
        elif long:
            rest = sum(frames - self.span for frames in long)
            lines.append(
                f"{len(long):,} of {n:,} videos are cut to the {self.span} frames in their middle ({rest:,} frames are "
                "left out)"
            )
        return lines
