"""A table of labels beside a folder of images: one row per file, matched by name."""

import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from replearn.data.folder import DataWarning
from replearn.data.tables import is_table_file, read_table

FILE_COLUMNS = ("file", "name", "filename", "file_name", "path", "image", "id")
LABEL_COLUMNS = ("label", "class", "category", "target")


def read_label_file(path: Path, names: Sequence[str]) -> list[Any]:
    """The label of each name, None where the file has none.

    A row's file is a path below the folder of images; the file's name alone, or that without its ending,
    will do where only one image has it. Rows that say the same twice are fine. Images without a row stay
    unlabelled, and rows without an image are left out, both with a `DataWarning` that counts and names them.

    Raises:
        ValueError: no such file, no columns for name and label, rows that contradict each other, or no row
            that fits.
    """
    if not path.is_file() or not is_table_file(path):
        raise ValueError(f"labels must be a CSV or Parquet file, or one label per sample; got {str(path)!r}.")
    frame = read_table(path).rename(columns=lambda name: str(name).strip().lower())
    file_column = _pick(path, frame.columns, FILE_COLUMNS)
    label_column = _pick(path, frame.columns, LABEL_COLUMNS)
    column = frame[label_column].astype(object)
    rows = zip(frame[file_column].astype(str), column.where(column.notna(), None), strict=True)
    labels, unknown = _match(path, rows, names)
    missing = [name for place, name in enumerate(names) if place not in labels]
    if not labels:
        raise ValueError(
            f"{path} must name the files; none of its {len(frame):,} rows fits one of {len(names):,}. "
            f"Rows: {_few(unknown)}; files: {_few(names)}."
        )
    lines = []
    if missing:
        lines.append(
            f"{len(missing):,} of {len(names):,} files have no row and stay unlabelled: {_few(missing)}"
        )
    if unknown:
        lines.append(f"{len(unknown):,} rows fit no file and are left out: {_few(unknown)}")
    if lines:
        warnings.warn(f"{path}: {'. '.join(lines)}", DataWarning, stacklevel=4)
    return [labels.get(place) for place in range(len(names))]


def _match(
    path: Path, rows: Iterable[tuple[str, Any]], names: Sequence[str]
) -> tuple[dict[int, Any], list[str]]:
    """The label at each name's place, and the rows' files that are no name."""
    places = _places(names)
    labels: dict[int, Any] = {}
    unknown, contradicted = [], []
    for file, label in rows:
        place = places.get(file, places.get(file.removeprefix("./")))
        if place is None:
            unknown.append(file)
        elif labels.setdefault(place, label) != label:
            contradicted.append(file)
    if contradicted:
        raise ValueError(
            f"{path} must give each file one label; {len(contradicted):,} rows contradict an earlier one: "
            f"{_few(contradicted)}. Keep one row of each."
        )
    return labels, unknown


def _places(names: Sequence[str]) -> dict[str, int]:
    """Places by path, and by name with and without ending where no other image has it."""
    paths = [PurePosixPath(name) for name in names]
    short = Counter(path.name for path in paths)
    stems = Counter(path.stem for path in paths)
    places = {path.stem: place for place, path in enumerate(paths) if stems[path.stem] == 1}
    places |= {path.name: place for place, path in enumerate(paths) if short[path.name] == 1}
    return places | {name: place for place, name in enumerate(names)}


def _pick(path: Path, columns: Iterable[str], wanted: tuple[str, ...]) -> str:
    found = next((name for name in wanted if name in columns), None)
    if found is None:
        raise ValueError(
            f"{path} must have a column {' or '.join(wanted[:3])}; got {', '.join(columns)}. Rename one."
        )
    return found


def _few(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names[:3]) + (", ..." if len(names) > 3 else "")
