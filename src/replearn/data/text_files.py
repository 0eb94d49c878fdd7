"""Text files: one sample per line of a file, or one per file of a folder.

    file --blocks--> lines --pieces--> the cache --> TextSamples

Bytes that are no UTF-8 are replaced and counted. No line is read whole that is longer than a text may be: it is cut
into pieces, so a file without line ends takes no more memory than any other.
"""

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from replearn.data.folder import refuse_splits
from replearn.data.progress import progress
from replearn.data.shards import shards_in
from replearn.data.sources import Source, folder_labels
from replearn.data.text import TextSamples
from replearn.data.text_store import VERSION, Notes, TextWriter, stored_texts

LINE_SUFFIXES = (".txt", ".txt.gz")
# Bytes of a text: a longer line, or a longer file of a folder, becomes several samples.
LONGEST_LINE = 2**16
LONGEST_FILE = 2**20
BLOCK = 2**22  # bytes that are read at once
MARK = b"\xef\xbb\xbf"  # that some programs put before UTF-8
OTHER_MARKS = (b"\xff\xfe", b"\xfe\xff")  # of UTF-16


def is_text_file(path: Path) -> bool:
    """Whether a path's ending is that of lines of text."""
    return path.name.lower().endswith(LINE_SUFFIXES)


def line_samples(path: Path, *, strict: bool = False) -> TextSamples:
    """One sample per line that has a character, without its line end.

    Args:
        path: a `.txt` or `.txt.gz` file of UTF-8.
        strict: raise where bytes are no UTF-8 or a line is longer than 65,536 bytes. Otherwise the bytes are replaced,
            the line becomes several samples, and one `DataWarning` counts both.

    Raises:
        ValueError: no line has a character, the file is UTF-16 or damaged, or what `strict` says.
        CacheError: the cache cannot be written.
    """

    def build(writer: TextWriter) -> None:
        for texts in _lines(blocks(path, "reading texts"), writer.notes):
            writer.append(texts)

    return stored_texts(
        str(path), file_key(path, f"lines {LONGEST_LINE}"), build, strict=strict, most=LONGEST_LINE
    )[0]


def file_samples(
    source: Source, *, strict: bool = False, labelled: bool = True
) -> tuple[TextSamples, list[Any] | None]:
    """One sample per text file, and the class of each by its sub-folder (see `folder_labels`) or None.

    Args:
        source: where the files lie.
        strict: raise where bytes are no UTF-8, a file is longer than 1,048,576 bytes or has no character. Otherwise the
            bytes are replaced, the long file becomes several samples of the same name and label, the empty one is left
            out, and one `DataWarning` counts them.
        labelled: take the classes from sub-folders.

    Raises:
        ValueError: no file has a character, sub-folders that are splits, or what `strict` says.
        CacheError: the cache cannot be written.
    """
    if labelled:
        refuse_splits(source, "texts")

    def build(writer: TextWriter) -> None:
        numbers, classes = folder_labels(source.names)
        with progress("reading texts", len(source.names)) as advance:
            for place, name in enumerate(source.names):
                for texts in _file(source, place, writer.notes):
                    own = None if numbers is None or numbers[place] < 0 else classes[numbers[place]]
                    writer.append(texts, [] if numbers is None else [own] * len(texts), [name] * len(texts))
                advance(1)

    key = hash_of(f"files {VERSION} {LONGEST_FILE} {source.key}")
    samples, labels = stored_texts(str(source.path), key, build, strict=strict, most=LONGEST_FILE)
    return samples, labels if labelled else None


def file_key(path: Path, settings: str) -> str:
    """A hash that changes when the file changes: of its name, size, and times of last change (see `FolderSource`); of a
    folder of shards, of those of its files."""
    marks = []
    for one in shards_in(path):
        stat = one.stat()
        marks.append(f"{one.name!a} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}")
    return hash_of(" ".join([str(VERSION), settings, *marks]))


