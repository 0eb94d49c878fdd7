"""Tables with a column of texts: CSV, TSV, JSON lines and Parquet files, and pandas frames."""

from collections.abc import Hashable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replearn.data.folder import warn_of_data
from replearn.data.records import (
    GAPS,
    as_number,
    as_text,
    check_columns,
    column_names,
    is_json_lines,
    records,
    typed,
)
from replearn.data.tables import LABEL_COLUMN
from replearn.data.text import TextSamples, text_samples
from replearn.data.text_files import file_key
from replearn.data.text_store import Notes, TextWriter, stored_texts

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
        there = column_names(path)
        if TEXT_COLUMN not in there:
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
    path: Path, column: str, labels: str | None, *, strict: bool = False
) -> tuple[TextSamples, list[Any] | None]:
    """The texts of a file's column, one sample per row, and the column of labels (named, or `label`) or None.

    Args:
        path: a CSV, TSV, JSON-lines or Parquet file.
        column: of the texts.
        labels: the column of labels.
        strict: raise where a text is missing or no UTF-8, instead of a `DataWarning`.

    Raises:
        ValueError: no such column, a row that cannot be read, a text of more than 1,048,576 bytes, no text with a
            character, or what `strict` says.
        CacheError: the cache cannot be written.
    """
    if labels is not None:
        check_columns(path, [labels])
    label = labels or (LABEL_COLUMN if LABEL_COLUMN in column_names(path) else None)
    chosen = [column] if label is None else [column, label]

    def build(writer: TextWriter) -> None:
        rows = records(path, chosen)
        while part := list(islice(rows, ROWS_AT_ONCE)):
            texts = [_bytes(path, place, values[0], writer.notes) for place, values in part]
            found = [] if label is None else [_hashable(path, place, values[1]) for place, values in part]
            writer.append(texts, found)

    key = file_key(path, f"rows {column!a} {label!a} {LONGEST_TEXT}")
    samples, found = stored_texts(str(path), key, build, strict=strict, most=LONGEST_TEXT)
    return samples, None if found is None else typed(path, found)


def text_frame_samples(
    frame: "DataFrame", column: str, labels: str | None, *, strict: bool = False
) -> tuple[TextSamples, Any]:
    """The same of a pandas frame."""
    frame = frame.rename(columns=str)
    for name in filter(None, (column, labels)):
        if name not in frame.columns:
            raise ValueError(
                f"a frame must have a column {name!r}; it has {', '.join(map(repr, frame.columns[:10]))}."
            )
    label = labels or (LABEL_COLUMN if LABEL_COLUMN in frame.columns else None)
    texts = frame[column].astype(object)
    missing = texts.isna()
    if missing.any():
        warn_of_data(f"the frame: {Notes(missing=int(missing.sum())).told()}", strict=strict)
    samples = text_samples(texts.where(~missing, "").tolist())
    return samples, None if label is None else frame[label]


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
