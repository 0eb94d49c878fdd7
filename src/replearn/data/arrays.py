"""Arrays and tensors of any common layout become `(n, c, h, w)` images or `(n, d)` tables."""

import logging
from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from replearn.data.levels import DARK, LARGEST, MOST, Levels, dark_in_words, in_words, range_of
from replearn.data.stored import StoredRows, stored_rows

log = logging.getLogger("replearn")

# Numbers that are looked at together when a whole array is checked or resized: keeps temporaries small.
CHUNK = 2**22


def is_array(data: Any) -> bool:
    """Whether `data` is a numpy array or a torch tensor."""
    return isinstance(data, np.ndarray) or hasattr(data, "detach")


def as_numpy(data: Any) -> np.ndarray:
    """A numpy array as it is, a torch tensor as an array."""
    array: np.ndarray = data.detach().cpu().numpy() if hasattr(data, "detach") else data
    return array


def standard_array(data: Any) -> np.ndarray | StoredRows:
    """An array as samples hold it: uint8, uint16 or float32 `(n, c, h, w)`, or float32 `(n, d)`.

    2 axes are a table `(n, d)`, 3 are grey images `(n, h, w)`, 4 are images with channels first or last. Of
    the first and the last axis, the channels are the one that leaves square images; if both do or neither
    does, the shorter; if both are equally long, the first.

    Numbers: uint8 are bytes; booleans become 0 and 255; all others keep their values, and `levels_of` says which of
    them become 0 and 1. Tables take any finite numbers. A memory map of bytes, uint16 or float32 is never read into
    memory.

    Raises:
        ValueError: no samples, another number of axes, objects, NaN or infinity, levels that float32 does not hold.
    """
    array = as_numpy(data)
    if array.dtype.kind not in "buif":
        raise ValueError(
            f"an array must hold numbers; got dtype {array.dtype}. Rows of unequal length make such an "
            f"array: "
            "bring them to one shape, or name what is in it (a folder, a table) by its path."
        )
    if array.ndim not in (2, 3, 4):
        raise ValueError(
            f"an array must be a table (n, d) or images (n, h, w), (n, c, h, w), (n, h, w, c); got shape "
            f"{array.shape}. Name the kind of any other, kind='video' say."
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
    usable = array.dtype == np.float32 or (array.dtype in (np.uint8, np.uint16) and array.ndim == 4)
    return stored_rows(array, axes) if isinstance(array, np.memmap) and usable else None


def _bytes_or_floats(array: np.ndarray) -> np.ndarray:
    """uint8, uint16 and float32 as they are, everything else as the smallest of them that holds its levels."""
    if array.dtype in (np.uint8, np.uint16, np.float32):
        return array
    if array.dtype == bool:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind == "f":
        with np.errstate(over="ignore"):  # becomes infinite, and is reported as such
            return array.astype(np.float32)
    low, high = int(array.min()), int(array.max())
    if not -MOST <= low <= high <= MOST:
        raise ValueError(
            f"levels of images must be numbers that float32 holds, up to {MOST:,}; got {low:,} ... {high:,}. "
            "Scale them to [0, 1] as floats."
        )
    for smallest in (np.uint8, np.uint16):
        if low >= 0 and high <= np.iinfo(smallest).max:
            return array.astype(smallest)
    return array.astype(np.float32)


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


def levels_of(images: np.ndarray | StoredRows, dtype: np.dtype[Any]) -> Levels | None:
    """The range of a whole array that becomes [0, 1], which the log says; None of bytes, and of floats in [0, 1].

    It is the range that files of such numbers get: see `replearn.data.levels`.

    Args:
        images: from `standard_array`.
        dtype: of the numbers that came, before.

    Raises:
        ValueError: floats above 1e18 in size.
    """
    if images.ndim != 4:
        return None
    if dtype in (np.uint8, bool):
        tell_dark(images)
        return None
    bounds = [(float(part.min()), float(part.max())) for _, part in chunks(images)]
    low, high = min(low for low, _ in bounds), max(high for _, high in bounds)
    whole = dtype.kind in "iu"
    if not whole and 0 <= low <= high <= 1:
        return None
    if not -LARGEST <= low <= high <= LARGEST:
        raise ValueError(
            f"levels of images must be at most {LARGEST:g} in size; got {low:.4g} ... {high:.4g}. Scale them to [0, 1]."
        )
    levels = range_of(low, high, whole=whole)
    held = in_words((low, high))
    log.info(
        "images of %s: levels %s, read as float32: %s become 0 ... 1%s",
        *(dtype, held, in_words(levels), dark_in_words(high) if levels == (0, 255) else ""),
    )
    return levels


def tell_dark(images: np.ndarray | StoredRows) -> None:
    """A line of the log if no byte of images is bright; other images are hardly looked at."""
    highest = 0
    for _, part in chunks(images):
        highest = max(highest, int(part.max()))
        if highest >= DARK:
            return
    log.info("images of bytes: levels 0 ... %d%s", highest, dark_in_words(highest))


def chunks(array: np.ndarray | StoredRows) -> Iterator[tuple[int, np.ndarray]]:
    """Consecutive parts of an array with the position of each one's first row."""
    rows = max(1, CHUNK // prod(array.shape[1:]))
    for start in range(0, len(array), rows):
        stop = min(start + rows, len(array))
        yield start, array[np.arange(start, stop)] if isinstance(array, StoredRows) else array[start:stop]


def square_images(images: np.ndarray | StoredRows, size: int) -> np.ndarray | StoredRows:
    """Images `(n, c, h, w)` as squares: shorter side resized (antialiased bicubic), then cut."""
    if images.shape[2:] == (size, size):
        return images
    return np.concatenate([resized(part, (size, size)) for _, part in chunks(images)])


def resized(images: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The largest part of images `(n, c, h, w)` that has this shape's proportions, from the middle, resized to it.

    Antialiased bicubic; numbers keep their type, and levels their range.
    """
    height, width = images.shape[2:]
    scale = min(height / shape[0], width / shape[1])
    high, wide = max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))
    top, left = (height - high) // 2, (width - wide) // 2
    part = images[:, :, top : top + high, left : left + wide]
    x = torch.from_numpy(np.array(part, dtype=np.float32))
    x = functional.interpolate(x, shape, mode="bicubic", antialias=True)
    if images.dtype == np.float32:
        return x.clamp(min(0.0, float(part.min())), max(1.0, float(part.max()))).numpy()  # bicubic overshoots
    result: np.ndarray = x.round().clamp(0, np.iinfo(images.dtype).max).numpy().astype(images.dtype)
    return result
