"""CSV, TSV and Parquet files as pandas frames."""

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replearn.data.columns import is_number, label_column
from replearn.data.labels import written_labels
from replearn.data.reasons import reason_of
from replearn.data.records import is_parquet, swallowed_rows
from replearn.data.shards import shards_in
from replearn.data.text_store import told_swallowed
from replearn.data.told import warn_of_data

if TYPE_CHECKING:  # pandas is imported where it is used: most data come as arrays or images
    from pandas import DataFrame

# What stands for a missing number in a file; in a column of names it is a name, and only an empty cell is missing.
NO_NUMBER = ["", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "-nan", "<NA>", "NULL", "null", "None"]


def read_table(
    path: Path, *, texts: Sequence[str] = (), labels: str | None = None, strict: bool = False
) -> "DataFrame":
    """A CSV, TSV or Parquet file; a CSV whose first line is all numbers has no header.

    Columns of a CSV file are numbers where all of their cells are (`NA` and the like are gaps), else names as they are
    written. The labels, which the file has under the name that is given or one of `LABEL_NAMES`, are read as names
    too, and become numbers by the rule of `written_labels`.

    Args:
        path: of the file.
        texts: columns that are read as names in any case.
        labels: the column of labels, if it isn't called so.
        strict: raise where a row seems to hold others, instead of a `DataWarning`.

    Raises:
        ValueError: the file is damaged or empty, or what `strict` says.
    """
    try:
        if is_parquet(path):
            return string_names(_read_shards(path))
        frame = _read_separated(path, texts, labels)
    except (
        ValueError,
        OSError,
        EOFError,
        zlib.error,
    ) as error:  # pandas' and pyarrow's errors are these, too
        reason = reason_of(error)
        hint = " Is a quote not closed?" if "EOF inside string" in reason else ""
        raise ValueError(f"{path} must be a readable table with at least one row; {reason}.{hint}") from error
    if _has_line_ends(frame) and (places := swallowed_rows(path, _separator(path))):
        warn_of_data(f"{path}: {told_swallowed(places)}", strict=strict)
    return frame


def _read_shards(path: Path) -> "DataFrame":
    """A Parquet file, or all in a folder."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    if path.is_file():
        return pd.read_parquet(path)
    tables = []
    for shard in shards_in(path):
        try:
            tables.append(pq.read_table(shard, partitioning=None))
            found = tables[-1].schema
            if not found.equals(tables[0].schema):
                names = [name for name in found.names if name not in tables[0].schema.names]
                told = f"it also has {names[0]!r}" if names else "names or types differ"
                raise ValueError(f"{shard.name} must have the columns of the first file; {told}")
        except (pa.ArrowException, OSError, EOFError) as error:
            raise ValueError(f"{shard.name}: {error}") from error
    frame: DataFrame = pa.concat_tables(tables).to_pandas()
    return frame.reset_index(drop=True)


def _read_separated(path: Path, texts: Sequence[str], labels: str | None) -> "DataFrame":
    import pandas as pd

    settings: Any = {"sep": _separator(path), "low_memory": False}
    header = pd.read_csv(path, nrows=0, **settings)
    if _all_numbers(header.columns):
        settings["header"] = None
        header = pd.read_csv(path, nrows=1, **settings)
    names = {str(name): name for name in header.columns}
    label = labels if labels in names else label_column(list(names), None, origin=str(path))
    as_names = {name for text, name in names.items() if text in {*texts, label}}
    settings["keep_default_na"] = False
    frame = pd.read_csv(
        path,
        dtype=dict.fromkeys(as_names, str),
        na_values={name: NO_NUMBER for name in names.values() if name not in as_names},
        **settings,
    )
    others = [name for name in frame.columns if name not in as_names and not is_number(frame[name])]
    if others:
        again = pd.read_csv(path, usecols=others, dtype=str, **settings)
        frame[others] = again[others]
    frame = string_names(frame)
    if label is not None:
        frame[label] = pd.Series(written_labels(frame[label].tolist()), dtype=object, index=frame.index)
    return frame


def _separator(path: Path) -> str:
    return "\t" if ".tsv" in path.suffixes else ","


def _has_line_ends(frame: "DataFrame") -> bool:
    """Whether a cell goes over several lines."""
    names = [name for name in frame.columns if not is_number(frame[name])]
    return any(isinstance(cell, str) and "\n" in cell for name in names for cell in frame[name].unique())


def string_names(frame: "DataFrame") -> "DataFrame":
    """The frame with names of columns that are strings.

    Raises:
        ValueError: two are the same.
    """
    frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise ValueError(f"columns must have names of their own; {twice[0]!r} comes twice. Rename one.")
    return frame


def _all_numbers(columns: Any) -> bool:
    try:
        [float(name) for name in columns]
    except ValueError:
        return False
    return True
