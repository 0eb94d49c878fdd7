"""A progress bar for what takes long: a context manager that yields how to move it."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

log = logging.getLogger("replearn")

EVERY = 30.0  # seconds between lines


class Lines:
    """Progress without a terminal: a line in the log now and then."""

    def __init__(self, what: str, total: int | None) -> None:
        self.what, self.total, self.done = what, total, 0
        self.told = time.monotonic()

    def move(self, count: int) -> None:
        self.done += count
        if time.monotonic() - self.told >= EVERY:
            self.told = time.monotonic()
            log.info("%s: %s%s", self.what, f"{self.done:,}", f" of {self.total:,}" if self.total else "")


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on standard error, if that is a terminal, else a line every `EVERY` seconds; what is yielded moves it.

    `what` says what takes long, nothing: that it does not. `total` None: it is not known how long it will take.
    """
    if not what:
        yield lambda count: None
        return
    if not sys.stderr.isatty():
        yield Lines(what, total).move
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)
