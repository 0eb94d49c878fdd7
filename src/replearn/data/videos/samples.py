"""Samples that are clips: k frames of a video, fetched from where all frames of all videos lie one after another.

    video 1, video 2, ... --frames one after another--> (m, c, h, w) --start + step · (0 ... k-1)--> clip (c, k, h, w)

Clips that overlap share their frames, so a long video takes no more room however it is cut.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Int

from replearn.data.labels import UNLABELLED
from replearn.data.samples import Batch, Samples
from replearn.data.stored import StoredRows
from replearn.data.videos.windows import Windows


class VideoSamples(Samples):
    """Clips `(c, k, h, w)`: uint8, or float in [0, 1].

    Args:
        frames: uint8 or float32 `(m, c, h, w)`, in memory or on disk.
        starts: where each clip begins among the frames, `(n,)`.
        windows: how clips were cut, of which `length` and `step` say where a clip's frames lie.
        rate: frames of the videos in a second; None where nobody knows.
        labels: int64 `(n,)`, -1 where unknown, or None.
        classes: name of each label.
        names: a name per clip.
        skipped: name and reason of each video that was left out.
        groups: the video that each clip is of, or what else is kept together.
    """

    kind = "video"

    def __init__(
        self,
        frames: np.ndarray | StoredRows,
        starts: Int[np.ndarray, " n"],
        windows: Windows,
        *,
        rate: float | None = None,
        labels: np.ndarray | None = None,
        classes: Sequence[str] = (),
        names: Sequence[str] | None = None,
        skipped: Sequence[tuple[str, str]] = (),
        groups: np.ndarray | None = None,
    ) -> None:
        self.frames = frames
        self.starts = starts
        self.places = windows.step * np.arange(windows.length)
        channels, height, width = frames.shape[1:]
        self.shape = (channels, windows.length, height, width)
        self.labels = labels
        self.classes = tuple(classes)
        self.names = names
        self.skipped = skipped
        self.groups = groups
        self.details = {"rate": rate, "step": windows.step, "stride": windows.stride}

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: np.ndarray) -> Batch:
        rows = self.starts[index][:, None] + self.places  # (n, k)
        seen = np.asarray(self.frames[rows.ravel()])
        x = seen.reshape(*rows.shape, *seen.shape[1:]).swapaxes(1, 2)  # (n, c, k, h, w)
        labels = np.full(len(index), UNLABELLED) if self.labels is None else self.labels[index]
        return Batch(
            x=torch.from_numpy(np.ascontiguousarray(x)),
            labels=torch.from_numpy(labels.astype(np.int64)),
            index=torch.from_numpy(np.asarray(index, dtype=np.int64)),
        )
