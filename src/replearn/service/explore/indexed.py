"""An index as the page shows it: its directions, and its columns as colours; the samples where they are at hand.

index --numbers, at most 100,000--> directions (n, d), names, columns
DATA  --by name, else by number--> the samples of these rows, in their order
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from replearn.data import ArraySamples, Samples
from replearn.data.records import shown_name
from replearn.service.explore.explored import Colour, column_colour
from replearn.service.indexes import NUMBER, Table


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of an index.

    Attributes:
        numbers: of the index, rising.
        h: directions.
        names: of the samples; None where the index has none.
        colours: the other columns.
    """

    numbers: Int[np.ndarray, " n"]
    h: Float[np.ndarray, "n d"]
    names: list[str] | None
    colours: list[Colour]


def read_rows(table: Table, most: int, *, random_state: int = 0) -> Rows:
    """All rows of an index, or some drawn at random.

    Raises:
        ValueError: there is none.
    """
    numbers = np.sort(table.numbers())
    if not len(numbers):
        raise ValueError(
            "an index that is shown must hold samples; all of them were deleted. Add some by --add."
        )
    if len(numbers) > most:
        numbers = np.sort(np.random.default_rng(random_state).permutation(numbers)[:most])
    columns, h = table.part(numbers)
    names = None
    if "name" in columns.column_names:
        told = zip(columns["name"].to_pylist(), numbers.tolist(), strict=True)
        names = [str(number) if name is None else name for name, number in told]
    shown = [name for name in columns.column_names if name not in (NUMBER, "name")]
    colours = [column_colour(name, columns[name].to_pylist()) for name in sorted(shown, key="label".__ne__)]
    return Rows(numbers, np.ascontiguousarray(h, dtype=np.float32), names, colours)


def named_alone(rows: Rows) -> Samples:
    """Samples of which nothing is shown but their names, or numbers in the index."""
    return ArraySamples(rows.h, names=rows.names or [str(number) for number in rows.numbers.tolist()])


def places_in(rows: Rows, names: Sequence[str] | None, n: int) -> Int[np.ndarray, " n"]:
    """Where the rows' samples lie among n samples: by their names where both have some, else by their numbers.

    Args:
        rows: of the index.
        names: of the samples, or None.
        n: samples.

    Raises:
        ValueError: some are not there.
    """
    if rows.names is None or names is None:
        missing = int((rows.numbers >= n).sum())
        if missing:
            raise ValueError(f"it has {n:,} samples, and {missing:,} rows have larger numbers")
        return rows.numbers
    place = {shown_name(name): i for i, name in enumerate(names)}
    gone = [name for name in rows.names if name not in place]
    if gone:
        raise ValueError(
            f"{len(gone):,} of {len(rows.names):,} samples are not in it, such as {gone[0]!r:.60}"
        )
    return np.array([place[name] for name in rows.names])
