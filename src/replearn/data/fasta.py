"""FASTA and FASTQ: records of a header and a sequence, one after the other, plain or packed by gzip.

>name class=beta-lactam group=7         @name
ATGACC...                               ATGACC...
GGT...                                  +
                                        IIIIII...       (qualities, which are not read)
"""

import gzip
import re
import zlib
from collections.abc import Iterator
from typing import Any

from replearn.data.sources import is_hidden

ENDINGS = ("fasta", "fa", "fna", "ffn", "faa", "frn", "fas", "fastq", "fq")
SUFFIXES = tuple(f".{ending}{packed}" for ending in ENDINGS for packed in ("", ".gz"))
FIELD = re.compile(r"""(?:^|[\s\[|])([A-Za-z_]+)=("[^"]*"|[^\s\]]+)""")
LABELS, GROUPS = ("class", "label"), ("group", "family", "cluster")


class Broken(ValueError):
    """A file is no FASTA or FASTQ, or ends before it should."""


def is_fasta(name: str) -> bool:
    """Whether a file's ending is that of sequences, and neither it nor a folder on the way is hidden."""
    return name.lower().endswith(SUFFIXES) and not is_hidden(name)


def fasta_records(file: Any, name: str) -> Iterator[tuple[str, str]]:
    """The header and the sequence of each record of an open file; bytes that are no UTF-8 become U+FFFD.

    Raises:
        Broken: what comes next is no record.
    """
    opened: Any = gzip.GzipFile(fileobj=file) if name.lower().endswith(".gz") else file
    try:
        lines = (line.decode("utf-8", "replace").rstrip("\r\n") for line in opened)
        first = next((line for line in lines if line.strip() and not line.startswith(";")), None)
        if first is None:
            return
        first = first.removeprefix("\ufeff")
        if first.startswith(">"):
            yield from _fasta(first, lines)
        elif first.startswith("@"):
            yield from _fastq(first, lines)
        else:
            raise Broken(f"begins with {first[:20]!r}, neither > nor @")
    except (EOFError, OSError, zlib.error) as error:
        raise Broken(f"cannot be read to its end: {error}") from error


def _fasta(header: str, lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    parts: list[str] = []
    for line in lines:
        if line.startswith(">"):
            yield header[1:].strip(), "".join(parts)
            header, parts = line, []
        elif not line.startswith(";"):
            parts.append(line)
    yield header[1:].strip(), "".join(parts)


def _fastq(header: str, lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    number = 1
    while header:
        sequence, plus, quality = next(lines, None), next(lines, None), next(lines, None)
        if not header.startswith("@") or sequence is None or plus is None or not plus.startswith("+"):
            raise Broken(f"has no record of four lines, @, letters, + and qualities, as number {number}")
        if quality is None or len(quality) != len(sequence):
            got = 0 if quality is None else len(quality)
            raise Broken(f"has {got} qualities of {len(sequence)} letters in record {number}")
        yield header[1:].strip(), sequence
        header = next((line for line in lines if line.strip()), "")
        number += 1


def read_header(header: str) -> tuple[str, str | None, str | None]:
    """The name in a header, and the class and group that its fields tell.

    >>> read_header('fosA_1 class=fosfomycin group=12')
    ('fosA_1', 'fosfomycin', '12')
    """
    fields = {key.lower(): value.strip('"') for key, value in FIELD.findall(header)}
    name = header.split(maxsplit=1)[0] if header.strip() else ""
    label, group = (next((fields[key] for key in keys if key in fields), None) for keys in (LABELS, GROUPS))
    return name, label, group
