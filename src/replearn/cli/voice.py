"""How a command speaks: results on stdout; what is going on, and warnings, as plain lines on stderr.

Of the processes that torchrun starts, only the first one speaks.
"""

import codecs
import io
import logging
import os
import sys
import unicodedata
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from functools import partial
from typing import Any, TextIO

QUIET = ("lightning.fabric", "lightning_fabric", "torch.distributed", "matplotlib", "PIL")
# Warnings of others tell of their own future, not of the user's data.
HEARD = ("replearn", "sklearn")
STDERR = 2  # its number
# What a terminal without these characters gets.
WIDE = "+-"
PLAIN = dict(zip("–—−·×≤≥…αβ’‘“”•→←─━│┃", "---.x<>.ab''\"\"*><--||", strict=True)) | {"±": WIDE}


class Stderr(logging.Handler):
    """Lines on whatever stderr is at that time: a progress bar takes its place meanwhile."""

    def emit(self, record: logging.LogRecord) -> None:
        say(" ".join(record.getMessage().split()))


def say(line: str) -> None:
    """A line on stderr; where its reader has left (`2>&1 | head -1`), work goes on without."""
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)


class Nowhere(io.TextIOBase):
    """A stream that keeps nothing."""

    def write(self, text: str) -> int:
        return len(text)


def open_streams() -> None:
    """Where stdout or stderr is closed (`>&-`), let what goes there go nowhere, and no file get its number."""
    if sys.stdout is not None and sys.stderr is not None:
        return
    while (handle := os.open(os.devnull, os.O_RDWR)) <= STDERR:
        pass
    os.close(handle)
    sys.stdout, sys.stderr = sys.stdout or Nowhere(), sys.stderr or Nowhere()


def plain(error: UnicodeError) -> tuple[str, int]:
    """What a terminal gets for characters that it has no code for, as wide as they are."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    found = "".join(PLAIN.get(c) or _without_accent(c) for c in error.object[error.start : error.end])
    wide = found.endswith(WIDE) and error.object[error.end : error.end + 1] == " "
    return found, error.end + wide


def _without_accent(character: str) -> str:
    first = unicodedata.normalize("NFKD", character)[0]
    return first if first.isascii() else "?"


codecs.register_error("plain", plain)


def is_first_process() -> bool:
    """Whether this is the process that speaks."""
    return os.environ.get("RANK", os.environ.get("SLURM_PROCID", "0")) == "0"


@contextmanager
def spelled(stream: Any) -> Iterator[None]:
    """While entered, a stream writes what its encoding lacks in another way, instead of failing."""
    before = getattr(stream, "errors", None)
    if not isinstance(stream, io.TextIOWrapper) or before is None:
        yield
        return
    stream.reconfigure(errors="plain")
    try:
        yield
    finally:
        with suppress(ValueError):  # it was closed
            stream.reconfigure(errors=before)


@contextmanager
def voice() -> Iterator[None]:
    """While entered, replearn's log and warnings are lines on stderr, and other processes are silent."""
    log = logging.getLogger("replearn")
    level, handler = log.level, Stderr()
    levels = {name: logging.getLogger(name).level for name in QUIET}
    with ExitStack() as stack:
        stack.enter_context(spelled(sys.stdout))
        stack.enter_context(spelled(sys.stderr))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("default")
        warnings.showwarning = partial(_show_warning, set())
        if not is_first_process():
            stack.enter_context(redirect_stdout(stack.enter_context(open(os.devnull, "w", encoding="utf-8"))))
            handler.setLevel(logging.CRITICAL)
        for name in QUIET:
            logging.getLogger(name).setLevel(logging.WARNING)
        log.setLevel(logging.INFO)
        log.addHandler(handler)
        try:
            yield
        finally:
            log.removeHandler(handler)
            log.setLevel(level)
            for name, before in levels.items():
                logging.getLogger(name).setLevel(before)


def _show_warning(
    said: set[str],
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    heard = category.__module__.partition(".")[0] in HEARD
    if heard and not issubclass(category, FutureWarning | DeprecationWarning) and is_first_process():
        line = " ".join(str(message).split())
        if line not in said:  # Python forgets what it has said whenever filters change
            say(f"warning: {line}")
        said.add(line)
