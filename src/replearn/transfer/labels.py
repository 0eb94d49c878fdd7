"""Labels as they are given: names or whole numbers, with gaps; what is predicted is of the same kind."""

import difflib
import math
from collections.abc import Iterable, Sequence
from typing import Any

from replearn.data import UNLABELLED

Label = str | int


def plain_labels(y: Any, n: int) -> list[Label | None]:
    """Labels as names or integers, None where unknown (None, NaN or -1).

    Args:
        y: a list, array, tensor or Series.
        n: how many there must be.

    Raises:
        ValueError: another number of them, a fraction, or something else than names or numbers.

    >>> import numpy as np
    >>> plain_labels(np.array([2.0, np.nan, -1]), 3), plain_labels(["b", None], 2)
    ([2, None, None], ['b', None])
    """
    rows = as_list(y)
    if len(rows) != n:
        raise ValueError(f"y must hold one label per sample; got {len(rows):,} for {n:,} samples.")
    labels = [_plain(row) for row in rows]
    kinds = {type(label) for label in labels if label is not None}
    if len(kinds) > 1:
        raise ValueError("labels must be all names or all numbers; got both. Write the numbers as texts.")
    return labels


def as_list(y: Any) -> list[Any]:
    """Rows of whatever holds them."""
    return list(y.tolist() if hasattr(y, "tolist") else y)


def known_values(labels: Iterable[Label | None], *, what: str = "y", least: int = 2) -> tuple[Label, ...]:
    """The labels that occur, in order.

    Raises:
        ValueError: there are fewer than `least`.
    """
    values: Sequence[Any] = sorted({label for label in labels if label is not None})  # type: ignore[type-var]
    if len(values) < least:
        came = f"only {values[0]!r}" if values else "none"
        raise ValueError(
            f"{what} must hold at least {least} classes; got {came}. Label samples of another class."
        )
    return tuple(values)


def nearest(name: str, known: Sequence[str]) -> str:
    """The known name that is most like this one."""
    return (difflib.get_close_matches(name, known, n=1, cutoff=0.0) or [known[0]])[0]


def _plain(label: Any) -> Label | None:
    label = label.item() if hasattr(label, "item") else label
    if label is None or isinstance(label, str):
        return label
    if isinstance(label, float) and math.isnan(label):
        return None
    if isinstance(label, int | float) and label == int(label):
        return None if label == UNLABELLED and not isinstance(label, bool) else int(label)
    raise ValueError(
        f"labels must be names or whole numbers; got {label!r:.60}. For measured numbers use task='regress'."
    )
