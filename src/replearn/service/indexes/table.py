"""Rows with their directions in a table of LanceDB: search by cosine, with conditions on other columns.

h (n, d) --length 1--> directions --> table --query, condition--> the nearest, by cosine
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float, Int

from replearn.evaluate.checks import Array
from replearn.service.indexes.library import lancedb

NAME = "samples"
NUMBER, LABEL, DIRECTION, DISTANCE = "number", "label", "h", "_distance"
OWN = (NUMBER, "name", LABEL, "group", DIRECTION)  # columns that are not the user's
log = logging.getLogger("replearn")

AT_ONCE = 8192  # rows in memory


@dataclass(frozen=True)
class Partitions:
    """An approximate search: the nearest of some partitions are looked through.

    Attributes:
        of: how many there are.
        probes: how many are looked through.
    """

    of: int
    probes: int


class Table:
    """A table on disk.

    Args:
        folder: where it lies.
        partitions: of an approximate search; None: every row is looked at.
    """

    def __init__(self, folder: Path, partitions: Partitions | None = None) -> None:
        self.partitions = partitions
        self._table = lancedb().connect(str(folder)).open_table(NAME)

    def __len__(self) -> int:
        return int(self._table.count_rows())

    @property
    def columns(self) -> list[str]:
        """Names that conditions may have."""
        return [name for name in self._table.schema.names if name != DIRECTION]

    @property
    def dim(self) -> int:
        """Numbers per row."""
        return int(self._table.schema.field(DIRECTION).type.list_size)

    def search(
        self,
        query: Float[np.ndarray, " d"],
        k: int,
        *,
        where: str | None = None,
        exact: bool = False,
    ) -> "pa.Table":
        """The k nearest rows, the nearest first: all columns but the direction, and `cosine`.

        Args:
            query: a row of numbers.
            k: how many, at most.
            where: a condition in SQL: `label = 'cat' AND year > 2000`.
            exact: look at every row, whatever index there is.

        Raises:
            ValueError: the row has no direction, or the condition can't be read.
        """
        asked = self._table.search(directions(query[None])[0], vector_column_name=DIRECTION)
        asked = asked.distance_type("cosine").limit(k).select([*self.columns, DISTANCE])
        if exact or self.partitions is None:
            asked = asked.bypass_vector_index()
        else:
            asked = asked.nprobes(self.partitions.probes)
        if where is not None:
            asked = asked.where(where, prefilter=True)
        found = self._told(asked.to_arrow, where)
        cosine = pa.array(1 - found[DISTANCE].to_numpy(), pa.float32())
        return found.drop_columns([DISTANCE]).append_column("cosine", cosine)

    def direction(self, number: int) -> Float[np.ndarray, " d"]:
        """That of the row of this number.

        Raises:
            ValueError: there is none.
        """
        found: np.ndarray = self.directions(np.array([number]))[0]
        return found

    def directions(self, numbers: Int[np.ndarray, " q"]) -> Float[np.ndarray, "q d"]:
        """Those of the rows of these numbers.

        Raises:
            ValueError: one is not there.
        """
        asked = self._table.search().where(f"{NUMBER} IN ({', '.join(map(str, numbers.tolist()))})")
        found = asked.select([NUMBER, DIRECTION]).limit(len(numbers)).to_arrow()
        places = {number: place for place, number in enumerate(found[NUMBER].to_pylist())}
        missing = [number for number in numbers.tolist() if number not in places]
        if missing:
            raise ValueError(
                f"the number must be that of a sample in the index; got {missing[0]}, which none of {len(self):,} has."
            )
        rows = np.asarray(found[DIRECTION].to_pylist(), dtype=np.float32)  # (q, d)
        return rows[[places[number] for number in numbers.tolist()]]

    def next_number(self) -> int:
        """Above all numbers so far."""
        found = self._table.search().select([NUMBER]).limit(max(1, len(self))).to_arrow()[NUMBER]
        return int(np.max(found.to_numpy(), initial=-1)) + 1

    def names(self) -> set[str]:
        """Of samples that have one."""
        if "name" not in self.columns:
            return set()
        found = self._table.search().select(["name"]).limit(max(1, len(self))).to_arrow()["name"]
        return {name for name in found.to_pylist() if name is not None}

    def add(self, rows: Float[np.ndarray, "n d"], columns: Mapping[str, "pa.Array"]) -> None:
        """Add rows, in one instant: a reader sees all or none of them. Columns that they lack are empty, with a line.

        Raises:
            ValueError: they have columns that the table has not, or another width.
        """
        known, given = set(self.columns), set(columns)
        if given - known or rows.shape[1] != self.dim:
            raise ValueError(
                f"rows that are added must have {self.dim} numbers and no columns but {', '.join(sorted(known))}; got "
                f"{rows.shape[1]} and {', '.join(sorted(given))}. Make the index anew."
            )
        schema = self._table.schema
        lacking = sorted(known - given)
        if lacking:
            log.warning(
                "%d rows that are added have no %s, which is left empty", len(rows), ", ".join(lacking)
            )
        columns = {name: pa.nulls(len(rows), schema.field(name).type) for name in lacking} | dict(columns)
        ordered = {name: columns[name].cast(schema.field(name).type) for name in self.columns}
        self._table.add(pa.Table.from_batches(list(_batches(rows, ordered)), schema))
        self._table.optimize()

    def delete(self, where: str) -> int:
        """Delete the rows for which a condition holds; how many there were.

        Raises:
            ValueError: it can't be read.
        """
        before = len(self)
        self._told(lambda: self._table.delete(where), where)
        return before - len(self)

    def _told(self, work: Any, where: str | None) -> Any:
        """What `work` gives; what stops it is the condition's fault, if there is one."""
        try:
            return work()
        except (RuntimeError, ValueError, OSError) as error:
            if where is None:
                raise
            reason = " ".join(str(error).split())
            raise ValueError(
                f"a condition must be one of SQL on the columns {', '.join(self.columns)}; got {where!r} "
                f"({reason:.120}). For instance: label = 'cat'"
            ) from error


