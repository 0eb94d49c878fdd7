"""Tables with a column of texts: CSV, TSV, JSON lines and Parquet files, and pandas frames."""

from collections.abc import Hashable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from replearn.data.columns import LABEL_NAMES, check_names, label_column
from replearn.data.records import (
    GAPS,
    as_number,
    as_text,
    check_columns,
    column_names,
    has_column,
    is_json_lines,
    labels_in,
    records,
)
from replearn.data.tables import group_names
from replearn.data.text import TextSamples, text_samples
from replearn.data.text_files import file_key
from replearn.data.text_store import Notes, TextWriter, stored_texts
from replearn.data.told import warn_of_data

if TYPE_CHECKING:  # as in `tables`
    from pandas import DataFrame

# A column of this name holds the texts unless another is named.
TEXT_COLUMN = "text"
LONGEST_TEXT = 2**20  # bytes
ROWS_AT_ONCE = 1024
LOOKED_AT = 100  # rows that tell whether a column holds numbers


def text_column(path: Path, named: str | None) -> str | None:
    """The column that holds a file's texts: the one that is named, or `text`; None of a table of numbers.

    Raises:
        ValueError: no such column, or JSON lines without one.
    """
    if named is not None:
        check_columns(path, [named])
        return named
    if is_json_lines(path):
        if not has_column(path, TEXT_COLUMN):
            there = column_names(path)
            raise ValueError(
                f"{path} must have texts under {TEXT_COLUMN!r}, or text= (--text) must name them; "
                f"it has {', '.join(map(repr, there[:10])) or 'nothing'}."
            )
        return TEXT_COLUMN
    try:
        there = column_names(path)
    except ValueError:
        return None  # `read_table` says what is wrong with it
    if TEXT_COLUMN not in there:
        return None
    first = [values[0] for _, values in islice(records(path, [TEXT_COLUMN]), LOOKED_AT)]
    return None if all(_is_number(value) for value in first) else TEXT_COLUMN


def text_table_samples(
    path: Path, column: str, labels: str | None, *, groups: str | None = None, strict: bool = False
) -> tuple[TextSamples, list[Any] | None, np.ndarray | None]:
    """The texts of a file's column, one sample per row, and the columns of labels (see `label_column`; of JSON lines
    named, or `label`) and of groups, or None.

    Args:
        path: a CSV, TSV, JSON-lines or Parquet file.
        column: of the texts.
        labels, groups: the columns of labels and of groups.
        strict: raise where a text is missing or no UTF-8, instead of a `DataWarning`.

    Raises:
        ValueError: no such column, a row that cannot be read, a text of more than 1,048,576 bytes, no text with a
            character, or what `strict` says.
        CacheError: the cache cannot be written.
    """
    check_columns(path, [name for name in (labels, groups) if name is not None])
    label = labels
    if label is None:  # of JSON lines any object may have it: no pass over the file is spent to know
        label = (
            LABEL_NAMES[0]
            if is_json_lines(path)
            else label_column(column_names(path), None, origin=str(path))
        )

    def build(writer: TextWriter) -> None:
        maybe = [] if label is None else [label]
        rows = records(path, [column], maybe=maybe, swallowed=writer.notes.swallowed)
        while part := list(islice(rows, ROWS_AT_ONCE)):
            texts = [_bytes(path, place, values[0], writer.notes) for place, values in part]
            found = [] if label is None else [_hashable(path, place, values[1]) for place, values in part]
            writer.append(texts, found)

    key = file_key(path, f"rows {column!a} {label!a} {LONGEST_TEXT}")
    samples, found = stored_texts(str(path), key, build, strict=strict, most=LONGEST_TEXT)
    names = None if groups is None else group_names([values[0] for _, values in records(path, [groups])])
    return samples, None if found is None else labels_in(path, found), names


def text_frame_samples(
    frame: "DataFrame", column: str, labels: str | None, *, groups: str | None = None, strict: bool = False
) -> tuple[TextSamples, Any, np.ndarray | None]:
    """The same of a pandas frame."""
    frame = frame.rename(columns=str)
    names = list(frame.columns)
    check_names(names, [column, *([groups] if groups is not None else [])], "the frame")
    label = label_column(names, labels, origin="the frame")
    texts = frame[column].astype(object)
    missing = texts.isna()
    if missing.any():
        warn_of_data(f"the frame: {Notes(missing=int(missing.sum())).told()}", strict=strict)
    samples = text_samples(texts.where(~missing, "").tolist())
    found = None if groups is None else group_names(frame[groups])
    return samples, None if label is None else frame[label], found


def has_texts(frame: "DataFrame") -> bool:
    """Whether a pandas frame has a column `text` that holds no numbers."""
    return TEXT_COLUMN in frame.columns and frame[TEXT_COLUMN].dtype.kind not in "buif"


def _bytes(path: Path, place: str, value: Any, notes: Notes) -> bytes:
    text = as_text(path, place, value, notes).encode("utf-8", "replace")
    if len(text) > LONGEST_TEXT:
        raise ValueError(
            f"{path}, {place}, must hold a text of at most {LONGEST_TEXT:,} bytes; got {len(text):,}. Cut it."
        )
    return text


def _hashable(path: Path, place: str, value: Any) -> Hashable:
    """A label that the cache can keep: a name, a number, or None."""
    if isinstance(value, str):
        return as_text(path, place, value, Notes())
    if value is not None and not isinstance(value, bool | int | float):
        raise ValueError(
            f"{path}, {place}, must have a label that is a name or a number; got {str(value)[:60]!r}."
        )
    return value


def _is_number(value: Any) -> bool:
    return not isinstance(value, str) or value in GAPS or as_number(value) is not None