def hash_of(text: str) -> str:
    """Of 32 letters."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def blocks(path: Path, what: str) -> Iterator[bytes]:
    """The bytes of a UTF-8 file, unpacked, without the mark that may stand before them; `what` is being
    done is shown as progress.

    Raises:
        ValueError: the file is packed and damaged, or is UTF-16.
    """
    total = None if path.suffix.lower() == ".gz" else path.stat().st_size
    opened = gzip.open if total is None else open
    with opened(path, "rb") as file, progress(what, total) as advance:
        first = True
        while block := _read(path, file):
            if first and block.startswith(OTHER_MARKS):
                raise ValueError(f"{path} must be UTF-8; it begins as UTF-16 does. Save it as UTF-8.")
            yield block.removeprefix(MARK) if first else block
            first = False
            advance(len(block))


def _read(path: Path, file: Any) -> bytes:
    try:
        return bytes(file.read(BLOCK))
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{path} must be a whole file; it cannot be read ({error}).") from error


def _lines(found: Iterator[bytes], notes: Notes) -> Iterator[list[bytes]]:
    """Lines as texts, those of a block at a time."""
    rest, cut = b"", False  # what is left of the last line, and whether some of it is a text already
    for block in found:
        *lines, rest = (rest + block).split(b"\n")
        if lines:
            yield _texts(lines, notes, LONGEST_LINE, cut=cut)
            cut = False
        if len(rest) > LONGEST_LINE:
            *pieces, rest = _pieces(rest, LONGEST_LINE)
            notes.cut += not cut
            cut = True
            yield _texts(pieces, notes, LONGEST_LINE)
    yield _texts([rest], notes, LONGEST_LINE)


def _file(source: Source, place: int, notes: Notes) -> Iterator[list[bytes]]:
    """The text of a file, or several if it is long; none, but a note, if it is blank or cannot be read."""
    rest, read, full = b"", 0, False
    try:
        with source.open(place) as file:
            while block := file.read(LONGEST_FILE):
                if not read and block.startswith(OTHER_MARKS):
                    notes.skipped.append((source.names[place], "is UTF-16"))
                    return
                *pieces, rest = _pieces(rest + (block if read else block.removeprefix(MARK)), LONGEST_FILE)
                read += len(block)
                texts = _texts(pieces, notes, LONGEST_FILE)
                full = full or bool(texts)
                yield texts
    except Exception as error:  # what a damaged or locked zip member raises is not documented
        notes.skipped.append((source.names[place], f"cannot be read: {error}"))
        return
    texts = _texts([rest], notes, LONGEST_FILE)
    yield texts
    notes.cut += read > LONGEST_FILE
    if not full and not texts:
        notes.skipped.append((source.names[place], "has no character"))


def _texts(lines: list[bytes], notes: Notes, longest: int, *, cut: bool = False) -> list[bytes]:
    """Those with a character, without the line end, as UTF-8 of at most `longest` bytes each.

    `cut`: that the first is longer has been noted.
    """
    if max(map(len, lines), default=0) > longest:
        notes.cut += sum(len(line) > longest for line in (lines[1:] if cut else lines))
        lines = [piece for line in lines for piece in _pieces(line, longest)]
    texts = [line.removesuffix(b"\r") for line in lines if line.strip()]
    return texts if _is_utf8(b"\n".join(texts)) else [_replaced(text, notes) for text in texts]


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _replaced(text: bytes, notes: Notes) -> bytes:
    if _is_utf8(text):
        return text
    notes.replaced += 1
    return text.decode("utf-8", "replace").encode()


def _pieces(text: bytes, longest: int) -> list[bytes]:
    """A text cut into pieces, after a space where one is near, and never within a character of UTF-8."""
    pieces, start = [], 0
    while len(text) - start > longest:
        end = start + longest
        space = text.rfind(b" ", end - longest // 16, end) + 1
        while not space and end > start + longest - 4 and text[end] & 0xC0 == 0x80:  # within a character
            end -= 1
        pieces.append(text[start : space or end])
        start = space or end
    return [*pieces, text[start:]]
