"""Which columns of a table are labels, which are groups, and which are features; what is none is left out and told.

A column is no feature if it
    counts rows       has no name (or is called index) and another value in each row; or whole numbers that grow by 1
                      from row to row, over at least 20 rows
    is an id          ends in the word id, uuid or guid and holds whole numbers or names
    tells the label   is called label, labels, class or target; or goes with the labels one to one, over 20 rows or more
    holds texts       names of more than 50 values, or that hardly repeat (more than half as many as rows)
    holds no value, or neither numbers nor names (dates, lists)
"""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float

if TYPE_CHECKING:  # pandas is imported where it is used: most data come as arrays or images
    from pandas import DataFrame, Series

# A column of one of these names holds the labels unless others are given: it must never be learned from.
LABEL_NAMES = ("label", "labels", "class", "target")
MOST_VALUES = 50  # of a column of names
COUNTED = 20  # rows from which a coincidence is none
LOOKED_AT = 1000  # rows that tell most columns from the labels
INDEX = re.compile(r"|unnamed: \d+(_level_\d+)?|index|level_\d+|__index_level_\d+__|row_?names?")
ID = re.compile(
    r"(.*[^A-Za-z])?([Ii][Dd]|[Uu][Uu][Ii][Dd]|[Gg][Uu][Ii][Dd])|.*[a-z](Id|ID|Uuid|UUID|Guid|GUID)"
)
# Of columns that name what rows were taken from, so that rows of one value are not independent.
GROUP = re.compile(
    r"(group|patient|subject|speaker|participant|person|donor|animal)s?([^a-z]*(no|nr|num|number|name|code))?"
)


@dataclass(frozen=True)
class Columns:
    """What the columns of a table are for.

    Attributes:
        features: to learn from.
        label, groups: of classes, and of the groups of samples; or None.
        left_out: why each other column is no feature; columns that were dropped on demand are not among them.
    """

    features: tuple[str, ...]
    label: str | None
    groups: str | None
    left_out: dict[str, str]

    def told(self) -> str:
        """One line on what was left out, or nothing."""
        return "; ".join(
            f"{', '.join(map(repr, names[:5]))}{', ...' if len(names) > 5 else ''} ({why})"
            for why, names in self._reasons()
        )

    def _reasons(self) -> Iterator[tuple[str, list[str]]]:
        for why in dict.fromkeys(self.left_out.values()):
            yield why, [name for name, other in self.left_out.items() if other == why]


def label_column(names: Sequence[str], given: str | None, *, origin: str) -> str | None:
    """The column of labels: the one that is given, `label`, or one that is called like it; None if there is none.

    Raises:
        ValueError: no such column.
    """
    if given is not None:
        check_names(names, [given], origin)
        return given
    exact = [name for name in names if name in LABEL_NAMES]
    alike = exact or [name for name in names if name.strip().casefold() in LABEL_NAMES]
    return min(alike, key=lambda name: LABEL_NAMES.index(name.strip().casefold()), default=None)


def check_names(names: Sequence[str], wanted: Sequence[str], origin: str) -> None:
    """Raises ValueError where a column is not there."""
    for name in wanted:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            few = ", ".join(map(repr, names[:10])) + (", ..." if len(names) > 10 else "")
            raise ValueError(f"{origin} must have a column {name!r}; it has {few or 'none'}.{hint}")


