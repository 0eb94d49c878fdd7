"""Series: what sensors told over time, `(c, t)`: arrays, a CSV file for each recording, a long table."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from replearn.data.array_files import read_arrays
from replearn.data.asked import Asked, Found
from replearn.data.kinds.base import ROWS, Kind
from replearn.data.kinds.files import holds_only, told_left_out
from replearn.data.records import is_record_file
from replearn.data.samples import Samples
from replearn.data.series import SeriesSamples, one_length, recordings_of, whole
from replearn.data.series_files import folder_of_recordings, is_recording, table_of_recordings
from replearn.data.sources import find_source
from replearn.data.stored import stored_rows
from replearn.data.table_files import read_table

BANDS = 8


@dataclass(frozen=True)
class Series(Kind):
    """Series `(c, t)` of floats, in units of their own.

    Args:
        length: rows of a series; None: those of the recordings, or their median, if they are of unlike lengths.
        stride: rows between the beginnings of two windows of a recording; None: there is one, from its middle.
        id, time: columns of a long table by which rows belong to a recording, and follow each other.
    """

    plural: ClassVar[str] = "series"
    offers: ClassVar[frozenset[str]] = frozenset({ROWS})
    cuts: ClassVar[bool] = True

    length: int | None = field(default=None, metadata={"least": 2})
    stride: int | None = field(default=None, metadata={"least": 1})
    id: str = "id"
    time: str = "time"

    def claims(self, data: Any) -> bool:
        """Folders and zips of CSV files without images, texts and sounds; all else is asked for by `kind="series"`."""
        return isinstance(data, str | Path) and holds_only(Path(data).expanduser(), is_recording)

    def read(self, data: Any, asked: Asked) -> Found:
        if hasattr(data, "columns") and hasattr(data, "to_numpy"):
            return table_of_recordings(data, self, asked, origin="the frame")
        if not isinstance(data, str | Path):
            return self._of_arrays(data, asked, None)
        path = Path(data).expanduser()
        if (arrays := read_arrays(path)) is not None:
            return self._of_arrays(arrays[0], asked, arrays[1])
        if path.exists() and is_record_file(path):
            frame = read_table(path, texts=[self.id], labels=asked.table.labels, strict=asked.strict)
            return table_of_recordings(frame, self, asked, origin=str(path))
        source = find_source(path, is_recording)
        if source is None or not source.names:
            raise ValueError(
                f"series must be an array, .npy, .npz, a folder or zip of CSV files (one per recording) or a long "
                f"table; got {str(path)!r}."
            )
        return folder_of_recordings(told_left_out(source, "recordings"), self, asked)

    def _of_arrays(self, data: Any, asked: Asked, own: Any) -> Found:
        found = recordings_of(data)
        given = own if asked.labels is None else asked.labels
        if isinstance(found, np.ndarray) and self._as_is(found) and whole(found):
            rows = stored_rows(found) if isinstance(found, np.memmap) else None
            return SeriesSamples(rows or np.ascontiguousarray(found)), given, None
        x, of = one_length(
            list(found), length=self.length, stride=self.stride, origin="the recordings", strict=asked.strict
        )
        samples = SeriesSamples(x, stride=self.stride)
        if len(of) == len(found) or self.stride is None:
            return samples, given, None
        samples.names = [f"recording {number}" for number in of]
        if hasattr(given, "__len__") and not isinstance(given, str) and len(given) == len(found):
            given = [given[number] for number in of]
        samples.groups = np.array([str(number) for number in of])
        return samples, given, None

    def _as_is(self, array: np.ndarray) -> bool:
        """Whether recordings in an array are the series that are asked for."""
        return self.stride is None and self.length in (None, array.shape[2])

    def options_like(self, expected: Any) -> dict[str, Any]:
        """Windows of the same length, one every so many rows as before; of a table by the same columns."""
        if len(expected.shape) != 2:  # a damaged run
            return {}
        told = getattr(expected, "details", {})
        columns = {name: str(told.get(name, getattr(self, name))) for name in ("id", "time")}
        return {"kind": Series(length=expected.shape[1], stride=told.get("stride"), **columns)}

    def features(self, samples: Samples) -> Float[np.ndarray, "n d"]:
        """Of each channel mean, deviation, and how its spectrum is spread over eight bands (see `spectrum`)."""
        parts = [_described(samples[part].x.numpy()) for part in samples.parts()]
        return np.concatenate(parts)


def _described(x: Float[np.ndarray, "n c t"]) -> Float[np.ndarray, "n d"]:
    mean, deviation = x.mean(2), x.std(2)
    return np.concatenate([mean, deviation, spectrum(x).reshape(len(x), -1)], axis=1).astype(np.float32)


def spectrum(x: Float[np.ndarray, "n c t"]) -> Float[np.ndarray, "n c k"]:
    """The amplitude of each channel in eight bands, each twice as wide as the one before: of a series of t rows, 1 to
    2 cycles in the whole, 2 to 4, and so on, as far as there are.
    """
    power = np.abs(np.fft.rfft(x - x.mean(2, keepdims=True), axis=2)[:, :, 1:]) / x.shape[2]  # (n, c, f)
    edges = [2**band - 1 for band in range(BANDS) if 2**band - 1 < power.shape[2]]
    return np.sqrt(np.add.reduceat(power**2, edges, axis=2))  # type: ignore[no-any-return]
