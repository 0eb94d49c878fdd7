"""Rows of an array file, read on demand, so memory stays flat however long the file.

Reading is by `pread`, not through a memory map: pages of a map count as the process's own memory once
touched, up to 2 MB for each row where the file system keeps large folios (10^6 images of 28 x 28: 750 MB
after a few batches), and giving them back after each batch is slower than reading.
"""

import mmap
import os
import weakref
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int, Shaped


class StoredRows:
    """An array on disk whose rows are fetched by position: `rows[index] -> (k, ...)`, a new array in memory.

    Args:
        path: the file.
        offset: bytes before the first row.
        shape, dtype: of the array in the file, rows first and C order.
        axes: how to transpose the fetched rows (channels to the front), None for as they are.
    """

    def __init__(
        self,
        path: Path,
        *,
        offset: int,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        axes: tuple[int, ...] | None = None,
    ) -> None:
        self.path = path
        self.offset = offset
        self.stored_shape = shape
        self.dtype = dtype
        self.axes = axes
        self.shape = shape if axes is None else tuple(shape[axis] for axis in axes)
        self.ndim = len(shape)
        # Held open, so the rows stay readable if the file is replaced or deleted.
        self._file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self._close = weakref.finalize(self, os.close, self._file)

    def __len__(self) -> int:
        return self.shape[0]

    def __reduce__(self) -> tuple[Any, ...]:
        path = self.path.absolute()  # another process may be in another folder
        return _reopen, (path, self.offset, self.stored_shape, self.dtype, self.axes)

    def __getitem__(self, index: Int[np.ndarray, " k"]) -> Shaped[np.ndarray, "k ..."]:
        index = np.asarray(index, dtype=np.int64)
        if len(index) and not (-len(self) <= index.min() and index.max() < len(self)):
            raise IndexError(
                f"positions must lie in 0 ... {len(self) - 1}; got {index.min()} ... {index.max()}."
            )
        index = np.where(index < 0, index + len(self), index)
        rows = np.empty((len(index), *self.stored_shape[1:]), dtype=self.dtype)
        size = prod(self.stored_shape[1:]) * self.dtype.itemsize
        self._fill(rows.reshape(-1).view(np.uint8).reshape(len(index), size), index)
        return rows if self.axes is None else np.ascontiguousarray(rows.transpose(self.axes))

    def _fill(self, rows: np.ndarray, index: np.ndarray) -> None:
        """Read the rows at `index` into `rows`, bytes `(k, size of a row)`; neighbours in one read."""
        size = rows.shape[1]
        starts = (
            np.concatenate([[0], np.flatnonzero(np.diff(index) != 1) + 1])
            if len(index)
            else np.empty(0, np.int64)
        )
        ends = np.append(starts[1:], len(index))
        places = index[starts] * size + self.offset
        if len(starts) == len(index):
            self._read_rows(rows, places)
            return
        for start, end, place in zip(starts.tolist(), ends.tolist(), places.tolist(), strict=True):
            self._read(rows[start:end].reshape(-1), place)

    def _read_rows(self, rows: np.ndarray, places: np.ndarray) -> None:
        """One row at each place; a tight loop, since this is what a shuffled batch takes (1 us a row)."""
        file, read, size = self._file, os.preadv, rows.shape[1]
        for row, place in zip(list(rows), places.tolist(), strict=True):
            if read(file, (row,), place) != size:
                self._read(row, place)

    def _read(self, part: np.ndarray, place: int) -> None:
        """Fill `part` from `place` on, however few bytes one call brings."""
        done = 0
        while done < len(part):
            count = os.preadv(self._file, (part[done:].data,), place + done)
            if count == 0:
                raise ValueError(
                    f"{self.path} must hold {len(self):,} rows; it ends early. Was it changed or cut short?"
                )
            done += count


def _reopen(
    path: Path, offset: int, shape: tuple[int, ...], dtype: np.dtype[Any], axes: tuple[int, ...] | None
) -> StoredRows:
    return StoredRows(path, offset=offset, shape=shape, dtype=dtype, axes=axes)


def open_rows(path: Path) -> StoredRows:
    """The rows of an `.npy` file."""
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    return StoredRows(path, offset=array.offset, shape=array.shape, dtype=array.dtype)


def stored_rows(array: np.memmap, axes: tuple[int, ...] | None = None) -> StoredRows | None:
    """The same rows as a map, or None where only the map has them (copy-on-write, strided rows)."""
    if (
        array.filename is None
        or array.mode == "c"
        or not array.flags.c_contiguous
        or not hasattr(os, "preadv")
    ):
        return None
    base: Any = array
    while not isinstance(base, mmap.mmap):
        base = base.base
        if base is None:
            return None
    if array.mode != "r":
        array.flush()
    # A slice of a map keeps the first map's `offset`, so its true place is taken from its address.
    map_start = array.offset - array.offset % mmap.ALLOCATIONGRANULARITY
    place = array.ctypes.data - np.frombuffer(base, dtype=np.uint8).ctypes.data
    if place < 0 or map_start + place + prod(array.shape) * array.itemsize > os.path.getsize(array.filename):
        return None
    return StoredRows(
        Path(array.filename), offset=map_start + place, shape=array.shape, dtype=array.dtype, axes=axes
    )
