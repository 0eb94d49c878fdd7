"""Sequences of files, tables and lists: cleaned by their alphabet, with what was left out and changed told by numbers.

records (name, letters, label, group) --Survey--> alphabet --Cleaner--> the cache --> SequenceSamples
"""

import json
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from replearn.data.alphabets import Cleaning, Letters, NoSequence, cleaned
from replearn.data.asked import Asked, Found
from replearn.data.columns import check_names, label_column
from replearn.data.fasta import Broken, fasta_records, read_header
from replearn.data.folder import refuse_splits
from replearn.data.progress import progress
from replearn.data.reasons import reason_of
from replearn.data.records import column_names, labels_in, records
from replearn.data.scaffolds import scaffolds
from replearn.data.sequences import Spelling, as_sequences
from replearn.data.sources import Source, folder_labels
from replearn.data.tables import group_names
from replearn.data.text import StoredTexts, TextSamples
from replearn.data.text_files import file_key, hash_of
from replearn.data.text_store import Notes, TextWriter, stored_texts
from replearn.data.told import warn_of_data

log = logging.getLogger("replearn")

VERSION = 1  # part of the cache's key: raise it when reading changes
LONGEST = 2**20  # letters of a sample: a longer record becomes several
AT_ONCE = 1024
ALPHABET = "alphabet"  # name of the file in the cache
COLUMNS = ("sequence", "smiles", "seq", "text")
SCAFFOLD = "scaffold"
Row = tuple[str, str, Any, Any]  # name, letters, label, group


@runtime_checkable
class Read(Protocol):
    """What is asked of sequences (see `replearn.data.kinds.sequence.Sequences`)."""

    @property
    def alphabet(self) -> str: ...
    @property
    def groups(self) -> str | None: ...
    def spelling(self, alphabet: str) -> Spelling: ...


