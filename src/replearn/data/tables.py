"""Tables: pandas frames, CSV and Parquet files, arrays of two axes.

file --read_table--> frame --choose_columns--> features --learn_reading, read_frame--> TableSamples
"""

import copy
import logging
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from replearn.data.arrays import chunks, standard_array
from replearn.data.columns import (
    LABEL_NAMES,
    Columns,
    choose_columns,
    gaps,
    is_number,
    label_column,
    like_groups,
)
from replearn.data.labels import encode_labels, written_labels
from replearn.data.records import is_parquet, swallowed_rows
from replearn.data.samples import ArraySamples
from replearn.data.shards import shards_in
from replearn.data.stored import StoredRows
from replearn.data.table_reading import LARGEST, TableReading, learn_reading, read_frame
from replearn.data.text_store import told_swallowed
from replearn.data.told import warn_of_data

if TYPE_CHECKING:  # pandas is imported where it is used: most data come as arrays or images
    from pandas import DataFrame

log = logging.getLogger("replearn")

# What stands for a missing number in a file; in a column of names it is a name, and only an empty cell is missing.
NO_NUMBER = ["", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "-nan", "<NA>", "NULL", "null", "None"]


@dataclass(frozen=True, kw_only=True)
class TableOptions:
    """What is asked of a table.

    Attributes:
        labels, groups: columns of classes, and of groups that a split keeps together.
        targets: columns of several things to predict, which are not learned from.
        columns: to learn from, if they are not to be found.
        drop: not to learn from.
        reading: how other rows were read, so that these are read alike; None: learn it from these.
        strict: raise where columns are left out or gaps are filled, instead of a `DataWarning`.
    """

    labels: str | None = None
    groups: str | None = None
    targets: Sequence[str] = ()
    columns: Sequence[str] = ()
    drop: Sequence[str] = ()
    reading: TableReading | None = None
    strict: bool = False


class TableSamples(ArraySamples):
    """Rows of a table, read as numbers.

    Args:
        frame: the columns that are read.
        reading: how.
        learned: whether it was learned from these rows, so that a split may learn it again from a part of them.
    """

    def __init__(self, frame: "DataFrame", reading: TableReading, *, origin: str, learned: bool) -> None:
        x, self.notes = read_frame(frame, reading, origin=origin)
        super().__init__(x)
        self.frame = frame
        self.reading = reading
        self.origin = origin
        self.learned = learned

    def learned_on(self, index: np.ndarray) -> "TableSamples":
        """The same rows, with medians and values of the rows at `index`; of a reading that was given, as they are."""
        if not self.learned:
            return self
        reading = learn_reading(self.frame.iloc[index])
        again = TableSamples(self.frame, reading, origin=self.origin, learned=True)
        changed = copy.copy(self)
        changed.__dict__.pop("statistics", None)
        changed.x, changed.shape, changed.reading = again.x, again.shape, reading
        for line in again.notes:
            log.info("%s: %s", self.origin, line)
        return changed


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
            return _named(_read_shards(path))
        frame = _read_separated(path, texts, labels)
    except (
        ValueError,
        OSError,
        EOFError,
        zlib.error,
    ) as error:  # pandas' and pyarrow's errors are these, too
        reason = " ".join(str(error).split())[:200].rstrip(".")
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
                told = f"it has {names[0]!r} besides" if names else "names or types differ"
                raise ValueError(f"{shard.name} must have the columns of the first file; {told}")
        except (pa.ArrowException, OSError, EOFError) as error:
            raise ValueError(f"{shard.name}: {error}") from error
    frame: DataFrame = pa.concat_tables(tables).to_pandas()
    return frame.reset_index(drop=True)


def table_samples(
    frame: "DataFrame", options: TableOptions, *, origin: str = "the table"
) -> tuple[TableSamples, Any, Any]:
    """The features of a table as samples, its labels or None, and its groups or None.

    Raises:
        ValueError: no such column, no feature, a number that is infinite or too large.
    """
    frame = _named(frame)
    if len(frame) == 0:
        raise ValueError(f"a table must hold at least one sample; got none under {frame.shape[1]} columns.")
    label = label_column(list(frame.columns), options.labels, origin=origin)
    values = None if label is None else _labels(frame, label, given=options.labels is not None)
    lines = []
    if options.reading is None:
        chosen = choose_columns(
            frame,
            origin=origin,
            labels=options.labels,
            groups=options.groups,
            columns=options.columns,
            drop=[*options.drop, *options.targets],
        )
        features = frame[list(chosen.features)]
        reading = learn_reading(features)
        samples = TableSamples(features, reading, origin=origin, learned=True)
        lines = [f"not learned from: {chosen.told()}"] if chosen.left_out else []
        if label is not None and values is None:
            lines.append(f"{label!r} holds measurements: neither learned from nor labels")
        lines += filter(None, [_told_groups(frame, chosen, options), reading.told()])
    else:
        samples = TableSamples(frame, options.reading, origin=origin, learned=False)
        known = {*options.reading.names, *options.targets, label, options.groups}
        if options.groups in options.reading.names:
            log.warning(
                "%s: column %r holds the groups, but the run has learned from it; fit with groups named, too",
                *(origin, options.groups),
            )
        others = [name for name in frame.columns if name not in known]
        if others:
            log.info(
                "%s: columns that were not learned from are left out: %s", origin, ", ".join(others[:10])
            )
        for line in samples.notes:
            log.warning("%s: %s", origin, line)
    if lines:
        warn_of_data(f"{origin}: {'; '.join(lines)}", strict=options.strict)
    if label is not None and options.labels is None and label != LABEL_NAMES[0] and values is not None:
        log.info("%s: column %r holds the labels", origin, label)
    if options.groups is None:
        return samples, values, None
    groups = group_names(frame[options.groups])
    if options.reading is None:
        named = len(set(groups.tolist()) - {""})
        log.info("%s: column %r holds %d groups and is not learned from", origin, options.groups, named)
    return samples, values, groups


