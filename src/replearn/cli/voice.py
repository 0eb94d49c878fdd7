"""How a command speaks: results on stdout; what is going on, and warnings, as plain lines on stderr.

Of the processes that torchrun starts, only the first one speaks.
"""

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from typing import TextIO

QUIET = ("lightning.fabric", "lightning_fabric", "torch.distributed", "matplotlib", "PIL")
# Warnings of others tell of their own future, not of the user's data.
HEARD = ("replearn", "sklearn")


class Stderr(logging.Handler):
    """Lines on whatever stderr is at that time: a progress bar takes its place meanwhile."""

    def emit(self, record: logging.LogRecord) -> None:
        print(" ".join(record.getMessage().split()), file=sys.stderr, flush=True)


def is_first_process() -> bool:
    """Whether this is the process that speaks."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def voice() -> Iterator[None]:
    """While entered, replearn's log and warnings are lines on stderr, and other processes are silent."""
    log = logging.getLogger("replearn")
    level, handler = log.level, Stderr()
    levels = {name: logging.getLogger(name).level for name in QUIET}
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("default")
        warnings.showwarning = _show_warning
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
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    heard = category.__module__.partition(".")[0] in HEARD
    if heard and not issubclass(category, FutureWarning | DeprecationWarning) and is_first_process():
        print(f"warning: {' '.join(str(message).split())}", file=sys.stderr, flush=True)
