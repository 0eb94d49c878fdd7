"""Labels as given (numbers, names, gaps) become positions in a tuple of class names, or -1.

Cells of a file of text are names; `written_labels` says which of them are numbers.
"""

import difflib
import logging
import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Int

log = logging.getLogger("replearn")

UNLABELLED = -1  # the label of a sample that has none
# Integer labels are kept as they are, so a head has one output for each number up to the largest.
LARGEST_LABEL = 65_535
WHOLE = re.compile(r"-1|0|[1-9][0-9]{0,4}")  # as a label is written that is a number
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
MEASURED = 100  # different numbers from which they are measurements, not names
BOOLEANS = ("False", "True")


def written_labels(cells: Sequence[str | None]) -> list[str | int | float | None]:
    """Labels as a file of text holds them: names as they are written, so `007` is not `7`, and `None` is a name.

    They are numbers if all of them are whole, from -1 to 65,535, with no zero or sign in front (`7`, or throughout
    `7.0`, as pandas writes numbers beside gaps). Other numbers are names too (`2.50`), unless there are fractions
    and more than 100 values, or values that hardly repeat: then they are measurements, no classes. An empty cell is
    unknown.

    >>> written_labels(["1", "", "0"]), written_labels(["07", "x7"]), written_labels(["NA", "None", "True"])
    ([1, None, 0], ['07', 'x7'], ['NA', 'None', 'True'])
    """
    there = {cell for cell in cells if cell}
    for ending in ("", ".0"):
        numbers = {cell: int(cell.removesuffix(ending)) for cell in there if _is_whole_label(cell, ending)}
        if len(numbers) == len(there):
            return [numbers[cell] if cell else None for cell in cells]
    many = len(there) > MEASURED or 2 * len(there) > len(cells)
    if many and all(NUMBER.fullmatch(cell) for cell in there) and any(float(cell) % 1 for cell in there):
        return [float(cell) if cell else None for cell in cells]
    return [cell or None for cell in cells]


def _is_whole_label(cell: str, ending: str) -> bool:
    number = cell.removesuffix(ending)
    return cell == number + ending and bool(WHOLE.fullmatch(number)) and int(number) <= LARGEST_LABEL


def encode_labels(
    labels: Any, n: int, *, classes: Sequence[str] | None = None
) -> tuple[Int[np.ndarray, " n"] | None, tuple[str, ...]]:
    """Labels as int64 positions in the class names, and these names.

    Numbers stay the numbers they are (class `3` is named `"3"`), so that training and test labels that were
    passed apart agree. Names are numbered in sorted order, or in the order of `classes`; booleans are the names
    `False` and `True`. `None`, NaN, an empty name and the number -1 mean unknown, which becomes -1.

    Args:
        labels: one per sample: integers, booleans, whole floats or names; a sequence, array, tensor or
            Series.
        n: number of samples.
        classes: the class names in order, to agree with samples seen before.

    Returns:
        `(labels, classes)`; labels are None if every one of them is unknown.

    Raises:
        ValueError: a wrong number of labels, more than one column, a fraction, a number below -1, an unknown
        name.

    >>> encode_labels(["cat", None, "ant"], 3)
    (array([ 1, -1,  0]), ('ant', 'cat'))
    """
    column = _column(labels)
    if len(column) != n:
        raise ValueError(
            f"labels must hold one label per sample; got {len(column):,} labels for {n:,} samples."
        )
    if _holds_booleans(column):
        known = BOOLEANS if classes is None else classes
        return _named(np.array([None if _unknown(label) else str(label) for label in column], object), known)
    if column.dtype.kind == "f" and classes is None:
        column = _whole(column)
    if column.dtype.kind in "iu" and classes is None:
        return _numbers(column)
    return _named(column, classes)


