"""Rows of CSV, TSV, JSON-lines and Parquet files, one after the other, in bounded memory.

A folder of Parquet files, and nothing else, is one table: its files in the order of their names.

Each row comes with its place, `line 3` or `row 3`, so that an error can name it. Bytes that are no UTF-8 are lone
surrogates in its strings (PEP 383); `as_text` replaces them.
"""

import csv
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from replearn.data.columns import check_names
from replearn.data.labels import NUMBER, written_labels
from replearn.data.reasons import reason_of
from replearn.data.shards import holds_shards, shards_in
from replearn.data.text_files import blocks
from replearn.data.text_store import Notes

SEPARATED = (".csv", ".csv.gz", ".tsv", ".tsv.gz")
JSON_LINES = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")
PARQUET = (".parquet",)
LONGEST_CELL = 2**20  # characters
LONGEST_ROW = 2**24  # bytes of a line
NO_LIMIT = 2**31 - 1
ROWS_AT_ONCE = 1024  # of Parquet
SURE = 4  # separators in lines of one row from which they are no coincidence

# What stands for a missing number; beside names it is a name, and only an empty cell is missing.
GAPS = frozenset(("", "NA", "N/A", "n/a", "NaN", "nan", "<NA>", "NULL", "null", "None"))
LONE = re.compile("[\ud800-\udfff]")  # surrogates

Row = tuple[str, list[Any]]


def shown_name(name: str) -> str:
    r"""A file's name as text; bytes that are no text as `\xff`, so that names that differ stay different.

    >>> shown_name("a/\udcff.png")
    'a/\\xff.png'
    """
    return LONE.sub(lambda found: rf"\x{ord(found[0]) & 0xFF:02x}", name)


def is_record_file(path: Path) -> bool:
    """Whether a path's ending is that of a file of rows, or it is a folder of Parquet files."""
    if path.is_dir():
        return holds_shards(path, PARQUET)
    return path.name.lower().endswith(SEPARATED + JSON_LINES + PARQUET)


def is_parquet(path: Path) -> bool:
    """Whether this is a Parquet file, or a folder of some."""
    return path.name.lower().endswith(PARQUET) or holds_shards(path, PARQUET)


def is_json_lines(path: Path) -> bool:
    """Whether a path's ending is that of a file with a JSON object per line."""
    return path.name.lower().endswith(JSON_LINES)


def column_names(path: Path) -> list[str]:
    """The columns of a file: its first line, or the names in its objects, all of them.

    Raises:
        ValueError: the file cannot be read.
    """
    if is_parquet(path):
        return [str(name) for name in _parquet(shards_in(path)[0]).schema_arrow.names]
    if is_json_lines(path):
        return list(dict.fromkeys(name for _, found in _objects(path, shown=False) for name in found))
    return next((cells for _, cells in _cells(path, shown=False)), [])


def has_column(path: Path, name: str) -> bool:
    """Whether a file has a column; of JSON lines, whether any object has it, read until one is found."""
    if is_json_lines(path):
        return any(name in found for _, found in _objects(path, shown=False))
    return name in column_names(path)


def records(
    path: Path, columns: Sequence[str], *, maybe: Sequence[str] = (), swallowed: list[str] | None = None
) -> Iterator[Row]:
    """The place of each row and its values in these columns, None where it has none; then those in `maybe`, columns
    that the file need not have. `swallowed` gets the places of rows that seem to hold others; see `swallowed_rows`.

    In a CSV file quotes are quotes. In a TSV file they are characters, as its definition has it, except around a whole
    cell. Cells of both are strings.

    Raises:
        ValueError: no such file or column, a row that cannot be read.
    """
    if not path.exists() or not is_record_file(path):
        endings = ", ".join((*SEPARATED[::2], *JSON_LINES[::2], *PARQUET))
        raise ValueError(f"a file of rows must exist and end in {endings}; got {str(path)!r}.")
    check_columns(path, columns)
    if is_json_lines(path):
        wanted = (*columns, *maybe)
        return ((place, [found.get(name) for name in wanted]) for place, found in _objects(path))
    there = column_names(path)
    found = [*columns, *(name for name in maybe if name in there)]
    rows = _parquet_rows(path, found) if is_parquet(path) else _separated_rows(path, found, swallowed)
    blank = [None] * (len(columns) + len(maybe) - len(found))  # one `maybe` at most is asked for
    return ((place, values + blank) for place, values in rows)


def check_columns(path: Path, columns: Sequence[str]) -> None:
    """Raises ValueError if a file does not have these columns."""
    missing = [name for name in columns if not has_column(path, name)]
    if missing:
        check_names(column_names(path), missing, str(path))


def as_text(path: Path, place: str, value: Any, notes: Notes) -> str:
    """A cell's text, an empty one if there is none; notes count what was not as it should be.

    Raises:
        ValueError: it is no text.
    """
    if value is None:
        notes.missing += 1
        return ""
    if not isinstance(value, str):
        raise ValueError(
            f"{path}, {place}, must hold a text; got {str(value)[:60]!r}, a {type(value).__name__}."
        )
    if value.isascii() or not LONE.search(value):
        return value
    notes.replaced += 1
    return LONE.sub("\ufffd", value)


def typed(path: Path, values: list[Any]) -> list[Any]:
    """A column's values: of CSV and TSV files numbers, if all are, with None where there is a gap; else names."""
    if not path.name.lower().endswith(SEPARATED):
        return values
    found = written_labels(values)
    numbers = {value: as_number(value) for value in set(values) - GAPS}
    if any(isinstance(value, str) for value in found) and numbers and None not in numbers.values():
        return [numbers.get(value) for value in values]
    return found


