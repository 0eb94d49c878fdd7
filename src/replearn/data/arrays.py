"""Arrays and tensors of any common layout become `(n, c, h, w)` images or `(n, d)` tables."""

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from replearn.data.stored import StoredRows, stored_rows

# Numbers that are looked at together when a whole array is checked or resized: keeps temporaries small.
CHUNK = 2**22


def is_array(data: Any) -> bool:
    """Whether `data` is a numpy array or a torch tensor."""
    return isinstance(data, np.ndarray) or hasattr(data, "detach")


def standard_array(data: Any) -> np.ndarray | StoredRows:
    """An array as samples hold it: uint8 or float32 `(n, c, h, w)`, or float32 `(n, d)`.

    2 axes are a table `(n, d)`, 3 are grey images `(n, h, w)`, 4 are images with channels first or last. Of
    the first and the last axis, the channels are the one that leaves square images; if both do or neither
    does, the shorter; if both are equally long, the first.

    Numbers: uint8 are bytes in [0, 255]; wider integers must lie there too; booleans become 0 and 255; uint16
    becomes float in [0, 1]; floats must lie in [0, 1]. Tables take any finite numbers. A memory map of bytes
    or of float32 is never read into memory.

    Raises:
        ValueError: no samples, another number of axes, objects, NaN or infinity, images out of range.
    """
    array = data.detach().cpu().numpy() if hasattr(data, "detach") else data
    if array.dtype.kind not in "buif":
        raise ValueError(
            f"an array must hold numbers; got dtype {array.dtype}. Rows of unequal length make such an "
            f"array: "
            "bring them to one shape, or name what is in it (a folder, a table) by its path."
        )
    if array.ndim not in (2, 3, 4):
        raise ValueError(
            f"an array must be a table (n, d) or images (n, h, w), (n, c, h, w), (n, h, w, c); got shape "
            f"{array.shape}."
        )
    if 0 in array.shape:
        raise ValueError(
            f"an array must hold at least one sample with at least one value; got shape {array.shape}."
        )
    return _table(array) if array.ndim == 2 else _images(array)


def _table(array: np.ndarray) -> np.ndarray | StoredRows:
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is reported as such
        table = _stored(array) or array.astype(np.float32, copy=False)
    check_finite(table, "row")
    return table


def _images(array: np.ndarray) -> np.ndarray | StoredRows:
    array = array if array.ndim == 4 else _with_channel(array)  # (n, 1, h, w)
    axes = (0, 3, 1, 2) if channels_are_last(array.shape) else (0, 1, 2, 3)
    images = _stored(array, axes) or np.ascontiguousarray(
        _bytes_or_floats(array).transpose(axes)
    )  # (n, c, h, w)
    if images.dtype == np.float32:
        check_finite(images, "image")
        _check_unit(images)
    return images


def channels_are_last(shape: tuple[int, ...]) -> bool:
    """Whether images are `(n, h, w, c)` rather than `(n, c, h, w)`, by the rule of `standard_array`.

    >>> channels_are_last((8, 32, 32, 3)), channels_are_last((8, 3, 32, 48)), channels_are_last((8, 3, 3, 3))
    (True, False, False)
    """
    a, b, c = shape[1:]
    first_leaves_square, last_leaves_square = b == c, a == b
    return last_leaves_square if first_leaves_square != last_leaves_square else c < a


def _with_channel(array: np.ndarray) -> np.ndarray:
    if array.shape[-1] in (3, 4) and array.shape[1] > 4:
        raise ValueError(
            f"an array of 3 axes is grey images (n, h, w); got shape {array.shape}, which looks like one "
            f"colour image. "
            "Pass image[None] for one image."
        )
    return array[:, None]


def _stored(array: np.ndarray, axes: tuple[int, ...] | None = None) -> StoredRows | None:
    """A memory map that can be used as it lies in its file; None for any other array."""
    usable = array.dtype == np.float32 or (array.dtype == np.uint8 and array.ndim == 4)
    return stored_rows(array, axes) if isinstance(array, np.memmap) and usable else None


def _bytes_or_floats(array: np.ndarray) -> np.ndarray:
    """uint8 and float32 as they are, everything else as the nearer of the two."""
    if array.dtype in (np.uint8, np.float32):
        return array
    if array.dtype == bool:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype == np.uint16:
        return array.astype(np.float32) / np.float32(65535)
    if array.dtype.kind == "f":
        return array.astype(np.float32)
    low, high = array.min(), array.max()
    if low < 0 or high > 255:
        raise ValueError(
            f"integer images must lie in 0 ... 255; got {low} ... {high}. Scale them to [0, 1] as floats, "
            "or pass 16-bit images as uint16."
        )
    return array.astype(np.uint8)


def check_finite(array: np.ndarray | StoredRows, noun: str) -> None:
    """Raise ValueError, saying how many rows are affected, if any value is NaN or infinite."""
    bad = [start + np.flatnonzero(~_finite_rows(part)) for start, part in chunks(array)]
    rows = np.concatenate(bad)
    if len(rows):
        raise ValueError(
            f"values must be finite; got NaN or infinity in {len(rows):,} of {len(array):,} {noun}s (first: "
            f"{noun} "
            f"{rows[0]}). Drop these {noun}s, or fill the gaps, e.g. with sklearn.impute.SimpleImputer."
        )


def _finite_rows(part: np.ndarray) -> np.ndarray:
    return np.asarray(np.isfinite(part).reshape(len(part), -1).all(axis=1))


def _check_unit(images: np.ndarray | StoredRows) -> None:
    bounds = [(part.min(), part.max()) for _, part in chunks(images)]
    low, high = min(low for low, _ in bounds), max(high for _, high in bounds)
    if low < 0 or high > 1:
        raise ValueError(
            f"float images must lie in [0, 1]; got {low:.4g} ... {high:.4g}. Divide by 255, undo a "
            f"normalisation "
            "(x * std + mean), or pass uint8."
        )


def chunks(array: np.ndarray | StoredRows) -> Iterator[tuple[int, np.ndarray]]:
    """Consecutive parts of an array with the position of each one's first row."""
    rows = max(1, CHUNK // prod(array.shape[1:]))
    for start in range(0, len(array), rows):
        stop = min(start + rows, len(array))
        yield start, array[np.arange(start, stop)] if isinstance(array, StoredRows) else array[start:stop]


def square_images(images: np.ndarray | StoredRows, size: int) -> np.ndarray | StoredRows:
    """Images `(n, c, h, w)` as squares: shorter side resized (antialiased bicubic), then cut."""
    height, width = images.shape[2:]
    if height == width == size:
        return images
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    squares = (
        part[:, :, top : top + side, left : left + side] for _, part in chunks(images)
    )  # (k, c, side, side)
    return np.concatenate([_resize(part, size) for part in squares])


def _resize(images: np.ndarray, size: int) -> np.ndarray:
    x = torch.from_numpy(np.array(images, dtype=np.float32))
    resized = functional.interpolate(x, (size, size), mode="bicubic", antialias=True)
    if images.dtype == np.uint8:
        return resized.round().clamp(0, 255).to(torch.uint8).numpy()
    return resized.clamp(0, 1).numpy()