def _told_groups(frame: "DataFrame", chosen: Columns, options: TableOptions) -> str:
    """What to say of features that look like groups where none are named; nothing where there are none."""
    alike = [] if options.columns or options.groups else like_groups(frame, chosen.features)
    if not alike:
        return ""
    return (
        f"{alike[0]!r} is learned from, but looks like groups of rows ({frame[alike[0]].nunique():,} values): --groups "
        f"{alike[0]}, in Python groups={alike[0]!r}, keeps it out, and each group on one side of a split"
    )


def array_samples(data: Any, reading: TableReading | None = None) -> ArraySamples:
    """An array `(n, d)` as samples; digits that float32 would lose are saved by a shift, which `reading` keeps.

    Raises:
        ValueError: as `standard_array` does; a number is too large.
    """
    import pandas as pd

    array = data.detach().cpu().numpy() if hasattr(data, "detach") else data
    plain = reading is not None and not reading.texts and not any(c.marked for c in reading.columns)
    fits = reading is not None and plain and array.ndim == 2 and len(reading.columns) == array.shape[1]
    wide = array.ndim == 2 and array.dtype.kind in "iuf" and array.dtype.itemsize > 4 and 0 not in array.shape
    known = reading if fits and reading is not None and any(c.shift for c in reading.columns) else None
    if known is None and (not wide or not np.isfinite(array).all()):  # `standard_array` says in how many rows
        return ArraySamples(_within(standard_array(data)))
    frame = pd.DataFrame(array)
    found = known or learn_reading(_named(frame))
    if not any(column.shift for column in found.columns):
        return ArraySamples(_within(standard_array(data)))
    samples = TableSamples(
        frame.set_axis(list(found.names), axis=1), found, origin="the array", learned=known is None
    )
    if known is None:
        warn_of_data(f"the array: {found.told()}", strict=False)
    return samples


def group_names(values: Any) -> np.ndarray:
    """Names of groups, `""` where there is none.

    Raises:
        ValueError: they are not one column.
    """
    import pandas as pd

    column = pd.Series(values)
    if column.ndim != 1:
        raise ValueError(f"groups must be one column; got shape {column.shape}.")
    missing = gaps(column)
    return np.array(
        ["" if gap else str(value) for gap, value in zip(missing, column, strict=True)], dtype=str
    )


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
    frame = _named(frame)
    if label is not None:
        frame[label] = pd.Series(written_labels(frame[label].tolist()), dtype=object, index=frame.index)
    return frame


def _separator(path: Path) -> str:
    return "\t" if ".tsv" in path.suffixes else ","


def _has_line_ends(frame: "DataFrame") -> bool:
    """Whether a cell goes over several lines."""
    names = [name for name in frame.columns if not is_number(frame[name])]
    return any(isinstance(cell, str) and "\n" in cell for name in names for cell in frame[name].unique())


def _labels(frame: "DataFrame", label: str, *, given: bool) -> Any:
    """The column of labels; None of one that was found by its name and holds no classes."""
    if given or label == LABEL_NAMES[0]:
        return frame[label]
    try:
        encode_labels(frame[label], len(frame))
    except ValueError:
        return None
    return frame[label]


def _named(frame: "DataFrame") -> "DataFrame":
    """The frame with names of columns that are strings.

    Raises:
        ValueError: two are the same.
    """
    frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise ValueError(f"columns must have names of their own; {twice[0]!r} comes twice. Rename one.")
    return frame


def _within(x: "np.ndarray | StoredRows") -> "np.ndarray | StoredRows":
    """The same, if its numbers are not too large."""
    size = max((float(np.abs(part).max()) for _, part in chunks(x)), default=0.0)
    if size > LARGEST:
        raise ValueError(
            f"values must be at most {LARGEST:.0e} in size, for their squares must fit float32; got {size:.3g}. "
            "Divide them by a constant."
        )
    return x


def _all_numbers(columns: Any) -> bool:
    try:
        [float(name) for name in columns]
    except ValueError:
        return False
    return True
