"""Molecules in a table's column of SMILES."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from replearn.data.asked import Asked, Found
from replearn.data.columns import check_names, label_column
from replearn.data.graphs.molecules import ATOM, COLUMN, of_smiles
from replearn.data.graphs.reading import Read, assembled
from replearn.data.graphs.stored import stored
from replearn.data.records import is_json_lines, records
from replearn.data.table_files import read_table
from replearn.data.tables import group_names
from replearn.data.text_files import file_key


def molecule_samples(data: Any, asked: Asked) -> Found:
    """The molecules of a pandas frame, a CSV, TSV, JSON-lines or Parquet file, or a list of SMILES.

    Raises:
        ValueError: no such column, rdkit is not installed, or it reads none of them.

    Warns:
        DataWarning: SMILES that rdkit refuses are left out, with their number and the first of them.
    """
    if isinstance(data, list | tuple):
        samples, _ = assembled(
            of_smiles(data, _rows(len(data))), "the list", strict=asked.strict, details=DETAILS
        )
        return samples, None, None
    origin = str(data) if isinstance(data, str | Path) else "the frame"
    column = asked.text or COLUMN
    frame = _frame(Path(data).expanduser(), column, asked) if isinstance(data, str | Path) else data
    frame = frame.rename(columns=str)
    wanted = [column, *([asked.table.groups] if asked.table.groups is not None else [])]
    check_names(list(frame.columns), wanted, origin)
    label = label_column(list(frame.columns), asked.table.labels, origin=origin)
    texts = frame[column].astype(object).tolist()

    def read() -> tuple[Iterator[Read], dict[str, Any]]:
        return of_smiles(texts, _rows(len(texts))), DETAILS

    if isinstance(data, str | Path):
        key = file_key(Path(data).expanduser(), f"molecules {column!a}")
        samples, _ = stored(key, origin, read, strict=asked.strict)
    else:
        samples, _ = assembled(read()[0], origin, strict=asked.strict, details=DETAILS)
    rows = [int(name.removeprefix("row ")) - 1 for name in samples.names or ()]
    labels = None if label is None else frame[label].astype(object).iloc[rows].tolist()
    groups = None if asked.table.groups is None else group_names(frame[asked.table.groups])[rows]
    return samples, labels, groups


DETAILS = {"columns": list(ATOM)}


def _rows(n: int) -> list[str]:
    return [f"row {place + 1}" for place in range(n)]


def _frame(path: Path, column: str, asked: Asked) -> Any:
    if is_json_lines(path):
        import pandas as pd

        wanted = [name for name in (column, asked.table.groups) if name is not None]
        label = asked.table.labels or "label"
        rows = [values for _, values in records(path, wanted, maybe=[label])]
        return pd.DataFrame(rows, columns=[*wanted, label])
    texts = [column, *([asked.table.groups] if asked.table.groups else [])]
    return read_table(path, texts=texts, labels=asked.table.labels, strict=asked.strict)
