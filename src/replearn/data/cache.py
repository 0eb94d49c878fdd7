"""A folder of arrays in the user's cache, built once, whole or not at all, by one process at a time.

An entry is sealed with the size and the checksum of each of its files, and looked at before it is used: one that was
cut short, changed or half deleted is built again.
"""

import errno
import json
import logging
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from replearn.data.reasons import reason_of

try:
    import fcntl
except ImportError:  # Windows: no lock, so two processes may both build, and the first to finish wins
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger("replearn")

SEAL = "seal.json"
# Files up to this size are read whole each time; of longer ones that keep size and time, that is taken for enough.
READ_WHOLE = 2**30


class CacheError(OSError, ValueError):
    """The cache cannot be written (no space, no permission): an OSError that counts as bad input."""

    def __str__(self) -> str:
        return f"{self.strerror}."


def cache_folder() -> Path:
    """Where decoded data are kept; safe to delete.

    `REPLEARN_CACHE`, or else `replearn` in `XDG_CACHE_HOME` or `~/.cache`.
    """
    if named := os.environ.get("REPLEARN_CACHE"):
        return Path(named).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "replearn"


def cached(key: str, build: Callable[[Path], None]) -> Path:
    """The cache's folder of name `key`; if there is none, or it is damaged, `build` fills a new one.

    `build` writes into a temporary folder that gets its name when it is complete, so a process killed
    half-way leaves no broken entry (the next build clears its rest away). A second process that wants the
    same entry waits for the first. Without file locks both build, and both end with the entry of the one
    that finished first. A process that reads a damaged entry keeps the files that it has open.

    Raises:
        CacheError: no space left, or the cache folder cannot be written.
    """
    root = cache_folder()
    entry = root / key
    if entry.is_dir() and damage(entry) is None:
        return entry
    with writable(root):
        root.mkdir(parents=True, exist_ok=True)
        with _lock(root / f"{key}.lock") as locked:
            found = damage(entry) if entry.is_dir() else ""
            if found is not None:
                if found:
                    log.warning("%s: this part of the cache is damaged (%s); it is made again", entry, found)
                _sweep(root, key if locked else None)
                _build(root, entry, build)
    return entry


def damage(entry: Path) -> str | None:
    """What is wrong with an entry, None if nothing is."""
    try:
        sealed = json.loads((entry / SEAL).read_text())
        for name, (size, changed, checksum) in sealed.items():
            found = (entry / name).stat()
            if found.st_size != size:
                return f"{name} has {found.st_size:,} bytes instead of {size:,}"
            if size > READ_WHOLE and found.st_mtime_ns == changed:
                continue
            if file_checksum(entry / name) != checksum:
                return f"{name} has other content than was written"
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is missing"
    except (OSError, ValueError, TypeError, AttributeError) as error:
        return f"it cannot be read: {reason_of(error, 80)}"
    return None


def _seal(folder: Path) -> None:
    """Write down how large each file is, when it was changed, and its checksum."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    stats = {path: path.stat() for path in files}
    sealed = {
        path.relative_to(folder).as_posix(): (stat.st_size, stat.st_mtime_ns, file_checksum(path))
        for path, stat in stats.items()
    }
    (folder / SEAL).write_text(json.dumps(sealed))


def file_checksum(path: Path) -> int:
    """CRC-32: against accidents, not against forgery."""
    checksum = 0
    with path.open("rb", buffering=0) as file:
        while part := file.read(2**18):
            checksum = zlib.crc32(part, checksum)
    return checksum


def _build(root: Path, entry: Path, build: Callable[[Path], None]) -> None:
    temporary = Path(tempfile.mkdtemp(prefix=f"{entry.name}.tmp-", dir=root))
    try:
        build(temporary)
        _seal(temporary)
        if entry.is_dir() and damage(entry) is not None:
            # Out of the way in one step, and swept like what a killed build leaves.
            os.rename(entry, Path(tempfile.mkdtemp(prefix=f"{entry.name}.tmp-", dir=root)) / "damaged")
        os.rename(temporary, entry)
    except OSError:
        if not entry.is_dir() or damage(entry) is not None:
            raise  # else another process was faster: its entry is as good
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        for rest in root.glob(f"{entry.name}.tmp-*/damaged"):
            shutil.rmtree(rest.parent, ignore_errors=True)


def _sweep(root: Path, own: str | None) -> None:
    """Clear away what killed builds left: a temporary folder whose lock is free has no builder."""
    for rest in root.glob("*.tmp-*"):
        key = rest.name.partition(".tmp-")[0]
        if key == own:
            shutil.rmtree(rest, ignore_errors=True)
        elif own is not None:
            with suppress(OSError), _lock(root / f"{key}.lock", wait=False) as free:
                if free:
                    shutil.rmtree(rest, ignore_errors=True)


@contextmanager
def _lock(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold a lock that dies with the process; False if there is none to be had."""
    with path.open("a") as file:
        yield _take(file, wait=wait)


def _take(file: Any, *, wait: bool) -> bool:
    if fcntl is None:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # taken, or a file system without locks
        return False
    return True


@contextmanager
def writable(root: Path) -> Iterator[None]:
    """The system's errors of writing, told with what to do."""
    try:
        yield
    except CacheError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            free = shutil.disk_usage(root).free / 1e6 if root.is_dir() else 0
            raise CacheError(
                error.errno,
                f"the cache folder must have room for the decoded data; {root} has {free:,.0f} MB left. "
                f"Free some "
                "space, use a smaller image_size for images, or set REPLEARN_CACHE to a folder on a larger disk",
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
            raise CacheError(
                error.errno,
                f"the cache folder must be writable; {root} is not ({os.strerror(error.errno)}). Set "
                f"REPLEARN_CACHE to "
                "a folder that is",
            ) from error
        raise


class ArrayWriter:
    """Writes an `.npy` file part by part, with room for `most` rows taken beforehand.

    The room is taken for real, and the file written rather than mapped: a map of a file with holes ends the
    process by SIGBUS when the disk is full. Rows that do not come (files that cannot be decoded) are cut off
    at the end.
    """

    def __init__(
        self, path: Path, *, most: int, shape: tuple[int, ...], dtype: npt.DTypeLike = np.uint8
    ) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.rows = 0
        self._file: BinaryIO = path.open("w+b")
        try:
            header = self._header(most)
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(
                    self._file.fileno(), 0, len(header) + most * prod(shape) * self.dtype.itemsize
                )
            self._file.write(header)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "ArrayWriter":
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        try:
            if failed is None:
                self._finish()
        finally:
            self._file.close()

    def append(self, rows: np.ndarray) -> None:
        """Add rows `(k, *shape)`."""
        self._file.write(np.ascontiguousarray(rows, dtype=self.dtype).reshape(-1).view(np.uint8).data)
        self.rows += len(rows)

    def _finish(self) -> None:
        """Cut to the rows that came, and make sure that they are on the disk."""
        self._file.truncate()
        self._file.seek(0)
        self._file.write(self._header(self.rows))
        self._file.flush()
        os.fsync(self._file.fileno())

    def _header(self, rows: int) -> bytes:
        """numpy pads the header for a growing first axis, so it has one length for any number of rows."""
        buffer = BytesIO()
        fields = {
            "descr": np.lib.format.dtype_to_descr(self.dtype),
            "fortran_order": False,
            "shape": (rows, *self.shape),
        }
        np.lib.format.write_array_header_1_0(buffer, fields)
        return buffer.getvalue()
