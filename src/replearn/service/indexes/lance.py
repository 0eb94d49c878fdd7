"""Tables in files, by LanceDB."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float, Int

from replearn.evaluate.checks import Array
from replearn.service.indexes.library import lancedb
from replearn.service.indexes.table import AT_ONCE, DIRECTION, NUMBER, Partitions, Table, directions

NAME, DISTANCE = "samples", "_distance"


class LanceTable(Table):
    """A table in files, of LanceDB.

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
        return [name for name in self._table.schema.names if name != DIRECTION]

    @property
    def dim(self) -> int:
        return int(self._table.schema.field(DIRECTION).type.list_size)

    def search(
        self,
        query: Float[np.ndarray, " d"],
        k: int,
        *,
        where: str | None = None,
        exact: bool = False,
    ) -> "pa.Table":
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

    def quoted(self, name: str) -> str:
        return f"`{name}`"

    def rows(self, numbers: list[int]) -> dict[int, Any]:
        asked = self._table.search().where(f"{NUMBER} IN ({', '.join(map(str, numbers))})")
        found = asked.select([NUMBER, DIRECTION]).limit(len(numbers)).to_arrow()
        return dict(zip(found[NUMBER].to_pylist(), found[DIRECTION].to_pylist(), strict=True))

    def numbers(self) -> Int[np.ndarray, " n"]:
        found = self._table.search().select([NUMBER]).limit(max(1, len(self))).to_arrow()[NUMBER]
        return np.asarray(found.to_numpy())

    def part(self, numbers: Int[np.ndarray, " q"]) -> tuple["pa.Table", Float[np.ndarray, "q d"]]:
        found = self._table.to_arrow()
        own = found[NUMBER].to_numpy()
        order = np.argsort(own, kind="stable")
        places = order[np.searchsorted(own, numbers, sorter=order)]
        h = found[DIRECTION].combine_chunks().flatten().to_numpy().reshape(len(own), self.dim)  # (n, d)
        return found.select(self.columns).take(pa.array(places)), h[places]

    def names(self) -> set[str]:
        if "name" not in self.columns:
            return set()
        found = self._table.search().select(["name"]).limit(max(1, len(self))).to_arrow()["name"]
        return {name for name in found.to_pylist() if name is not None}

    def add(self, rows: Float[np.ndarray, "n d"], columns: Mapping[str, "pa.Array"]) -> None:
        lacking = self.check_added(rows, set(columns))
        schema = self._table.schema
        columns = {name: pa.nulls(len(rows), schema.field(name).type) for name in lacking} | dict(columns)
        ordered = {name: columns[name].cast(schema.field(name).type) for name in self.columns}
        self._table.add(pa.Table.from_batches(list(_batches(rows, ordered)), schema))
        self._table.optimize()

    def delete(self, where: str) -> int:
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
            raise self.unread(where, error) from error

    def part_up(self, partitions: int) -> None:
        from lancedb.index import IvfFlat

        index = IvfFlat(distance_type="cosine", num_partitions=partitions)
        self._table.create_index(DIRECTION, config=index)


def write_lance(folder: Path, rows: Array, columns: Mapping[str, "pa.Array"]) -> LanceTable:
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
    return LanceTable(folder)


def _batches(rows: Array, columns: Mapping[str, "pa.Array"]) -> Iterator["pa.RecordBatch"]:
    names = [*columns, DIRECTION]
    for start in range(0, len(rows), AT_ONCE):
        part = directions(np.asarray(rows[start : start + AT_ONCE]))
        flat = pa.FixedSizeListArray.from_arrays(pa.array(part.reshape(-1)), part.shape[1])
        values = [column.slice(start, len(part)) for column in columns.values()]
        yield pa.RecordBatch.from_arrays([*values, flat], names=names)
