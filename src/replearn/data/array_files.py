"""Arrays in `.npy` and `.npz` files."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from replearn.data.reasons import reason_of

DATA_NAMES = ("x", "X", "images", "data", "x_train", "arr_0")
LABEL_NAMES = ("y", "labels", "label", "target", "y_train", "arr_1")


def read_npy(path: Path) -> np.ndarray:
    """The array of an `.npy` file, as a memory map.

    Raises:
        ValueError: the file is damaged or holds objects.
    """
    try:
        array: np.ndarray = np.lib.format.open_memmap(path, mode="r")
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(_unreadable(path, error)) from error
    return array


def read_npz(path: Path) -> tuple[np.ndarray, Any]:
    """The data and labels of an `.npz` file, found by their names; labels are None if there are none.

    Raises:
        ValueError: the file is damaged, holds objects, or names none of its arrays as data.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            found = next((name for name in DATA_NAMES if name in arrays), None)
            if found is None and len(arrays.files) == 1:
                found = arrays.files[0]
            if found is None:
                raise ValueError(
                    f"no array is named {', '.join(DATA_NAMES[:4])}; it holds {', '.join(arrays.files)}"
                )
            labels = next((arrays[name] for name in LABEL_NAMES if name in arrays), None)
            return arrays[found], labels
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(_unreadable(path, error)) from error


def read_arrays(path: Path) -> tuple[np.ndarray, Any] | None:
    """The data and labels (None, if there are none) of an `.npy` or `.npz` file; None of everything else.

    Raises:
        ValueError: see `read_npy` and `read_npz`.
    """
    ending = path.suffix.lower() if path.is_file() else ""
    if ending == ".npy":
        return read_npy(path), None
    return read_npz(path) if ending == ".npz" else None


def _unreadable(path: Path, error: Exception) -> str:
    reason = reason_of(error)
    return (
        f"{path} must be a whole file written by numpy.save or savez, without objects; {reason}. Save it "
        f"again."
    )
