"""Where the files of images or texts lie: a folder, a zip, or a folder inside a zip."""

import hashlib
import logging
import os
import zipfile
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from io import BufferedReader, BytesIO
from operator import attrgetter, itemgetter
from pathlib import Path

import numpy as np

log = logging.getLogger("replearn")

SUFFIXES = frozenset(
    f".{ending}"
    for ending in (
        *("avif", "bmp", "dib", "gif", "ico", "jfif", "jp2", "jpeg", "jpg"),
        *("pbm", "pgm", "png", "pnm", "ppm", "tga", "tif", "tiff", "webp"),
    )
)
TEXT_SUFFIXES = frozenset({".txt"})
# A member of a zip that unpacks to more is refused unread.
LARGEST_MEMBER = 2**30
# One that unpacks to more is unpacked as it is read, so that many at once take little memory.
LARGEST_WHOLE = 2**26


class Source(ABC):
    """Files of one kind by position, in the order of their names.

    Attributes:
        path: what the user named.
        names: path of each file below it, with `/`, kept as found.
        texts: how many text files there are, if those of `names` are others.
        left_out: a line on what else lies there (hidden files, other endings, what can't be reached), or nothing.
        key: a hash that changes when any file changes.
        parallel: whether two threads read faster than one.
    """

    path: Path
    names: list[str]
    texts: int
    left_out: str
    key: str
    parallel: bool

    @abstractmethod
    def open(self, position: int) -> BufferedReader | BytesIO:
        """One file, opened; safe to call from many threads."""


class FolderSource(Source):
    """All files of a kind below a folder, links followed.

    The key covers each file's name, size, and times of last change of content (mtime) and of anything
    (ctime), in nanoseconds. Reading every byte instead would make each start as slow as the disk; a change
    that keeps all four is not one that ordinary programs make.
    """

    parallel = True  # many files are opened at once, which hides the delay of a network's disk

    def __init__(self, path: Path, wanted: Callable[[str], bool]) -> None:
        self.path = path
        digest = hashlib.blake2b(b"folder", digest_size=16)
        unreached: list[str] = []
        entries = list(walk(path, unreached))
        found = sorted((name, entry) for name, entry in entries if wanted(name))
        for name, stat in found:
            line = f"{name}\0{stat.st_size}\0{stat.st_mtime_ns}\0{stat.st_ctime_ns}\n"
            digest.update(line.encode("utf-8", "surrogateescape"))
        self.names = [name for name, _ in found]
        self.texts = sum(is_text_name(name) for name, _ in entries)
        self.left_out = _left_out([name for name, _ in entries if not wanted(name)], unreached)
        self.key = digest.hexdigest()

    def open(self, position: int) -> BufferedReader | BytesIO:
        return open(os.path.join(self.path, self.names[position]), "rb")


class ListSource(Source):
    """Files that are listed one by one, in that order."""

    parallel = True

    def __init__(self, paths: Sequence[str | Path]) -> None:
        self.path = Path(os.path.commonpath([os.path.dirname(os.path.abspath(path)) for path in paths]))
        self.names = [os.fspath(path) for path in paths]
        self.texts, self.left_out = 0, ""
        digest = hashlib.blake2b(b"list", digest_size=16)
        for name in self.names:
            stat = os.stat(name)
            # The name, too, as it was given: samples go by it.
            line = (
                f"{name}\0{os.path.abspath(name)}\0{stat.st_size}\0{stat.st_mtime_ns}\0{stat.st_ctime_ns}\n"
            )
            digest.update(line.encode("utf-8", "surrogateescape"))
        self.key = digest.hexdigest()

    def open(self, position: int) -> BufferedReader | BytesIO:
        return open(self.names[position], "rb")


class ZipSource(Source):
    """All files of a kind in a zip, or below one folder of it. Nothing is unpacked to disk.

    A backslash in a member's name separates folders, as a slash does: some programs write it.

    The key covers each member's name, size and CRC-32, so it is the content's.
    """

    parallel = False  # reading is unpacking, mostly in Python

    def __init__(self, path: Path, inside: str, wanted: Callable[[str], bool]) -> None:
        self.path = path / inside
        prefix = f"{inside.strip('/')}/" if inside else ""
        self._archive = _open_zip(path)
        named = [(member.filename.replace("\\", "/"), member) for member in self._archive.infolist()]
        below = [(name, member) for name, member in named if name.startswith(prefix) and name[-1:] != "/"]
        members = sorted(((name, member) for name, member in below if wanted(name)), key=itemgetter(0))
        self._members = [member for _, member in members]
        self.names = [name.removeprefix(prefix) for name, _ in members]
        self.texts = sum(is_text_name(name) for name, _ in below)
        self.left_out = _left_out([name.removeprefix(prefix) for name, _ in below if not wanted(name)], [])
        outside = sum(".." in name.split("/") for name, _ in named)
        if outside:
            log.warning("%s: %d members whose names lead out of it (../) are left out", path, outside)
        listing = [(name, member.file_size, member.CRC) for name, member in members]
        self.key = hashlib.blake2b(ascii(listing).encode(), digest_size=16).hexdigest()

    def open(self, position: int) -> BufferedReader | BytesIO:
        member = self._members[position]
        if member.file_size > LARGEST_MEMBER:
            raise OSError(f"unpacks to {member.file_size:,} bytes, over the limit of {LARGEST_MEMBER:,}")
        if member.file_size > LARGEST_WHOLE:
            return BufferedReader(self._archive.open(member))  # type: ignore[arg-type]  # it has readinto
        return BytesIO(self._archive.read(member))  # safe from many threads: zipfile locks each read


