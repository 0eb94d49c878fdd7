"""Another one that owns a run folder."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from replearn.engine.owner import owned


@contextmanager
def held_by_another(folder: Path) -> Iterator[None]:
    """While entered, another thread than this owns the folder."""
    there, done = threading.Event(), threading.Event()

    def hold() -> None:
        with owned(folder):
            there.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    there.wait()
    try:
        yield
    finally:
        done.set()
        thread.join()
