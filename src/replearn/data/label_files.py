"""A file of labels beside a folder of images: one row per file, matched by name."""

import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from replearn.data.columns import LABEL_NAMES
from replearn.data.records import column_names, is_record_file, labels_in, records, typed
from replearn.data.tables import group_names
from replearn.data.text_store import told_swallowed
from replearn.data.told import DataWarning

FILE_COLUMNS = ("file", "name", "filename", "file_name", "path", "image", "id")
LABEL_COLUMNS = (*LABEL_NAMES, "category")


def read_label_file(
    path: Path, names: Sequence[str], *, targets: Sequence[str] = (), groups: str | None = None
) -> tuple[list[Any] | dict[str, list[Any]], np.ndarray | None]:
    """The label of each name, None where the file has none; and the group of each, if a column of them is named.

    Where columns of `targets` are named, each name has its value in every one of them instead, by the column.

    A row's file is a path below the folder of images; the file's name alone, or that without its ending,
    will do where only one image has it. Rows that say the same twice are fine. Images without a row stay
    unlabelled, and rows without an image are left out, both with a `DataWarning` that counts and names them.
    Names are read as they are written (`0000` is not `0`); labels by the rule of `written_labels`.

    Raises:
        ValueError: no such file, no columns for name and label, rows that contradict each other, or no row
            that fits.
    """
    if not path.is_file() or not is_record_file(path):
        raise ValueError(
            f"labels must be a CSV, TSV, JSON-lines or Parquet file, or one label per sample; got {str(path)!r}."
        )
    columns = column_names(path)
    file_column = pick(path, columns, FILE_COLUMNS)
    told = list(targets) or [pick(path, columns, LABEL_COLUMNS)]
    wanted = [file_column, *told, *([groups] if groups is not None else [])]
    swallowed: list[str] = []
    rows = [values for _, values in records(path, wanted, swallowed=swallowed)]
    files = ["" if row[0] is None else str(row[0]) for row in rows]
    typing = typed if targets else labels_in
    own = zip(*(typing(path, [row[1 + i] for row in rows]) for i in range(len(told))), strict=True)
    labels, unknown = _match(path, zip(files, own, strict=True), names)
    missing = [name for place, name in enumerate(names) if place not in labels]
    if not labels:
        raise ValueError(
            f"{path} must name the files; none of its {len(rows):,} rows fits one of {len(names):,}. "
            f"Rows: {_few(unknown)}; files: {_few(names)}."
        )
    lines = []
    if missing:
        lines.append(
            f"{len(missing):,} of {len(names):,} files have no row and stay unlabelled: {_few(missing)}"
        )
    if unknown:
        lines.append(f"{len(unknown):,} rows fit no file and are left out: {_few(unknown)}")
    if swallowed:
        lines.append(told_swallowed(swallowed))
    if lines:
        warnings.warn(f"{path}: {'. '.join(lines)}", DataWarning, stacklevel=4)
    each = [
        [labels[place][i] if place in labels else None for place in range(len(names))]
        for i in range(len(told))
    ]
    found = dict(zip(told, each, strict=True)) if targets else each[0]
    if groups is None:
        return found, None
    of_files, _ = _match(path, zip(files, (row[-1] for row in rows), strict=True), names)
    return found, group_names([of_files.get(place) for place in range(len(names))])


def _match(
    path: Path, rows: Iterable[tuple[str, Any]], names: Sequence[str]
) -> tuple[dict[int, Any], list[str]]:
    """The label at each name's place, and the rows' files that are no name."""
    places = places_of(names)
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


def places_of(names: Sequence[str]) -> dict[str, int]:
    """Places by path, and by name with and without ending where no other image has it."""
    paths = [PurePosixPath(name) for name in names]
    short = Counter(path.name for path in paths)
    stems = Counter(path.stem for path in paths)
    places = {path.stem: place for place, path in enumerate(paths) if stems[path.stem] == 1}
    places |= {path.name: place for place, path in enumerate(paths) if short[path.name] == 1}
    return places | {name: place for place, name in enumerate(names)}


def pick(path: Path, columns: Iterable[str], wanted: tuple[str, ...]) -> str:
    """The column that has the first of the wanted names.

    Raises:
        ValueError: none has.
    """
    by_name = {name.strip().casefold(): name for name in reversed(list(columns))}
    found = next((by_name[name] for name in wanted if name in by_name), None)
    if found is None:
        raise ValueError(
            f"{path} must have a column {' or '.join(wanted[:3])}; got {', '.join(columns) or 'none'}. Rename one."
        )
    return found


def _few(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names[:3]) + (", ..." if len(names) > 3 else "")