def _open_zip(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise ValueError(
            f"{path} must be a whole zip file; it cannot be read ({error}). Download it again."
        ) from error


def is_image_name(name: str) -> bool:
    """Whether a file's ending is an image's, and neither it nor a folder on the way is hidden."""
    return os.path.splitext(name)[1].lower() in SUFFIXES and not is_hidden(name)


def is_text_name(name: str) -> bool:
    """The same of texts."""
    return os.path.splitext(name)[1].lower() in TEXT_SUFFIXES and not is_hidden(name)


def is_hidden(name: str) -> bool:
    """Whether a file, or a folder on the way to it, is hidden."""
    return name.startswith((".", "__MACOSX")) or "/." in name


def _left_out(names: list[str], unreached: list[str]) -> str:
    """What lies beside the files that are read, in words: hidden files, other endings, what can't be reached."""
    hidden = [name for name in names if is_hidden(name)]
    others = Counter(
        os.path.splitext(name)[1].lower() or "none"
        for name in names
        if not is_hidden(name) and not is_text_name(name)
    )
    found = []
    if hidden:
        found.append(f"{len(hidden):,} hidden file{'s' * (len(hidden) != 1)} ({_few(hidden)})")
    if others:
        endings = _few([f"{ending} {count:,}" for ending, count in others.most_common()])
        found.append(f"{others.total():,} of other endings ({endings})")
    if unreached:
        found.append(
            f"{len(unreached):,} links or folders that lead nowhere, in a circle or are locked ({_few(unreached)})"
        )
    return ", ".join(found)


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def find_source(path: Path, wanted: Callable[[str], bool] = is_image_name) -> Source | None:
    """The images at `path`, a folder, a zip or a folder in a zip (`photos.zip/train`), or None.

    `wanted` says of a file's name whether it counts, instead of image files.
    """
    if path.is_dir():
        return FolderSource(path, wanted)
    for archive in (path, *path.parents):
        if archive.is_file():
            inside = path.relative_to(archive).as_posix()
            if not zipfile.is_zipfile(archive):
                return None
            return ZipSource(archive, "" if inside == "." else inside, wanted)
    return None


def walk(folder: Path, unreached: list[str]) -> Iterator[tuple[str, os.stat_result]]:
    """Each file below a folder, `(path with /, stat)`. Linked folders are entered, but none inside itself.

    `unreached` gets the paths of links that lead nowhere or in a circle, and of folders that can't be opened.
    """
    pending: list[tuple[str, tuple[str, ...]]] = [("", (os.path.realpath(folder),))]
    while pending:
        below, parents = pending.pop()
        try:
            with os.scandir(os.path.join(folder, below)) as entries:
                inside = sorted(entries, key=attrgetter("name"))
        except OSError:
            if not below:
                raise
            unreached.append(below)
            continue
        for entry in inside:
            name = f"{below}/{entry.name}" if below else entry.name
            try:
                if entry.is_dir():
                    real = os.path.realpath(entry.path)
                    if real in parents:
                        unreached.append(name)
                    else:
                        pending.append((name, (*parents, real)))
                elif entry.is_file():
                    yield name, entry.stat()
                elif entry.is_symlink():
                    unreached.append(name)
            except OSError:  # a link to itself
                unreached.append(name)


def folder_labels(names: list[str]) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Classes from sub-folders: the first folder of each name, beyond the folders that all names in folders share.

    Files that lie outside the sub-folders are unlabelled, -1; all are where there are not two sub-folders. Bytes of a
    folder's name that are no UTF-8 are written as `\\xe9`, so that two such folders stay two classes.

    >>> folder_labels(["set/cat/1.png", "set/dog/1.png", "set/2.png"])
    (array([ 0,  1, -1]), ('cat', 'dog'))
    >>> folder_labels(["1.png", "dog/1.png"])
    (None, ())
    """
    folders = [name.split("/")[:-1] for name in names]
    shared = 0
    while len(found := {parts[shared] for parts in folders if len(parts) > shared}) == 1:
        shared += 1
    if not found:
        return None, ()
    classes = sorted(found)
    position = {name: number for number, name in enumerate(classes)}
    labels = [position[parts[shared]] if len(parts) > shared else -1 for parts in folders]
    readable = (
        name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace") for name in classes
    )
    return np.array(labels, dtype=np.int64), tuple(readable)