def choose_columns(
    frame: "DataFrame",
    *,
    origin: str,
    labels: str | None = None,
    groups: str | None = None,
    columns: Sequence[str] = (),
    drop: Sequence[str] = (),
) -> Columns:
    """What the columns of a frame are for.

    Args:
        frame: with names of columns that are strings.
        origin: what the table is called in messages.
        labels, groups: columns that are given.
        columns: the features, if they are not to be found.
        drop: columns that are none.

    Raises:
        ValueError: a column that is not there, or no feature.
    """
    names = list(frame.columns)
    label = label_column(names, labels, origin=origin)
    check_names(names, [*columns, *drop, *([groups] if groups is not None else [])], origin)
    if columns:
        taken = [name for name in columns if name in (label, groups)]
        if taken:
            raise ValueError(f"columns must be features; {taken[0]!r} is the column of labels or groups.")
        kept = tuple(name for name in dict.fromkeys(columns) if name not in drop)
        if not kept:
            raise ValueError(
                f"columns must keep one to learn from; drop takes all of them: {', '.join(map(repr, columns[:5]))}. "
                "Name other columns, or drop fewer."
            )
        for name in kept:
            if why := _unusable(frame[name]):
                raise ValueError(f"columns must hold numbers or names; {name!r} of {origin} {why}.")
        return Columns(kept, label, groups, {})
    reasons = {
        name: _unusable(frame[name]) or _no_feature(frame, name, label)
        for name in names
        if name not in (label, groups, *drop)
    }
    left_out = {name: why for name, why in reasons.items() if why}
    found = Columns(tuple(name for name in reasons if name not in left_out), label, groups, left_out)
    if not found.features:
        semicolons = " Is it separated by semicolons?" if len(names) == 1 and ";" in names[0] else ""
        raise ValueError(
            f"a table must have a column to learn from; {origin} has none: {found.told() or 'no other column'}. "
            f"Name the columns by columns=, that of classes by labels=, or of texts by text=.{semicolons}"
        )
    return found


def like_groups(frame: "DataFrame", features: Sequence[str]) -> list[str]:
    """Features that seem to name groups of rows (patients, speakers), by their names, and by values that come again."""
    return [
        name
        for name in features
        if GROUP.fullmatch(name.strip().casefold())
        and (not is_number(frame[name]) or _is_whole(frame[name]))
        and 1 < frame[name].nunique() < len(frame)
    ]


def is_number(column: "Series") -> bool:
    """Whether a column's type is a number's."""
    return str(getattr(column.dtype, "kind", "O")) in "buif" and not hasattr(column, "cat")


def numbers(column: "Series") -> Float[np.ndarray, " n"]:
    """The numbers of a column, NaN where there is none."""
    return np.asarray(column.to_numpy(dtype="float64", na_value=np.nan))


def gaps(column: "Series") -> Bool[np.ndarray, " n"]:
    """Where a column has no value: None, NaN, or an empty name."""
    missing = column.isna().to_numpy(dtype=bool)
    return missing if is_number(column) else missing | (column.astype(object) == "").to_numpy(dtype=bool)


def _unusable(column: "Series") -> str:
    """Why a column can't be read as numbers or names; nothing if it can."""
    if bool(gaps(column).all()):
        return "holds no value"
    if is_number(column):
        return ""
    values = column[~gaps(column)].astype(object)
    return (
        ""
        if all(isinstance(value, str | bool | int | float) for value in values)
        else "holds neither numbers nor names"
    )


def _no_feature(frame: "DataFrame", name: str, label: str | None) -> str:
    """Why a column is no feature; nothing if it is one."""
    column = frame[name]
    whole = not is_number(column) or _is_whole(column)
    if whole and INDEX.fullmatch(name.strip().casefold()) and column.is_unique:
        return "counts rows"
    if whole and ID.fullmatch(name.strip()):
        return "an id"
    if is_number(column) and len(column) >= COUNTED and bool((np.diff(numbers(column)) == 1).all()):
        return "counts rows"
    if name.strip().casefold() in LABEL_NAMES or (label is not None and _goes_with(column, frame[label])):
        return "tells the label"
    if not is_number(column):
        values = column[~gaps(column)].nunique()
        if values > MOST_VALUES or 2 * values > len(column):
            return "texts, or names of many values"
    return ""


def _is_whole(column: "Series") -> bool:
    """Whether all numbers that are there are whole."""
    values = numbers(column)
    values = values[~np.isnan(values)]
    return bool((values == np.floor(values)).all())


def _goes_with(column: "Series", labels: "Series") -> bool:
    """Whether values and labels go one to one."""
    some = slice(None, None, max(1, len(column) // LOOKED_AT))
    return _one_to_one(column.iloc[some], labels.iloc[some]) and _one_to_one(column, labels)


def _one_to_one(column: "Series", labels: "Series") -> bool:
    import pandas as pd

    known = ~(gaps(labels) | gaps(column))
    if known.sum() < COUNTED:
        return False
    a, b = pd.factorize(column[known])[0], pd.factorize(labels[known])[0]
    several: Any = a.max() + 1
    if a.max() != b.max() or b.max() < 1 or 2 * several > len(a):
        return False
    return len(np.unique(a.astype(np.int64) * int(several) + b)) == int(several)