@dataclass
class Cleaner:
    """Cleans rows, and notes what was wrong with them.

    Attributes:
        alphabet: of the letters.
        scaffold: whether groups are scaffolds of molecules.
        named: whether rows have names of their own, which should differ.
    """

    alphabet: str
    scaffold: bool = False
    named: bool = True
    notes: Notes = field(default_factory=Notes)
    changed: Cleaning = field(default_factory=Cleaning)
    seen: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    repeated: int = 0

    def clean(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows that can be used, long ones in parts."""
        for name, letters, label, group in rows:
            self.rows += 1
            try:
                text = cleaned(letters, self.alphabet, self.changed)
                if self.scaffold and (group := scaffolds([text])[0]) is None:
                    raise NoSequence("is no molecule that rdkit reads")
            except NoSequence as error:
                self.notes.skipped.append((name, str(error)))
                continue
            own = self._once(name)
            self.notes.cut += len(text) > LONGEST
            for start in range(0, len(text), LONGEST):
                yield own, text[start : start + LONGEST], label, group

    def _once(self, name: str) -> str:
        if not self.named:
            return name
        count = self.seen[name] = self.seen.get(name, 0) + 1
        self.repeated += count > 1
        return name if count == 1 else f"{name} ({count})"

    def tell(self) -> None:
        """Note what was changed."""
        self.notes.called, self.notes.longest = "records", LONGEST
        if self.changed.gaps:
            what = "gaps and stops at the end" if self.alphabet == "protein" else "gaps"
            self.notes.lines.append(f"{what} are left out of {self.changed.gaps:,} sequences")
        if self.repeated:
            self.notes.lines.append(
                f"{self.repeated:,} records have the name of an earlier one: (2), (3), ... stand behind it"
            )


def files_of_sequences(source: Source, read: Read, asked: Asked, *, key: str) -> Found:
    """The records of a FASTA or FASTQ file, or of all in a folder or zip.

    Classes are the fields `class` or `label` of headers, else sub-folders; groups the fields `group`, `family` or
    `cluster`. Files are read twice: once for their letters, and to find those that are broken, which are left out and
    named; and once into the cache.

    Raises:
        ValueError: there is no sequence, or what `strict` says.
    """
    labelled = asked.labels is None
    if labelled:
        refuse_splits(source, "sequences")
    numbers, classes = folder_labels(source.names)

    def build(writer: TextWriter) -> None:
        letters, good = _survey(source, writer.notes)
        if not good:
            name, reason = writer.notes.skipped[0]
            raise ValueError(
                f"{source.path} must hold sequences, FASTA or FASTQ; none of {len(source.names):,} files can be read. "
                f"The first: {name!r} {reason}."
            )
        alphabet = letters.alphabet(molecules=False) if read.alphabet == "auto" else read.alphabet
        rows = _rows_of_files(source, good, numbers, classes)
        _write(writer, rows, Cleaner(alphabet, read.groups == SCAFFOLD, notes=writer.notes))

    settings = f"{key} {read.alphabet} {read.groups}"
    samples, own, _ = _stored(settings, build, read, asked, origin=str(source.path))
    return samples, own if labelled else None, None


def _survey(source: Source, notes: Notes) -> tuple[Letters, list[int]]:
    """The letters of all files that can be read to their end, and which these are."""
    letters, good = Letters(), []
    with progress("looking at sequences", len(source.names)) as advance:
        for place, name in enumerate(source.names):
            own = Letters()
            try:
                with source.open(place) as file:
                    own.add(letters for _, letters in fasta_records(file, name))
                letters.counts.update(own.counts)
                good.append(place)
            except Broken as error:
                notes.skipped.append((name, str(error)))
            except Exception as error:  # what a damaged or locked zip member raises is not documented
                notes.skipped.append((name, f"cannot be read: {reason_of(error, 100)}"))
            advance(1)
    return letters, good


def _rows_of_files(
    source: Source, good: Iterable[int], numbers: np.ndarray | None, classes: tuple[str, ...]
) -> Iterator[Row]:
    for place in good:
        folder = None if numbers is None or numbers[place] < 0 else classes[numbers[place]]
        with source.open(place) as file:
            for header, letters in fasta_records(file, source.names[place]):
                name, label, group = read_header(header)
                yield name, letters, label or folder, group


def _write(writer: TextWriter, rows: Iterable[Row], cleaner: Cleaner) -> None:
    """Clean rows and write them, with label and group in one, and the alphabet in a file of its own."""
    part: list[Row] = []

    def flush() -> None:
        labels = [json.dumps([label, group]) for _, _, label, group in part]
        texts = [text.encode("utf-8", "surrogatepass") for _, text, _, _ in part]
        writer.append(texts, labels, [name for name, _, _, _ in part])
        part.clear()

    for row in cleaner.clean(rows):
        part.append(row)
        if len(part) == AT_ONCE:
            flush()
    flush()
    cleaner.tell()
    if cleaner.changed.lower:
        log.info("%d sequences have lower-case letters, read as upper case", cleaner.changed.lower)
    (writer.folder / ALPHABET).write_text(cleaner.alphabet)


def _stored(key: str, build: Callable[[TextWriter], None], read: Read, asked: Asked, *, origin: str) -> Found:
    """Sequences from the cache."""
    key = hash_of(f"sequences {VERSION} {key}")
    samples, told = stored_texts(origin, key, build, strict=asked.strict, most=LONGEST)
    assert isinstance(samples.texts, StoredTexts)
    alphabet = (samples.texts.path.parent / ALPHABET).read_text()
    read_once = cache(json.loads)
    return _found(samples, [tuple(read_once(one)) for one in told or ()], alphabet, read, origin)


def _found(texts: TextSamples, told: list[tuple[Any, ...]], alphabet: str, read: Read, origin: str) -> Found:
    """Sequences with their labels and groups, where there are any."""
    spelling = read.spelling(alphabet)
    log.info("%s: %d sequences, read as %s; tokens: %s", origin, len(texts), alphabet, spelling)
    samples = as_sequences(texts, alphabet, spelling)
    labels, groups = [label for label, _ in told], [group for _, group in told]
    if any(group is not None for group in groups):
        samples.groups = group_names(groups)
    own = labels if any(label is not None for label in labels) else None
    return samples, own, None


def table_of_sequences(path: Path, read: Read, asked: Asked) -> Found:
    """A column of a file of rows: `text=`, or `sequence`, `smiles`, `seq`, `text`.

    Raises:
        ValueError: there is no such column, or no sequence, or what `strict` says.
    """
    names = column_names(path)
    column, label, group = _columns(names, read, asked, origin=str(path))

    def rows() -> Iterator[Row]:
        wanted = [column, *(name for name in (label, group) if name is not None)]
        for place, values in records(path, wanted):
            found = dict(zip(wanted, values, strict=True))
            text = found[column]
            yield place, "" if text is None else str(text), found.get(label or ""), found.get(group or "")

    def build(writer: TextWriter) -> None:
        alphabet = read.alphabet
        if alphabet == "auto":
            letters = Letters()
            letters.add(text for _, text, _, _ in rows())
            alphabet = letters.alphabet(molecules=True)
        _write(writer, rows(), Cleaner(alphabet, read.groups == SCAFFOLD, named=False, notes=writer.notes))

    settings = f"rows {column!a} {label!a} {group!a} {read.alphabet} {read.groups}"
    samples, own, _ = _stored(file_key(path, settings), build, read, asked, origin=str(path))
    return samples, None if own is None else labels_in(path, own), samples.groups if group else None


def frame_of_sequences(frame: Any, read: Read, asked: Asked) -> Found:
    """The same of a pandas frame."""
    frame = frame.rename(columns=str)
    column, label, group = _columns(list(frame.columns), read, asked, origin="the frame")
    texts = [
        "" if missing else str(text)
        for missing, text in zip(frame[column].isna(), frame[column], strict=True)
    ]
    labels = [None] * len(texts) if label is None else frame[label].tolist()
    groups = [None] * len(texts) if group is None else list(group_names(frame[group]))
    rows = [(f"row {i}", *row) for i, row in enumerate(zip(texts, labels, groups, strict=True))]
    samples, own, _ = listed(rows, read, asked, origin="the frame")
    return samples, own, samples.groups if group else None


def listed(rows: list[Row], read: Read, asked: Asked, *, origin: str) -> Found:
    """Sequences in memory.

    Raises:
        ValueError: there is none, or what `strict` says.
    """
    alphabet = read.alphabet
    if alphabet == "auto":
        letters = Letters()
        letters.add(text for _, text, _, _ in rows)
        alphabet = letters.alphabet(molecules=True)
    cleaner = Cleaner(alphabet, read.groups == SCAFFOLD, named=False)
    kept = list(cleaner.clean(rows))
    cleaner.tell()
    if cleaner.notes.told():
        warn_of_data(f"{origin}: {cleaner.notes.told()}", strict=asked.strict)
    if not kept:
        raise ValueError(f"{origin} must hold at least one sequence with a letter; it holds none. Give more.")
    texts = TextSamples(
        [text for _, text, _, _ in kept],
        names=[name for name, _, _, _ in kept] if cleaner.notes.skipped else None,
        skipped=cleaner.notes.skipped,
    )
    return _found(texts, [(label, group) for _, _, label, group in kept], alphabet, read, origin)


def _columns(
    names: list[str], read: Read, asked: Asked, *, origin: str
) -> tuple[str, str | None, str | None]:
    """The columns of sequences, labels and groups."""
    table = asked.table
    if table.columns or table.drop:
        raise ValueError(
            f"columns and drop are for tables of features; of {origin} sequences are read. Leave them out."
        )
    column = asked.text or next(
        (there for wanted in COLUMNS for there in names if there.lower() == wanted), None
    )
    if column is None:
        raise ValueError(
            f"{origin} must have a column {', '.join(COLUMNS)}, or text= must name that of sequences; it has "
            f"{', '.join(names[:10])}."
        )
    check_names(names, [column, *([table.groups] if table.groups else [])], origin)
    if table.groups and read.groups == SCAFFOLD:
        raise ValueError(
            f"groups must be a column or scaffolds; got {table.groups!r} and scaffolds. Leave one out."
        )
    label = (
        None
        if asked.labels is not None and table.labels is None
        else label_column(names, table.labels, origin=origin)
    )
    return column, label, table.groups
