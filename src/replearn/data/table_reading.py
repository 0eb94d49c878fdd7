"""How the columns of a table become numbers: learned from a training part, kept with a run, applied to any part.

    numbers   x - shift, gaps filled with the median; 1 in a further column where there was a gap, if training had gaps
    names     a column for each value that training had, 1 where a row has it; a gap is a value if training had gaps

It is what scikit-learn's ColumnTransformer of SimpleImputer(strategy="median", add_indicator=True) and
OneHotEncoder(handle_unknown="ignore") makes, as a few numbers and names that JSON can hold.
"""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from replearn.data.columns import gaps, is_number, numbers

if TYPE_CHECKING:
    from pandas import DataFrame, Series

LARGEST = 1e18  # of a number's size: squares of larger ones overflow float32
# A column whose numbers exceed this many deviations loses digits in float32, so a shift is taken off before.
FAR = 2**13


@dataclass(frozen=True)
class Column:
    """What was learned of a column.

    Attributes:
        name: of the column.
        values: that it had, of a column of names; None of numbers.
        fill: median of its numbers, which stands where there is none.
        marked: whether a further column says where there was none.
        shift: what is taken off its numbers, in double precision, before they become float32.
    """

    name: str
    values: tuple[str, ...] | None = None
    fill: float = 0.0
    marked: bool = False
    shift: float = 0.0

    @property
    def width(self) -> int:
        """Numbers per row."""
        return 1 + self.marked if self.values is None else len(self.values)


@dataclass(frozen=True)
class TableReading:
    """How a table is read.

    Attributes:
        columns: in the order of their numbers.
    """

    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns that are read."""
        return tuple(column.name for column in self.columns)

    @property
    def texts(self) -> tuple[str, ...]:
        """Of those that hold names."""
        return tuple(column.name for column in self.columns if column.values is not None)

    def told(self) -> str:
        """One line on what is more than numbers taken as they are, or nothing."""
        made = [column for column in self.columns if column.values is not None]
        filled = [column.name for column in self.columns if column.marked]
        shifted = [column.name for column in self.columns if column.shift]
        lines = []
        if made:
            lines.append(
                f"names become a column per value: {_few([f'{c.name!r} ({c.width})' for c in made])}"
            )
        if filled:
            lines.append(
                f"gaps are filled with the median and marked by a further column: {_few(map(repr, filled))}"
            )
        if shifted:
            lines.append(f"the mean is taken off, for float32 would lose digits: {_few(map(repr, shifted))}")
        return "; ".join(lines)

    def to_json(self) -> list[dict[str, Any]]:
        """What differs from the defaults of each column."""
        blank = asdict(Column(""))
        return [
            {name: value for name, value in asdict(column).items() if value != blank[name]}
            for column in self.columns
        ]

    @staticmethod
    def from_json(content: Any) -> "TableReading":
        """What `to_json` wrote.

        Raises:
            ValueError: it is something else.
        """
        try:
            found = [{"name": ""} | column for column in content]
            return TableReading(
                tuple(
                    Column(
                        **(
                            column
                            | {"values": None if column.get("values") is None else tuple(column["values"])}
                        )
                    )
                    for column in found
                )
            )
        except (TypeError, AttributeError) as error:
            raise ValueError(
                f"the reading of a table must be a list of columns; {error}. Fit again."
            ) from error


def learn_reading(frame: "DataFrame") -> TableReading:
    """How these columns are read, by these rows."""
    return TableReading(tuple(_learned(name, frame[name]) for name in frame.columns))


def read_frame(
    frame: "DataFrame", reading: TableReading, *, origin: str
) -> tuple[Float[np.ndarray, "n d"], list[str]]:
    """The rows as numbers, and what did not go as in training, a line each.

    Raises:
        ValueError: a column is missing; a number is none, infinite, or too large.
    """
    missing = [name for name in reading.names if name not in frame.columns]
    if missing:
        raise ValueError(
            f"{origin} must have the columns that were learned from; {len(missing)} of {len(reading.names)} are "
            f"missing: {_few(map(repr, missing))}. It has {_few(map(repr, frame.columns))}."
        )
    x = np.empty((len(frame), sum(column.width for column in reading.columns)), dtype=np.float32)
    start, lines = 0, []
    for column in reading.columns:
        part = x[:, start : start + column.width]
        fill = _fill_numbers if column.values is None else _fill_names
        lines += fill(part, frame[column.name], column, origin)
        start += column.width
    return x, lines


def _learned(name: str, column: "Series") -> Column:
    missing = gaps(column)
    if not is_number(column):
        values = {str(value) for value in column[~missing]} | ({""} if missing.any() else set())
        return Column(name, tuple(sorted(values)))
    known = numbers(column)[~missing]
    if not len(known):
        return Column(name)
    _check_size(known, name, "the table")
    fill, spread = float(np.median(known)), float(known.std())
    shift = float(known.mean()) if 0 < spread * FAR < np.abs(known).max() else 0.0
    return Column(name, None, fill, bool(missing.any()), shift)


def _fill_numbers(part: np.ndarray, found: "Series", column: Column, origin: str) -> list[str]:
    values = numbers(found) if is_number(found) else _parsed(found, column.name, origin)
    missing = np.isnan(values)
    _check_size(values[~missing], column.name, origin)
    part[:, 0] = np.where(missing, column.fill, values) - column.shift
    if column.marked:
        part[:, 1] = missing
        return []
    count = int(missing.sum())
    return [f"{count:,} gaps of {column.name!r}, which had none in training, are filled"] if count else []


def _fill_names(part: np.ndarray, found: "Series", column: Column, origin: str) -> list[str]:
    assert column.values is not None
    missing = gaps(found)
    names = np.array(
        ["" if gap else str(value) for gap, value in zip(missing, found, strict=True)], dtype=object
    )
    for place, value in enumerate(column.values):
        part[:, place] = names == value
    unknown = names[part.sum(1) == 0]
    if not len(unknown):
        return []
    few = _few(map(repr, sorted(set(unknown))))
    return [f"{len(unknown):,} values of {column.name!r} were not in training and count as none: {few}"]


def _parsed(found: "Series", name: str, origin: str) -> Float[np.ndarray, " n"]:
    """The numbers that a column of other type holds."""
    import pandas as pd

    values = pd.to_numeric(found.replace({"True": "1", "False": "0"}), errors="coerce")
    wrong = values.isna().to_numpy() & ~gaps(found)
    if wrong.any():
        first = found[wrong].iloc[0]
        raise ValueError(
            f"column {name!r} of {origin} must hold numbers, as in training; {int(wrong.sum()):,} rows do not "
            f"(first: {first!r:.60})."
        )
    return numbers(values)


def _check_size(values: Float[np.ndarray, " k"], name: str, origin: str) -> None:
    size = np.abs(values)
    if not np.isfinite(size).all():
        raise ValueError(
            f"values must be finite; column {name!r} of {origin} holds {int((~np.isfinite(size)).sum()):,} that are "
            "infinite. Clear them, or leave the column out (drop=, --drop)."
        )
    if size.max(initial=0) > LARGEST:
        raise ValueError(
            f"values must be at most {LARGEST:.0e} in size, for their squares must fit float32; column {name!r} of "
            f"{origin} holds {size.max():.3g}. Divide it, or leave it out (drop=, --drop)."
        )


def _few(names: Any) -> str:
    found = list(names)
    return ", ".join(found[:5]) + (", ..." if len(found) > 5 else "")