def directions(rows: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    """Rows of length 1.

    Raises:
        ValueError: one has no direction.
    """
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or (lengths == 0).any():
        raise ValueError(
            "a representation that is searched by must have a direction; got one of zeros, or NaN."
        )
    found: np.ndarray = (rows / lengths).astype(np.float32)
    return found


def write_table(folder: Path, rows: Array, columns: Mapping[str, "pa.Array"]) -> Table:
    """Write a new table.

    Args:
        folder: where to.
        rows: `(n, d)`, in memory or on disk.
        columns: of the same length, `number` among them.
    """
    fields = [pa.field(name, column.type) for name, column in columns.items()]
    schema = pa.schema([*fields, pa.field(DIRECTION, pa.list_(pa.float32(), rows.shape[1]))])
    database = lancedb().connect(str(folder))
    database.create_table(NAME, data=_batches(rows, columns), schema=schema)
    return Table(folder)


def part_up(table: Table, partitions: int) -> None:
    """Part the rows of a table by k-means, so that a search may look through the nearest parts alone."""
    from lancedb.index import IvfFlat

    table._table.create_index(DIRECTION, config=IvfFlat(distance_type="cosine", num_partitions=partitions))


def neighbours(
    table: Table, queries: Float[np.ndarray, "q d"], own: Int[np.ndarray, " q"], k: int, *, exact: bool
) -> list[set[int]]:
    """Numbers of the k nearest rows of each query but its own."""
    found = []
    for query, number in zip(queries, own.tolist(), strict=True):
        near = table.search(query, k + 1, exact=exact)[NUMBER].to_pylist()
        found.append(set([other for other in near if other != number][:k]))
    return found


def _batches(rows: Array, columns: Mapping[str, "pa.Array"]) -> Iterator["pa.RecordBatch"]:
    names = [*columns, DIRECTION]
    for start in range(0, len(rows), AT_ONCE):
        part = directions(np.asarray(rows[start : start + AT_ONCE]))
        flat = pa.FixedSizeListArray.from_arrays(pa.array(part.reshape(-1)), part.shape[1])
        values = [column.slice(start, len(part)) for column in columns.values()]
        yield pa.RecordBatch.from_arrays([*values, flat], names=names)
