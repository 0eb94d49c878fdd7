"""Samples that come one by one (lists, torch Datasets) are put into one array, once."""

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from replearn.data.arrays import is_array, levels_of, square_images, standard_array
from replearn.data.cache import ArrayWriter, cache_folder, writable
from replearn.data.decode import square, standard_mode, to_bytes
from replearn.data.image_files import DEEP_MODES, GREY_MODES
from replearn.data.samples import ArraySamples
from replearn.data.stored import StoredRows, open_rows

# Items looked at together, and the size from which they are put on disk.
PART = 256
LARGEST_IN_MEMORY = 2**30


def item_samples(items: Any, *, image_size: int | None) -> tuple[ArraySamples, list[Any] | None]:
    """The samples in a list or map-style Dataset, and their labels if its items are `(sample, label)`.

    Each item is read once. More than 1 GiB goes to an unnamed file in the cache folder, which is gone when
    the process is.

    Raises:
        ValueError: no items, items that are no images or numbers, or of several shapes.
    """
    if len(items) == 0:
        raise ValueError("data must hold at least one sample; got none.")
    pairs = not isinstance(items, list)
    first, _ = _content(items[0], pairs=pairs)
    grey, depth = _mode(first) in (None, *GREY_MODES), DEEP_MODES.get(_mode(first) or "")
    dtype = np.dtype(np.uint8) if _mode(first) and not depth else _numbers(first)
    labels: list[Any] = []

    def part(start: int) -> np.ndarray:
        arrays: list[np.ndarray] = []
        for place in range(start, min(start + PART, len(items))):
            sample, label = _content(items[place], pairs=pairs)
            if DEEP_MODES.get(_mode(sample) or "") != depth:
                raise ValueError(
                    f"images must all have one depth; image {place} is {_mode(sample)}, image 0 {_mode(first)}. "
                    "Convert them."
                )
            arrays.append(_array(sample, place, grey=grey, image_size=image_size))
            if depth is None and _mode(sample) is None and arrays[-1].ndim > 1:
                _check_alike(place, arrays[-1].dtype, dtype)
            labels.append(label.item() if hasattr(label, "item") else label)
            if arrays[-1].shape != arrays[0].shape:
                raise ValueError(_ragged(place, arrays[-1].shape, arrays[0].shape))
        if _mode(first) is not None and depth is None:
            return np.stack(arrays)
        return _in_memory(np.stack(arrays), image_size)

    x = _collect(part, len(items))
    return ArraySamples(x, levels=levels_of(x, dtype)), None if all(
        label is None for label in labels
    ) else labels


def _in_memory(stack: np.ndarray, image_size: int | None) -> np.ndarray:
    x = standard_array(stack)
    if stack.dtype not in (np.uint8, np.uint16, bool):
        x = np.asarray(x).astype(np.float32, copy=False)  # later parts may hold more than this one
    return np.asarray(x if image_size is None or x.ndim == 2 else square_images(x, image_size))


def _numbers(sample: Any) -> np.dtype[Any]:
    """The type of a sample's numbers."""
    return np.asarray(sample.detach().cpu() if hasattr(sample, "detach") else sample).dtype


def _check_alike(place: int, dtype: np.dtype[Any], expected: np.dtype[Any]) -> None:
    """Raises ValueError where images of bytes, whole numbers and floats, which have unlike ranges, are mixed."""
    kinds = [
        "uint8"
        if one == np.uint8
        else "ints"
        if one.kind in "iu"
        else "floats"
        if one.kind == "f"
        else str(one)
        for one in (dtype, expected)
    ]
    if kinds[0] != kinds[1]:
        raise ValueError(
            f"images must all have one type; image {place} holds {dtype}, image 0 {expected}. Convert them."
        )


def _collect(part: Callable[[int], np.ndarray], n: int) -> np.ndarray | StoredRows:
    first = part(0)
    parts = (_same_shape(part(start), first, start) for start in range(PART, n, PART))
    if first.nbytes / len(first) * n <= LARGEST_IN_MEMORY:
        return np.concatenate([first, *parts])
    with writable(cache_folder()):
        cache_folder().mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix="items-", suffix=".npy", dir=cache_folder())
        os.close(handle)
        try:
            with ArrayWriter(Path(name), most=n, shape=first.shape[1:], dtype=first.dtype) as writer:
                writer.append(first)
                for more in parts:
                    writer.append(more)
            return open_rows(Path(name))
        finally:
            os.unlink(name)  # the rows stay readable through the open file


def _same_shape(part: np.ndarray, first: np.ndarray, start: int) -> np.ndarray:
    if part.shape[1:] != first.shape[1:]:
        raise ValueError(_ragged(start, part.shape[1:], first.shape[1:]))
    return part


def _ragged(place: int, shape: Sequence[int], expected: Sequence[int]) -> str:
    return (
        f"all samples must have one shape; sample {place} has {tuple(shape)}, sample 0 {tuple(expected)}. "
        f"Resize images in "
        "the data set's transform, or pass PIL images with image_size=."
    )


def _content(item: Any, *, pairs: bool) -> tuple[Any, Any]:
    """An item's sample and label: the first two of a tuple; a list's items are samples."""
    if pairs and isinstance(item, tuple | list) and len(item):
        return item[0], item[1] if len(item) > 1 else None
    return item, None


def _mode(sample: Any) -> str | None:
    """The mode of a PIL image, None for anything else."""
    return getattr(sample, "mode", None) if hasattr(sample, "getbands") else None


def _array(sample: Any, place: int, *, grey: bool, image_size: int | None) -> np.ndarray:
    if (mode := _mode(sample)) is not None:
        if grey and mode not in GREY_MODES:
            raise ValueError(
                f"images must be all grey or all colour; image {place} is {mode}, image 0 grey. Convert them."
            )
        if mode in DEEP_MODES:
            x = standard_array(np.asarray(sample)[None])
            images = np.asarray(x if image_size is None else square_images(x, image_size))  # (1, 1, h, w)
            return images.reshape(images.shape[1:])
        image = standard_mode(sample, grey=grey)
        return to_bytes(image if image_size is None else square(image, image_size))
    if isinstance(sample, str | bytes | Path | dict):
        raise ValueError(
            f"samples must be arrays, tensors or images; sample {place} is a {type(sample).__name__}. Pass "
            f"a folder or "
            "table by its path; make a data set return (image, label)."
        )
    array = np.asarray(sample.detach().cpu() if is_array(sample) and hasattr(sample, "detach") else sample)
    if array.dtype == object or array.ndim == 0:
        raise ValueError(
            f"samples must be arrays, tensors or images; sample {place} is a {type(sample).__name__}."
        )
    return array
