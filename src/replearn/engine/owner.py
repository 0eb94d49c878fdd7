"""A run folder has one owner at a time: the process that writes into it.

The owner's file, `owner.lock`, says host, process, when that process began, and since when it owns the folder. It is
made in one instant or not at all, and goes when the owner leaves. What an owner that was killed leaves behind is taken
over: on this host where no such process runs, elsewhere where the file was not touched for `SILENT` seconds (a live
owner touches it every `BEAT`). Of several processes that train together the first one is the owner.
"""

import json
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from replearn.data.processes import process

log = logging.getLogger("replearn")

OWNER = "owner.lock"
BEAT = 10.0  # seconds
SILENT = 120.0  # seconds

_held: dict[str, tuple[int, int]] = {}  # folder: (process, thread) that own it


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """While entered, `folder` belongs to this process; to enter it again does nothing.

    Raises:
        ValueError: it belongs to another one.
    """
    key, me = str(folder.resolve()), (os.getpid(), threading.get_ident())
    if not is_first() or _held.get(key) == me:
        yield
        return
    path = folder / OWNER
    _take(path)
    _held[key] = me
    ended = threading.Event()
    beat = threading.Thread(target=_beat, args=(path, ended), daemon=True)
    beat.start()
    try:
        yield
    finally:
        ended.set()
        beat.join()
        del _held[key]
        if _is_mine(path):
            with suppress(OSError):
                path.unlink()


def check_owner(folder: Path) -> None:
    """Raises ValueError where another process has taken the folder from this one, which was silent for long."""
    path = folder / OWNER
    if str(folder.resolve()) in _held and not _is_mine(path):
        other = _told(_read(path))
        raise ValueError(
            f"{folder} must still be this process's; {other} has taken it. Choose another folder."
        )


def owner_of(folder: Path) -> str | None:
    """The living owner of a folder in words, or None where it has none, or this process is it."""
    path = folder / OWNER
    found = _read(path)
    if found is None or _is_mine(path) or not _lives(found, path, time.time()):
        return None
    return _told(found)


def is_first() -> bool:
    """Whether this is the only process, or the first of those that torchrun or SLURM has started."""
    environment = os.environ
    return process() == 0 and environment.get("RANK", environment.get("SLURM_PROCID", "0")) == "0"


def _take(path: Path) -> None:
    mine = path.with_name(f".{OWNER}.{os.getpid()}-{threading.get_ident()}.part")
    content = json.dumps(_myself()) + "\n"
    with locked(path.parent):
        with mine.open("w", encoding="utf-8") as file:
            file.write(content)
            now = os.fstat(file.fileno()).st_mtime  # by the clock of the file system
        try:
            if path.exists():
                _take_over(path, now)
            _make(path, mine, content)
        except FileExistsError:
            raise ValueError(_refusal(path)) from None
        finally:
            for part in path.parent.glob(f".{OWNER}.*.part"):  # ours, and those of the killed
                part.unlink(missing_ok=True)


def _make(path: Path, mine: Path, content: str) -> None:
    """Make the owner's file, whole and in one instant; FileExistsError where there is one."""
    try:
        os.link(mine, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        with path.open("x", encoding="utf-8") as file:
            file.write(content)


def _take_over(path: Path, now: float) -> None:
    """Remove the file of an owner that is gone."""
    found = _read(path)
    if _lives(found, path, now):
        raise FileExistsError
    log.info("%s: taken over from %s which is gone", path.parent, _told(found))
    path.unlink(missing_ok=True)


def _refusal(path: Path) -> str:
    found = _read(path)
    there = "" if found is None or _place(found) == _place(_myself()) else f" (If it is gone, delete {path}.)"
    return (
        f"{path.parent} must be written by one process at a time; {_told(found)} is at it. "
        f"Wait until it has ended or stop it, or choose another folder.{there}"
    )


def _lives(found: dict[str, Any] | None, path: Path, now: float) -> bool:
    """Whether the owner is there, as far as can be told."""
    if found is not None and _place(found) == _place(_myself()):
        return found.get("began") == _began(found["process"]) is not None
    try:
        return now - path.stat().st_mtime < SILENT
    except OSError:
        return False


def _beat(path: Path, ended: threading.Event) -> None:
    while not ended.wait(BEAT):
        with suppress(OSError):
            if _is_mine(path):
                os.utime(path)


def _myself() -> dict[str, Any]:
    return {
        "host": socket.gethostname(),
        "machine": _machine(),
        "process": os.getpid(),
        "began": _began(os.getpid()),
        "thread": threading.get_ident(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _is_mine(path: Path) -> bool:
    found, me = _read(path), _myself()
    return found is not None and all(found.get(name) == me[name] for name in ("process", "began", "machine"))


def _place(owner: dict[str, Any]) -> tuple[Any, Any]:
    """Where numbers of processes mean the same."""
    return owner.get("host"), owner.get("machine")


def _machine() -> str:
    """The machine since it was started, and which of its processes see each other (containers do not)."""
    found = []
    with suppress(OSError):
        found.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
    with suppress(OSError):
        found.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(found)


def _began(number: int) -> str | None:
    """When a process began, by the system's count; "alive" where the system does not tell; None: there is none."""
    try:
        told = Path(f"/proc/{number}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        if Path("/proc/self/stat").exists():
            return None
        return "alive" if _answers(number) else None
    fields = told.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]  # one that ended and waits to be buried is gone


def _answers(number: int) -> bool:
    try:
        os.kill(number, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("process"), int) else None


def _told(found: dict[str, Any] | None) -> str:
    if found is None:
        return "another process"
    return f"process {found['process']} on {found.get('host')}, since {found.get('since')},"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """While entered, no other process or thread of this host is in here with this folder; others wait."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
