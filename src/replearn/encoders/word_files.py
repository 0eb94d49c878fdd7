"""Word vectors in the formats that most programs read: word2vec's text and binary files, and GloVe's text.

text:    number of words, dim, end of line; then a line for each word: word, numbers (GloVe: no first line)
binary:  the same first line; then for each word: word, a space, dim float32 of four bytes, end of line
"""

import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch

from replearn.encoders.word_table import WordTable

log = logging.getLogger("replearn")

LARGEST_DIM = 65_536  # numbers per word
LINE = 2**16  # bytes in which the end of a word must come: a file without ends is none of ours


def write_word2vec(table: WordTable, path: str | Path, *, binary: bool = False) -> None:
    """Write the words that have vectors.

    Args:
        table: words and vectors.
        path: of the file.
        binary: whether numbers are written as four bytes each, exactly, or as text, exactly too.

    Raises:
        ValueError: a word holds a space, which would end it.
    """
    vectors = table.vectors.cpu().numpy().astype("<f4")
    known = np.flatnonzero(vectors.any(axis=1))
    spaced = next((table.words[row] for row in known if len(table.words[row].split()) != 1), None)
    if spaced is not None:
        raise ValueError(
            f"words in word2vec's format must have no spaces and at least one sign; got {spaced!r}. "
            "Leave it out, or join it by '_'."
        )
    with Path(path).open("wb") as file:
        file.write(f"{len(known)} {table.dim}\n".encode())
        for row in known.tolist():
            numbers = vectors[row].tobytes() if binary else " ".join(map(str, vectors[row])).encode()
            file.write(table.words[row].encode() + b" " + numbers + b"\n")


def read_word2vec(path: str | Path, *, binary: bool | None = None, most: int | None = None) -> WordTable:
    """Words and vectors from a file of word2vec's text or binary format, or GloVe's text.

    Args:
        path: of the file.
        binary: its format; None: found out.
        most: so many lines at most, the first; files are mostly sorted by frequency.

    Of lines that repeat a word the first counts; a line of the log says how many do not.

    Raises:
        ValueError: the file holds something else, or ends too soon.
    """
    source = Path(path)
    if not source.is_file():
        raise ValueError(f"word vectors must lie in a file; {source} is none. Check the path.")
    with source.open("rb") as file:
        first = file.readline(LINE).split()
        head = _head(first)
        if head is None:
            file.seek(0)
            found = list(_lines(file, len(first) - 1, most, source))
        else:
            count, dim = head
            _check_head(source, count, dim)
            wanted = count if most is None else min(count, most)
            as_bytes = _is_binary(file, dim) if binary is None else binary
            read = _records(file, dim, wanted, source) if as_bytes else _lines(file, dim, wanted, source)
            found = list(read)
            if len(found) < wanted:
                raise ValueError(
                    f"{source} must hold {count} words, as its first line says; it holds {len(found)}. "
                    "It was cut off: fetch it again."
                )
    if not found:
        raise ValueError(
            f"{source} must hold a word and its vector on a line; it holds none. Check the file."
        )
    table = _once(found, source)
    vectors = torch.from_numpy(np.stack(list(table.values())))
    if not torch.isfinite(vectors).all():
        wrong = int((~torch.isfinite(vectors)).any(1).sum())
        raise ValueError(
            f"{source} must hold finite numbers; {wrong:,} words have others. The file is damaged."
        )
    return WordTable(tuple(table), vectors)


def _once(found: list[tuple[str, np.ndarray]], source: Path) -> dict[str, np.ndarray]:
    """The first vector of each word; a line of the log counts the others."""
    table: dict[str, np.ndarray] = {}
    for word, row in found:
        table.setdefault(word, row)
    if len(table) < len(found):
        counts = Counter(word for word, _ in found).most_common(3)
        log.warning(
            "%s: %d of %d lines repeat a word and are left out; the first of each counts: %s",
            *(source, len(found) - len(table), len(found)),
            ", ".join(repr(word) for word, count in counts if count > 1),
        )
    return table


def _check_head(source: Path, count: int, dim: int) -> None:
    """Raises ValueError where a file is too short for what its first line says; a number takes two bytes at least."""
    if not 1 <= dim <= LARGEST_DIM or count * (2 * dim + 2) > source.stat().st_size + 2 * dim + 2:
        raise ValueError(
            f"{source} must hold as many words as its first line says, {count:,} of {dim:,} numbers; it has "
            f"{source.stat().st_size:,} bytes. It was cut off: fetch it again."
        )


def _head(first: list[bytes]) -> tuple[int, int] | None:
    """Number of words and dim, where the first line says them."""
    if len(first) != 2 or not all(number.isdigit() for number in first):
        return None
    return int(first[0]), int(first[1])


def _is_binary(file: BinaryIO, dim: int) -> bool:
    """Whether what follows the first word is no text of so many numbers."""
    here = file.tell()
    line = file.readline(LINE).split()
    file.seek(here)
    try:
        return len([float(number) for number in line[-dim:]]) != dim or len(line) < dim + 1
    except ValueError:
        return True


def _lines(file: BinaryIO, dim: int, most: int | None, source: Path) -> Iterator[tuple[str, np.ndarray]]:
    for number, line in enumerate(file):
        if most is not None and number >= most:
            return
        word, *numbers = line.rstrip().split(b" ")
        if len(numbers) > dim > 0:  # a few words of published files hold spaces
            word, numbers = b" ".join([word, *numbers[:-dim]]), numbers[-dim:]
        try:
            row = np.array(numbers, dtype=np.float32)
        except ValueError:
            row = np.empty(0, np.float32)
        if len(row) != dim or dim < 1:
            raise ValueError(
                f"each line of {source} must hold a word and {max(dim, 1)} numbers; number {number + 1} of them holds "
                f"{line[:40]!r}. Check the file, or set binary=True."
            )
        yield word.decode("utf-8", "replace"), row


def _records(file: BinaryIO, dim: int, count: int, source: Path) -> Iterator[tuple[str, np.ndarray]]:
    for _ in range(count):
        letters = bytearray()
        while (letter := file.read(1)) not in (b" ", b""):
            letters += letter
            if len(letters) > LINE:
                raise ValueError(
                    f"{source} must hold words that end with a space; it does not. Check the file."
                )
        content = file.read(4 * dim)
        if len(content) < 4 * dim:
            return
        yield (
            letters.lstrip(b"\n").decode("utf-8", "replace"),
            np.frombuffer(content, "<f4").astype(np.float32),
        )