def _column(labels: Any) -> np.ndarray:
    """Labels as one array of integers, floats, booleans or objects (names and None)."""
    if hasattr(labels, "isna") and hasattr(
        labels, "to_numpy"
    ):  # a pandas Series: its NA is no ordinary value
        labels = labels.astype(object).where(labels.notna(), None).tolist()
    elif hasattr(labels, "detach"):
        labels = labels.detach().cpu().numpy()
    column = labels if isinstance(labels, np.ndarray) else _from_list(list(labels))
    if column.ndim != 1:
        raise ValueError(
            f"labels must be one column, (n,); got shape {column.shape}. Use labels.argmax(1) for one-hot."
        )
    return column.astype(object) if column.dtype.kind in "US" else column


def _from_list(labels: list[Any]) -> np.ndarray:
    """A list with gaps: numbers and None become floats and NaN, everything else objects."""
    present = [label for label in labels if label is not None]
    if present and not any(isinstance(label, str | bytes | bool | np.bool_) for label in present):
        return np.asarray([np.nan if label is None else label for label in labels])
    column = np.empty(len(labels), dtype=object)
    column[:] = labels
    return column


def _holds_booleans(column: np.ndarray) -> bool:
    """Whether all labels that are there are False or True."""
    if column.dtype.kind != "O":
        return column.dtype.kind == "b"
    there = [label for label in column if not _unknown(label)]
    return bool(there) and all(isinstance(label, bool | np.bool_) for label in there)


def _whole(column: np.ndarray) -> np.ndarray:
    """Floats as integers, NaN as -1."""
    known = ~np.isnan(column)
    fractions = known & ~(np.isfinite(column) & (column == np.floor(column)))
    if fractions.any():
        raise ValueError(
            f"labels must be classes (whole numbers or names); got {column[fractions][0]}. "
            "Cut a continuous target into classes, e.g. with numpy.digitize, or predict it: "
            "`replearn finetune --task regress`."
        )
    return np.where(known, column, UNLABELLED).astype(np.int64)


def _numbers(column: np.ndarray) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Integer labels stay as they are."""
    if len(column) and (column.min() < UNLABELLED or column.max() > LARGEST_LABEL):
        wrong = column.min() if column.min() < UNLABELLED else column.max()
        raise ValueError(
            f"integer labels must be -1 (unknown) or 0 ... {LARGEST_LABEL:,}; got {wrong}. "
            "Pass them as strings to have them numbered."
        )
    column = column.astype(np.int64)
    if not (column >= 0).any():
        return None, ()
    return column, tuple(str(label) for label in range(int(column.max()) + 1))


def _named(column: np.ndarray, classes: Sequence[str] | None) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Names become their positions among `classes`, or among the sorted names."""
    names = ["" if _unknown(label) else _text(label) for label in column]
    _tell_alike(names, column)
    known = tuple(sorted(set(names) - {""})) if classes is None else tuple(classes)
    position = {name: number for number, name in enumerate(known)} | {"": UNLABELLED}
    for name in names:
        if name not in position:
            near = difflib.get_close_matches(name, known, n=3) or known[:3]
            raise ValueError(
                f"labels must be among the {len(known)} classes; got {name!r}. Near: {', '.join(near)}."
            )
    if not any(names):
        return None, known
    return np.array([position[name] for name in names], dtype=np.int64), known


def _tell_alike(names: Sequence[str], column: np.ndarray) -> None:
    """A warning where numbers and names, or truth values and names, are written alike; all of them are told."""
    written: dict[str, dict[tuple[type, Any], None]] = {}
    for name, label in zip(names, column, strict=True):
        if name:
            written.setdefault(name, {})[type(label), label] = None
    alike = [
        " and ".join(repr(label) for _, label in labels)
        for labels in written.values()
        if len({issubclass(kind, str | bytes) for kind, _ in labels}) > 1
    ]
    if alike:
        log.warning(
            "labels %s are written alike and are one class%s; rename some of them if they are not",
            *(", ".join(alike), " each" if len(alike) > 1 else ""),
        )


def _unknown(label: Any) -> bool:
    if label is None or (isinstance(label, float) and math.isnan(label)):
        return True
    return label == UNLABELLED or (isinstance(label, str | bytes) and not label)


def _text(label: Any) -> str:
    if isinstance(label, bytes):
        return label.decode("utf-8", "replace")
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)
