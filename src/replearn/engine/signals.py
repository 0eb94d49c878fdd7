"""Ctrl-C and SIGTERM ask a training to stop; it ends its step, saves, and says how to go on."""

import os
import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any

ECHO = 1.0  # seconds in which a terminal and a launcher (torchrun, make) may both pass on one Ctrl-C


class Stopped(KeyboardInterrupt):
    """Training was asked to stop, and its state was saved.

    Attributes:
        signal: the number of the signal that asked.
        told: where it stopped, and what was saved; the whole message also says how to go on.
    """

    def __init__(self, told: str, number: int, how: str = "") -> None:
        super().__init__(f"{told}. {how}" if how else told)
        self.signal = number
        self.told = told


def told_signal(number: int) -> str:
    """A signal as readers know it.

    >>> told_signal(signal.SIGINT), told_signal(signal.SIGTERM)
    ('Ctrl-C', 'SIGTERM')
    """
    return "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name


class StopSignal:
    """While entered, `asked` becomes the number of a signal that asks to stop.

    Only where there is something to save: else, and outside of the main thread, signals keep their meaning. A
    second signal does what it always does, if it comes more than `ECHO` seconds after the first.

    Args:
        saves: whether the training can be resumed.
    """

    def __init__(self, *, saves: bool) -> None:
        self.asked = 0
        self._when = 0.0
        self._active = saves and threading.current_thread() is threading.main_thread()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopSignal":
        if self._active:
            for number in (signal.SIGINT, signal.SIGTERM):
                # Ignored (as under nohup) stays ignored; None is a handler that Python could not put back.
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if not self.asked:
            self.asked, self._when = number, time.monotonic()
        elif time.monotonic() - self._when > ECHO:
            signal.signal(number, self._before[number])
            os.kill(os.getpid(), number)
