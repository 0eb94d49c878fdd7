"""The text of Python's own manual, as it lies on the user's machine: nothing is shipped, nothing is downloaded.

    help topics, doc strings of the standard library --paragraphs--> texts of 40-150 words, each with its chapter

The sources are parsed, never imported.
"""

import ast
import hashlib
import sys
import sysconfig
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from replearn.data.labels import encode_labels
from replearn.data.progress import progress
from replearn.data.text import TextSamples
from replearn.data.text_files import hash_of
from replearn.data.text_store import TextWriter, stored_texts

# Part of the cache's key: raise it when other texts are made of the same files.
VERSION = 1
SHORTEST, WANTED, LONGEST = 40, 60, 150  # words of a text: at least, from which on it is enough, at most
TEST_SHARE = 0.2
TOPICS = "topics/"
# Chapters, and the modules and packages of the standard library that each is about.
CHAPTERS = {
    "code": "ast codeop compileall dis importlib inspect modulefinder pkgutil py_compile pyclbr pydoc runpy symtable "
    "tabnanny tokenize typing zipimport",
    "concurrency": "_threading_local asyncio concurrent multiprocessing queue sched subprocess threading",
    "data structures": "_collections_abc _strptime abc bisect calendar collections contextlib copy dataclasses "
    "datetime enum functools graphlib heapq operator pprint reprlib types weakref zoneinfo",
    "debugging": "bdb cProfile doctest pdb profile pstats timeit trace traceback tracemalloc unittest",
    "files": "_pyio bz2 filecmp fileinput fnmatch genericpath glob gzip io linecache lzma ntpath os pathlib posixpath "
    "shutil stat tarfile tempfile zipapp zipfile",
    "formats": "base64 configparser copyreg csv dbm html json mimetypes netrc pickle pickletools plistlib quopri "
    "shelve sqlite3 tomllib xml",
    "mail": "email imaplib mailbox poplib smtplib",
    "network": "ftplib http ipaddress selectors socket socketserver ssl urllib uuid webbrowser wsgiref xmlrpc",
    "numbers": "_pydecimal colorsys fractions numbers random secrets statistics",
    "programs": "argparse cmd code curses ensurepip getopt getpass gettext locale logging optparse platform "
    "rlcompleter shlex site sysconfig venv warnings",
    "text processing": "codecs difflib re string stringprep textwrap",
}
SYNTAX, TYPES = "syntax", "types"
# How help topics begin that are about objects; most others are about syntax.
OBJECTS = (
    "attribute-access basic bltin booleans callable-types conversions customization floating id-classes imaginary "
    "integers naming numbers numeric objects sequence special truth types"
)
OF_TEXT = ("string", "formatstrings")
KNOWN = 8  # words from which on a paragraph that stands in two places is taken once


def python_manual() -> tuple[TextSamples, np.ndarray]:
    """The texts, their chapters as classes, and the positions of the test part: whole documents, so that no text of it
    stands beside a training text in the same file.

    Raises:
        ValueError: this Python comes without the sources of its standard library.
    """
    library = Path(sysconfig.get_path("stdlib"))
    key = hash_of(f"manual {VERSION} {sys.version} {library}")
    samples, labels = stored_texts(
        "python-manual", key, lambda writer: _write(library, writer), strict=False, most=0
    )
    samples.labels, samples.classes = encode_labels(labels, len(samples), classes=chapters())
    return samples, _test_part(samples)


def chapters() -> tuple[str, ...]:
    """The names of the classes."""
    return tuple(sorted([*CHAPTERS, SYNTAX, TYPES]))


def _write(library: Path, writer: TextWriter) -> None:
    documents: list[tuple[str, str, str | Path]] = [*_topics(), *_modules(library)]
    known: set[str] = set()
    with progress("reading the manual", len(documents)) as advance:
        for name, chapter, source in documents:
            found = [source] if isinstance(source, str) else _doc_strings(source)
            texts = [" ".join(words).encode() for words in _cut(_new(_paragraphs(found), known))]
            writer.append(texts, [chapter] * len(texts), [name] * len(texts))
            advance(1)
    if not writer.rows:
        raise ValueError(
            f"python-manual needs the sources of Python's standard library; {library} holds none. Use another Python."
        )


