"""Volumes: numbers on a grid in space, `(c, d, h, w)` in [0, 1], and how those of unlike sizes become alike.

    volume, voxels of some size --window--> [0, 1] --voxels as long on all sides--> --cubes of one size--> samples

Axes of a body: d goes from feet to head, h from front to back, w from the patient's right to left, as in DICOM.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float

from replearn.data.samples import ArraySamples
from replearn.data.stored import StoredRows

SHARE = 0.5  # percent of the voxels at either end that are beyond the window of a volume without units
Spacing = tuple[float, float, float]


class VolumeSamples(ArraySamples):
    """Volumes of one size.

    Args:
        x: uint8, or float32 in [0, 1], `(n, c, d, h, w)`.
        spacing: length of the voxels' sides in mm; None where it is unknown, or not the same for all.
        read: how volumes were read, kept in `details`.
        labels, classes, names, skipped: as in `ArraySamples`.
    """

    def __init__(
        self,
        x: np.ndarray | StoredRows,
        labels: np.ndarray | None = None,
        *,
        spacing: Spacing | None = None,
        read: dict[str, Any] | None = None,
        classes: Sequence[str] = (),
        names: Sequence[str] | None = None,
        skipped: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(x, labels, classes=classes, names=names, skipped=skipped)
        self.kind = "volume"
        self.details = {"spacing": None if spacing is None else list(spacing)} | (read or {})


@dataclass(frozen=True)
class Reading:
    """How volumes of files become samples.

    Attributes:
        size: voxels along each side of a sample.
        spacing: length of a voxel in mm; None: the whole volume is fitted into the cube.
        stride: voxels between the corners of two cubes; None: there is one, from the middle.
        low, high: what becomes 0 and 1; None: of each volume the 0.5th and the 99.5th percentile.
    """

    size: int
    spacing: float | None
    stride: int | None
    low: float | None
    high: float | None

    def samples_of(
        self, x: Float[np.ndarray, "d h w"], voxel: Spacing
    ) -> Iterator[Float[np.ndarray, "1 s s s"]]:
        """The samples of a volume with such voxels, in mm."""
        seen = windowed(x, self.low, self.high)
        lengths = np.array(x.shape) * np.array(voxel)
        side = self.spacing or float(lengths.max()) / self.size
        shape = np.maximum(1, np.round(lengths / side)).astype(int).tolist()
        yield from (cube[None] for cube in self.cubes(resized(seen[None], shape)[0]))

    def cubes(self, x: Float[np.ndarray, "d h w"]) -> Iterator[Float[np.ndarray, "s s s"]]:
        """Cubes of a volume; what is too short is filled up with zeros on both sides."""
        missing = [max(0, self.size - along) for along in x.shape]
        x = np.pad(x, [(lack // 2, lack - lack // 2) for lack in missing])
        for first in np.ndindex(*(len(self.starts(along)) for along in x.shape)):
            corner = [self.starts(along)[place] for along, place in zip(x.shape, first, strict=True)]
            yield x[tuple(slice(start, start + self.size) for start in corner)]

    def starts(self, along: int) -> list[int]:
        """Where cubes begin along a side."""
        spare = along - self.size
        return [spare // 2] if self.stride is None else list(range(0, spare + 1, self.stride))

    @property
    def told(self) -> dict[str, Any]:
        """What a run remembers."""
        return {"stride": self.stride, "low": self.low, "high": self.high, "voxel": self.spacing}


def windowed(
    x: Float[np.ndarray, "..."], low: float | None = None, high: float | None = None
) -> Float[np.ndarray, "..."]:
    """Numbers in [0, 1]: what is at most `low` becomes 0, what is at least `high` 1.

    >>> windowed(np.array([-1000.0, 0.0, 250.0]), 0.0, 500.0).tolist()
    [0.0, 0.0, 0.5]
    """
    if low is None or high is None:
        ends = np.percentile(x, (SHARE, 100 - SHARE))
        low, high = (
            own if given is None else given for given, own in zip((low, high), ends.tolist(), strict=True)
        )
    width = high - low if high > low else 1.0
    found: np.ndarray = np.clip((x.astype(np.float64) - low) / width, 0, 1).astype(np.float32)
    return found


def resized(x: Float[np.ndarray, "c d h w"], shape: Sequence[int]) -> Float[np.ndarray, "c i j k"]:
    """Another number of voxels: means of those that are joined, and values on straight lines between others."""
    fewer = [min(now, then) for now, then in zip(x.shape[1:], shape, strict=True)]
    seen = torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32))[None]
    if fewer != list(seen.shape[2:]):
        seen = F.adaptive_avg_pool3d(seen, tuple(fewer))
    if fewer != list(shape):
        seen = F.interpolate(seen, tuple(shape), mode="trilinear", align_corners=False)
    found: np.ndarray = seen[0].numpy()
    return found
