"""A table of representations, written part by part."""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

GROUP = 8192  # rows that are in memory at once, and of a row group

# Of a table, the columns beside the representation, for rows `start` up to `stop`.
Columns = Callable[[int, int], dict[str, Any]]


def write_parquet(
    path: Path,
    parts: Iterable[Float[np.ndarray, "n d"]],
    columns: Columns,
    *,
    made: dict[str, Any],
    first: int = 0,
) -> int:
    """A table of `columns` and representations as `h`, a list of fixed size; how many rows it has.

    Args:
        path: of the file.
        parts: representations, one after the other.
        columns: the other columns, by the numbers of rows.
        made: how they were made, as JSON in the metadata under `replearn`.
        first: the number of the first row.

    Raises:
        ValueError: there is no part, which would say how wide `h` is.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    rest = iter(parts)
    begin = next(rest, None)
    if begin is None:
        raise ValueError("a table must have at least one row, which says how wide h is; got none.")
    width = begin.shape[1]
    fields = [(name, column.type) for name, column in columns(first, first).items()]
    schema = pa.schema([*fields, ("h", pa.list_(pa.float32(), width))])
    start = first
    # Numbers that hardly repeat are larger with a dictionary.
    repeated = [name for name, kind in fields if pa.types.is_string(kind)]
    told = schema.with_metadata({"replearn": json.dumps(made)})
    with pq.ParquetWriter(path, told, use_dictionary=repeated or False) as writer:
        for h in _in_groups(chain([begin], rest)):
            flat = pa.array(np.ascontiguousarray(h, dtype=np.float32).reshape(-1))  # (n·d,)
            table = columns(start, start + len(h)) | {"h": pa.FixedSizeListArray.from_arrays(flat, width)}
            writer.write_table(pa.table(table, schema=writer.schema))
            start += len(h)
    return start - first


def _in_groups(parts: Iterable[Float[np.ndarray, "_ d"]]) -> Iterator[Float[np.ndarray, "_ d"]]:
    """The same rows, `GROUP` at a time."""
    kept: list[np.ndarray] = []
    count = 0
    for part in parts:
        kept.append(part)
        count += len(part)
        if count >= GROUP:
            rows = np.concatenate(kept)
            whole = count // GROUP * GROUP
            for start in range(0, whole, GROUP):
                yield rows[start : start + GROUP]
            kept, count = [rows[whole:]], count - whole
    if count:
        yield np.concatenate(kept)