def labels_in(path: Path, values: list[Any]) -> list[Any]:
    """A column of labels: of CSV and TSV files by the rule of `written_labels`, of others as they are."""
    return written_labels(values) if path.name.lower().endswith(SEPARATED) else values


def as_number(cell: str) -> float | None:
    """The number that a cell holds, or None."""
    return float(cell) if NUMBER.fullmatch(cell.strip()) else None


def swallowed_rows(path: Path, separator: str) -> list[str]:
    """Places of the rows in which a quote that isn't closed seems to have swallowed the rows after it.

    Such a row goes over several lines, each of which has as many separators as the first line of the file; with four
    of them or more in all, since a text of two lines with a comma each is nothing strange.
    """
    lines = (line.decode("utf-8", "surrogateescape") for line in whole_lines(path, shown=False))
    found: list[str] = []
    for _ in _csv_rows(path, lines, found, separator=separator, strict=False):
        pass
    return found


def _separated_rows(path: Path, columns: Sequence[str], swallowed: list[str] | None) -> Iterator[Row]:
    cells = _cells(path, swallowed=swallowed)
    _, header = next(cells)
    chosen = [header.index(name) for name in columns]
    for place, row in cells:
        if not row:  # an empty line
            continue
        if len(row) != len(header):
            raise ValueError(
                f"{path}, {place}, must have {len(header)} cells as its first line has; got {len(row)}. "
                "Is a quote or a separator within a cell?"
            )
        yield place, [row[i] for i in chosen]


def _cells(
    path: Path, *, shown: bool = True, swallowed: list[str] | None = None
) -> Iterator[tuple[str, list[str]]]:
    """The cells of each line, the first line's included."""
    lines = (line.decode("utf-8", "surrogateescape") for line in whole_lines(path, shown=shown))
    if not path.name.lower().endswith((".tsv", ".tsv.gz")):
        yield from _csv_rows(path, lines, [] if swallowed is None else swallowed)
        return
    for number, line in enumerate(lines, start=1):
        text = line.rstrip("\r\n")
        yield f"line {number}", [_unquoted(cell) for cell in text.split("\t")] if text else []


def _csv_rows(
    path: Path, lines: Iterator[str], swallowed: list[str], *, separator: str = ",", strict: bool = True
) -> Iterator[tuple[str, list[str]]]:
    """The cells of each row; `swallowed` gets the places of those that seem to hold others."""
    own: list[str] = []  # the lines of the row that is read

    def kept() -> Iterator[str]:
        for line in lines:
            own.append(line)
            yield line

    with _cells_up_to(LONGEST_CELL if strict else NO_LIMIT):
        rows = csv.reader(kept(), strict=strict, delimiter=separator)
        wanted = 0  # separators of the first row
        while True:
            began = rows.line_num + 1
            own.clear()
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                raise ValueError(
                    f"{path}, line {began}, must be a row of a CSV file; {error}. Is a quote not closed?"
                ) from error
            wanted = wanted or len(row) - 1
            if len(own) > 1 and _are_rows(own, separator, wanted):
                swallowed.append(f"line {began}")
            yield f"line {began}", row


def _are_rows(lines: Sequence[str], separator: str, wanted: int) -> bool:
    """Whether the lines of a row look like rows: those between the first and the last, or, where they are few, all."""
    inner = lines[1:-1] if (len(lines) - 2) * wanted >= SURE else lines
    return len(inner) * wanted >= SURE and all(line.count(separator) == wanted for line in inner)


@contextmanager
def _cells_up_to(characters: int) -> Iterator[None]:
    before = csv.field_size_limit(characters)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _unquoted(cell: str) -> str:
    inner = cell[1:-1]
    if len(cell) < 2 or cell[0] != '"' or cell[-1] != '"' or '"' in inner.replace('""', ""):
        return cell
    return inner.replace('""', '"')


def _objects(path: Path, *, shown: bool = True) -> Iterator[tuple[str, dict[str, Any]]]:
    """The object of each line that is not blank."""
    for number, line in enumerate(whole_lines(path, shown=shown), start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line.decode("utf-8", "surrogateescape"))
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path}, line {number}, must be JSON; {error}.") from error
        if not isinstance(found, dict):
            kind = type(found).__name__
            raise ValueError(
                f'{path}, line {number}, must be a JSON object such as {{"text": "..."}}; got a {kind}.'
            )
        yield f"line {number}", found


def whole_lines(path: Path, *, shown: bool = True) -> Iterator[bytes]:
    """The lines of a file with their ends, each in one piece.

    Raises:
        ValueError: a line is longer than 16,777,216 bytes.
    """
    number, rest = 1, b""
    for block in blocks(path, "reading rows" if shown else ""):
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            yield line + b"\n"
        number += len(lines)
        if len(rest) > LONGEST_ROW:
            raise ValueError(
                f"{path}, line {number}, must have at most {LONGEST_ROW:,} bytes; it has more. "
                "Has the file no line ends?"
            )
    if rest:
        yield rest


def _parquet(path: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = reason_of(error)
        raise ValueError(f"{path} must be a readable Parquet file; {reason}.") from error


def _parquet_rows(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    number, shards = 0, shards_in(path)
    for shard in shards:
        with _parquet(shard) as file:
            if len(shards) > 1:
                check_names(file.schema_arrow.names, columns, str(shard))
            for part in file.iter_batches(batch_size=ROWS_AT_ONCE, columns=list(dict.fromkeys(columns))):
                found = [part.column(name).to_pylist() for name in columns]
                for values in zip(*found, strict=True):
                    number += 1
                    yield f"row {number}", list(values)