def _topics() -> Iterator[tuple[str, str, str]]:
    """Name, chapter and text of each topic of `help()`."""
    try:
        from pydoc_data.topics import topics
    except ImportError:  # some systems leave it out
        return
    for name, text in sorted(topics.items()):
        yield TOPICS + name, _chapter(name), text


def _chapter(topic: str) -> str:
    if topic == "debugger":
        return "debugging"
    if topic.startswith(OF_TEXT):
        return "text processing"
    return TYPES if topic.startswith(tuple(OBJECTS.split())) else SYNTAX


def _modules(library: Path) -> Iterator[tuple[str, str, Path]]:
    """Name, chapter and file of each module."""
    for chapter, names in CHAPTERS.items():
        for name in names.split():
            files = [library / f"{name}.py", *sorted((library / name).rglob("*.py"))]
            for file in files:
                inside = file.relative_to(library).parts[1:-1]
                if file.is_file() and not {"test", "tests", "idle_test"} & set(inside):
                    yield file.relative_to(library).as_posix(), chapter, file


def _doc_strings(file: Path) -> Iterator[str]:
    """A module's doc strings, from top to bottom."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that are none
            tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, OSError):  # not for this Python
        return
    yield from filter(None, map(ast.get_docstring, _blocks(tree)))


def _blocks(node: Any) -> Iterator[Any]:
    """A module, its classes and functions, in the order of the file; what functions hold is their own affair."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        yield node
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        for part in ("body", "handlers", "orelse"):
            for child in getattr(node, part, ()):
                yield from _blocks(child)


def _paragraphs(texts: Iterable[str]) -> Iterator[list[str]]:
    """The words of each paragraph that is no program."""
    for text in texts:
        for paragraph in text.split("\n\n"):
            words = [
                word for word in paragraph.split() if len(word) < 3 or word.strip("*=-~^")
            ]  # no underlines
            letters = sum(word.strip(".,;:()'\"`").isalpha() for word in words)
            if words and words[0] != ">>>" and 2 * letters >= len(words):
                yield words


def _new(paragraphs: Iterable[list[str]], known: set[str]) -> Iterator[list[str]]:
    """Those that have not been seen, or are short: the manual says some things twice, of which one may be tested."""
    for words in paragraphs:
        text = " ".join(words)
        if len(words) < KNOWN or text not in known:
            known.add(text)
            yield words


def _cut(paragraphs: Iterable[list[str]]) -> Iterator[list[str]]:
    """Texts of some paragraphs each, or of a part of a long one."""
    text: list[str] = []
    for paragraph in paragraphs:
        text = text + paragraph
        while len(text) > LONGEST:
            end = _sentence_end(text)
            yield text[:end]
            text = text[end:]
        if len(text) >= WANTED:
            yield text
            text = []
    if len(text) >= SHORTEST:
        yield text


def _sentence_end(words: list[str]) -> int:
    """After the last sentence that ends within a text's length, or after that length."""
    ends = [i for i in range(SHORTEST, LONGEST + 1) if words[i - 1].endswith((".", ":", "?", "!"))]
    return ends[-1] if ends else LONGEST


def _test_part(samples: TextSamples) -> np.ndarray:
    """Positions of a fifth of each chapter, at most: documents in the order of a hash of their names, as they fit."""
    assert samples.labels is not None
    assert samples.names is not None
    names, first, documents = np.unique(samples.names[:], return_index=True, return_inverse=True)
    order = [place for _, place in sorted(zip(map(_draw, names), first.tolist(), strict=True))]
    sizes = np.bincount(documents)
    room = np.bincount(samples.labels, minlength=len(samples.classes)) * TEST_SHARE
    chosen = np.zeros(len(sizes), dtype=bool)
    for position in order:
        document, label = documents[position], samples.labels[position]
        if sizes[document] <= room[label]:
            room[label] -= sizes[document]
            chosen[document] = True
    return np.flatnonzero(chosen[documents])


def _draw(name: str) -> bytes:
    return hashlib.blake2b(name.encode()).digest()
