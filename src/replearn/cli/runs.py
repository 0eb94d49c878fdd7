"""Run folders as commands meet them."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replearn.engine.owner import is_first, owned
from replearn.engine.run import METHOD, make_run, open_run, read_json
from replearn.engine.signals import Stopped, told_signal
from replearn.transfer import load

if TYPE_CHECKING:  # torch is imported when a run is read
    from replearn.data import Description

# What comes of a file that says other things than it must.
BROKEN = (KeyError, IndexError, TypeError, AttributeError, RuntimeError, ArithmeticError)


def load_run(path: str) -> Any:
    """The fitted method or `FineTune` in a run folder.

    Raises:
        ValueError: the folder holds no run, or a broken one.
    """
    folder = open_run(path)
    try:
        return load(folder)
    except BROKEN as error:
        raise ValueError(
            f"{folder / METHOD} must be as `replearn fit` wrote it; it is not ({error!r}). Fit again."
        ) from error


@contextmanager
def new_run(folder: Path) -> Iterator[None]:
    """While entered, the folder, made if it is not there, is this process's; empty after a failure, it goes again.

    So the same command can be given again with what was wrong put right.

    Raises:
        ValueError: the folder can't be written to, or another process is at it.
    """
    made = not folder.exists()
    make_run(folder)
    try:
        with owned(folder):
            yield
    except BaseException as error:  # a stop, too
        if isinstance(error, KeyboardInterrupt) and not isinstance(error, Stopped) and _holds_runs(folder):
            number = int(getattr(error, "signal", signal.SIGINT))
            told = f"stopped by {told_signal(number)} before the end; the runs in {shown(folder)} are kept"
            raise Stopped(told, number) from error
        if made and is_first():
            with suppress(OSError):  # it holds something
                folder.rmdir()
        raise


def _holds_runs(folder: Path) -> bool:
    return any((run / METHOD).exists() for run in (folder, *folder.glob("*/")))


@contextmanager
def held(path: str) -> Iterator[None]:
    """While entered, the folder that a command adds to, if it is there, is this process's.

    Raises:
        ValueError: it can't be written to, or another process is at it.
    """
    folder = Path(path)
    if not folder.is_dir():
        yield  # what comes now says what it must hold
        return
    make_run(folder)
    with owned(folder):
        yield


def described(path: str) -> "Description":
    """What a run says of the samples it was fitted on.

    Raises:
        ValueError: the folder holds no run, or a broken one.
    """
    from replearn.data import description_from_json

    return description_from_json(read_json(open_run(path) / METHOD)["samples"])


def minutes(seconds: float) -> str:
    """Time for a reader.

    >>> minutes(9.26), minutes(125)
    ('9.3 s', '2 min 5 s')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


def shown(path: Path) -> str:
    """A path as the user would type it: from here if it lies below."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
