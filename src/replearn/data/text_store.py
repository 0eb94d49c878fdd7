"""Texts of any number and size, put into the cache once, in bounded memory, and read from there.

parts of texts --TextWriter--> texts.utf8, ends.int64, labels.int32, info.json --read_store--> TextSamples
"""

import json
from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from replearn.data.cache import cached
from replearn.data.folder import StoredNames
from replearn.data.text import StoredTexts, TextSamples
from replearn.data.told import first_of, warn_of_data

# Part of the cache's key: raise it when what is stored of the same files changes.
VERSION = 3
TEXTS, ENDS, LABELS, NAMES, INFO = "texts.utf8", "ends.int64", "labels.int32", "names.json", "info.json"


@dataclass
class Notes:
    """What was not as it should be in the files that texts came from.

    Attributes:
        replaced: how many texts held bytes that are no UTF-8.
        cut: how many were longer than `longest` bytes, and became several.
        longest: bytes in a text.
        missing: how many rows have no text; theirs is empty.
        swallowed: places of rows that seem to hold others.
        skipped: name and reason of each file, or record of one, that was left out.
        lines: what else is to be told.
        called: what is left out, in a sentence.
    """

    replaced: int = 0
    cut: int = 0
    longest: int = 0
    missing: int = 0
    swallowed: list[str] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    called: str = "files"

    def told(self) -> str:
        """One line, or nothing."""
        found = []
        if self.replaced:
            found.append(f"{self.replaced:,} texts hold bytes that are no UTF-8; U+FFFD stands for them")
        if self.cut:
            found.append(
                f"{self.cut:,} texts are longer than {self.longest:,} bytes and were cut into several samples"
            )
        if self.missing:
            found.append(f"{self.missing:,} rows have no text; theirs is empty")
        if self.swallowed:
            found.append(told_swallowed(self.swallowed))
        if self.skipped:
            found.append(f"{len(self.skipped):,} {self.called} were left out: {first_of(self.skipped)}")
        return ". ".join([*found, *self.lines])


def told_swallowed(places: Sequence[str]) -> str:
    """What to say of rows of a CSV file that seem to hold others, by their places."""
    more = f" (and {len(places) - 1:,} more)" if len(places) > 1 else ""
    return f"the row of {places[0]}{more} goes over lines that look like rows of their own: is a quote not closed?"


class TextWriter:
    """Writes texts into a folder of the cache.

    Args:
        folder: where to.
        notes: what is wrong with the texts, written with them.
    """

    def __init__(self, folder: Path, notes: Notes) -> None:
        self.notes = notes
        self.rows = 0
        self.full = False  # whether any text has a character
        self.folder = folder
        self._end = 0
        self._codes: dict[tuple[str, Hashable], int] = {}
        self._names: list[str] = []
        self._texts: BinaryIO = (folder / TEXTS).open("wb")
        self._ends: BinaryIO = (folder / ENDS).open("wb")
        self._labels: BinaryIO = (folder / LABELS).open("wb")

    def __enter__(self) -> "TextWriter":
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        for file in (self._texts, self._ends, self._labels):
            file.close()
        if failed is None:
            self._finish()

    def append(
        self, texts: Sequence[bytes], labels: Sequence[Hashable] = (), names: Sequence[str] = ()
    ) -> None:
        """Add texts, as UTF-8, with a label and a name each where the others have one."""
        if not texts:
            return
        lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        ends = lengths.cumsum() + self._end
        self._end = int(ends[-1])
        self.rows += len(texts)
        self.full = self.full or any(not text.isspace() for text in texts if text)
        self._texts.write(b"".join(texts))
        self._ends.write(ends.tobytes())
        self._names += names
        if labels:
            # By type, too: 1 and True are equal.
            codes = [
                self._codes.setdefault((type(label).__name__, label), len(self._codes)) for label in labels
            ]
            self._labels.write(np.asarray(codes, dtype=np.int32).tobytes())

    def _finish(self) -> None:
        if self._names:
            (self.folder / NAMES).write_text(json.dumps(self._names))
        content = {"labels": [label for _, label in self._codes], "notes": asdict(self.notes)}
        (self.folder / INFO).write_text(json.dumps(content))


def stored_texts(
    origin: str, key: str, build: Callable[[TextWriter], None], *, strict: bool, most: int
) -> tuple[TextSamples, list[Any] | None]:
    """Texts from the cache, written there by `build` if need be, and the label of each as it was written, or None.

    Args:
        origin: where they come from, for messages.
        key: changes when they do.
        build: writes them.
        strict: raise if anything is not as it should be, instead of a `DataWarning`.
        most: bytes of a text.

    Raises:
        ValueError: no text has a character, or what `strict` says.
        CacheError: the cache cannot be written.
    """

    def write(folder: Path) -> None:
        with TextWriter(folder, Notes(longest=most)) as writer:
            build(writer)
            if not writer.full:
                raise ValueError(
                    f"{origin} must hold at least one text with a character; it holds none. Name another one."
                )

    entry = cached(f"texts-{key}", write)
    info = json.loads((entry / INFO).read_text())
    skipped = [(name, reason) for name, reason in info["notes"].pop("skipped")]
    notes = Notes(**info["notes"], skipped=skipped)
    if notes.told():
        warn_of_data(f"{origin}: {notes.told()}", strict=strict)
    ends = np.memmap(entry / ENDS, dtype=np.int64, mode="r")
    names = StoredNames(entry / NAMES, len(ends)) if (entry / NAMES).exists() else None
    samples = TextSamples(StoredTexts(entry / TEXTS, ends, key=key), names=names, skipped=skipped)
    if not info["labels"]:
        return samples, None
    values = np.empty(len(info["labels"]), dtype=object)
    values[:] = info["labels"]
    return samples, values[np.fromfile(entry / LABELS, dtype=np.int32)].tolist()
