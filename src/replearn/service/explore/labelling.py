"""Labels that are given by clicking: a CSV with a row per sample, as `--labels FILE` of all commands reads it.

Each change reads the file anew, changes the rows of the samples that were clicked, and puts the new file in the place
of the old one in an instant, while others on this machine wait. So a process that is killed leaves the file whole, and
what two pages write at once is all in it.
"""

import csv
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Int

from replearn.data.label_files import FILE_COLUMNS, LABEL_COLUMNS, pick, places_of
from replearn.data.labels import NUMBER, UNLABELLED, written_labels
from replearn.engine.owner import locked
from replearn.engine.run import make_run, replacing
from replearn.report.excerpts import without_controls

log = logging.getLogger("replearn")

LONGEST = 100  # characters of a class's name


class LabelFile:
    """A file of labels for samples of these names.

    Args:
        path: the file, which may not be there yet.
        names: of the samples; of nameless ones their numbers.

    Raises:
        ValueError: it is no CSV, can't be read as labels of these samples, or names are no text or not all different.
    """

    def __init__(self, path: str | Path, names: Sequence[str]) -> None:
        self.path, self.names = Path(path).expanduser(), [str(name) for name in names]
        if not self.path.name.lower().endswith(".csv"):
            raise ValueError(
                f"--labels must name a CSV file, which is written as you click; got {str(path)!r}. Name one, "
                "labels.csv say; other columns are shown by --keep."
            )
        try:
            "".join(self.names).encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                "--labels needs names of files that are text; one holds bytes that are none. Rename it."
            ) from error
        if len(set(self.names)) < len(self.names):
            raise ValueError(
                f"--labels needs a name of its own for each sample; {len(set(self.names)):,} names are given to "
                f"{len(self.names):,}. Rename some."
            )
        make_run(self.path.absolute().parent)
        self._seen: tuple[int, int, int] | None = None
        self._told: list[str | None] = [None] * len(self.names)
        self.read()

    def read(self) -> list[str | None]:
        """The label of each sample, None where it has none; the file is read where it has changed.

        Raises:
            ValueError: it can't be read as labels of these samples.
        """
        if not self.path.exists():
            self._seen, self._told = None, [None] * len(self.names)
            return self._told
        found = self.path.stat()
        seen = (found.st_mtime_ns, found.st_size, found.st_ino)
        if seen != self._seen:
            self._told, self._seen = self._of_samples(*_rows(self.path)), seen
        return self._told

    def _of_samples(self, rows: list[list[str]], header: list[str]) -> list[str | None]:
        file, told = _columns(self.path, header)
        of_row = self._names_of([row[file] for row in rows])
        found: dict[str, str | None] = {}
        for name, label in zip(of_row, written_labels([row[told] for row in rows]), strict=True):
            if isinstance(label, float):
                raise ValueError(
                    f"{self.path} must hold classes; its labels are measurements, as {label:g} is."
                )
            if name is None:
                continue
            text = None if label in (None, UNLABELLED) else str(label)
            if found.setdefault(name, text) != text:
                raise ValueError(
                    f"{self.path} must give each file one label; {name!r} has {found[name]!r} and {text!r}. Keep one."
                )
        strangers = of_row.count(None)
        if strangers and self._seen is None:
            log.warning(
                "%s: %d of %d rows fit no sample; they stay in the file as they are",
                *(self.path, strangers, len(rows)),
            )
        return [found.get(name) for name in self.names]

    def assign(self, positions: Sequence[int], label: str | None) -> None:
        """Give samples a label, or take it from them; when this returns, it is on the disk.

        Raises:
            ValueError: the label can't be a class's name, or the file has become something else.
        """
        label = None if label is None else checked_label(label)
        chosen = {self.names[position] for position in positions}
        with locked(self.path.absolute().parent):
            rows, header = _rows(self.path) if self.path.exists() else ([], ["file", "label"])
            file, told = _columns(self.path, header)
            of_row = self._names_of([row[file] for row in rows])
            for row, name in zip(rows, of_row, strict=True):
                if name in chosen:
                    row[told] = label or ""
            if label is not None:
                there = set(of_row)
                for name in (self.names[position] for position in sorted(set(positions))):
                    if name not in there:
                        rows.append(["" for _ in header])
                        rows[-1][file], rows[-1][told] = name, label
            if rows:
                self._write(header, rows)
        self.read()

    def _names_of(self, files: list[str]) -> list[str | None]:
        """Which sample each row is of, by the rule of `read_label_file`."""
        places = places_of(self.names)
        found = [places.get(file, places.get(file.removeprefix("./"))) for file in files]
        return [None if place is None else self.names[place] for place in found]

    def _write(self, header: list[str], rows: list[list[str]]) -> None:
        with replacing(self.path) as part, part.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *rows])


def checked_label(label: object) -> str:
    """A label as a class's name.

    Raises:
        ValueError: it is empty, too long, holds control characters, or would be read as a measurement or as unknown.

    >>> checked_label(" cat ")
    'cat'
    """
    text = label.strip() if isinstance(label, str) else ""
    if not 1 <= len(text) <= LONGEST or without_controls(text) != text or len(text.splitlines()) > 1:
        raise ValueError(
            f"a label must be a name of 1 to {LONGEST} characters on one line; got {label!r:.60}."
        )
    if NUMBER.fullmatch(text) and (float(text) < 0 or float(text) % 1):
        raise ValueError(f"a label must be a name or a whole number from 0 on; got {text!r}. Write a name.")
    return text


def numbered(told: Sequence[str | None]) -> tuple[Int[np.ndarray, " n"], list[str]]:
    """Labels as positions among their names, in order (-1: none), and the names.

    >>> numbered(["b", None, "a"])
    (array([ 1, -1,  0]), ['a', 'b'])
    """
    names = sorted({one for one in told if one is not None}, key=_by_number)
    at = {name: place for place, name in enumerate(names)}
    return np.array([UNLABELLED if one is None else at[one] for one in told], dtype=np.int64), names


def _by_number(name: str) -> tuple[int, str]:
    return (int(name) if name.isdecimal() and len(name) < 9 else 10**9, name)


def _rows(path: Path) -> tuple[list[list[str]], list[str]]:
    """The rows of a CSV, each as long as its first line, and this line."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        try:
            found = [row for row in csv.reader(file) if row]
        except (csv.Error, UnicodeDecodeError) as error:
            raise ValueError(f"{path} must be a CSV file of labels; it can't be read ({error}).") from error
    if not found:
        return [], ["file", "label"]
    header = found[0]
    wrong = next((number for number, row in enumerate(found) if len(row) != len(header)), None)
    if wrong is not None:
        raise ValueError(
            f"{path} must have {len(header)} cells in each row, as its first line has; row {wrong} has "
            f"{len(found[wrong])}. Correct it."
        )
    return found[1:], header


def _columns(path: Path, header: list[str]) -> tuple[int, int]:
    """The places of the columns of files and labels."""
    return (
        header.index(pick(path, header, FILE_COLUMNS)),
        header.index(pick(path, header, LABEL_COLUMNS)),
    )
