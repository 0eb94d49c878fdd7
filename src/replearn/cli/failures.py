"""From what went wrong to one line on stderr and an exit code.

0    done, also where the reader of stdout left early (`replearn list | head -1`)
2    a wrong command line or bad input: what must hold; what came; what to do
1    a failure of ours
130  Ctrl-C; 143 SIGTERM
"""

import errno
import os
import re
import shlex
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from replearn.cli.voice import is_first_process, open_streams, voice

# Packages whose ValueErrors tell of the user's input: ours, and those that check parameters that we pass on.
CHECKED = ("replearn", "sklearn", "lightning_fabric")
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
GOES_ON = ("auto", "scale", "lectures")  # commands that go on without being asked to
ECHO = 1.0  # seconds in which one wish to stop may come twice, from a launcher and from its group
# How torch says on CPUs that memory does not suffice, or could on no machine.
NO_MEMORY = re.compile("can't allocate memory|not enough memory|[Ss]torage size calculation overflowed")
NO_ACCESS = (
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR),
    *(errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP),
)


def guarded(work: Callable[[], None], args: list[str]) -> int:
    """Run `work` and return the exit code; what goes wrong becomes one line on stderr.

    Args:
        work: what a command does.
        args: the command line, to tell how to go on after a stop.
    """
    open_streams()
    with voice(), _terminable():
        try:
            work()
            sys.stdout.flush()
        except BrokenPipeError:
            _give_up_stdout()
        except SystemExit as error:
            if isinstance(error.__context__, BrokenPipeError):  # by which rich leaves
                return 0
            return error.code if isinstance(error.code, int) else 0
        except KeyboardInterrupt as stop:
            return _stopped(stop, args)
        except Exception as error:
            return _failed(error)
    return 0


class Terminated(KeyboardInterrupt):
    """SIGTERM came, outside of a training."""

    signal = signal.SIGTERM


@contextmanager
def _terminable() -> Iterator[None]:
    """While entered, SIGTERM stops what is done as Ctrl-C does; a second one, a second later, ends the process."""
    first: list[float] = []

    def stop(number: int, frame: FrameType | None) -> None:
        if not first:
            first.append(time.monotonic())
            raise Terminated
        if time.monotonic() - first[0] > ECHO:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    before = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread() or before in (signal.SIG_IGN, None):
        yield
        return
    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _stopped(stop: KeyboardInterrupt, args: list[str]) -> int:
    from replearn.engine.signals import Stopped, told_signal

    number = getattr(stop, "signal", signal.SIGINT)
    if isinstance(stop, Stopped):
        again = args if "--resume" in args or args[0] in GOES_ON else [*args, "--resume"]
        _print_line(f"{stop.told}. To go on: {shlex.join(['replearn', *again])}")
    else:
        _print_line(f"stopped by {told_signal(number)} before the end. The same command does it again.")
    return 128 + int(number)


def _failed(error: Exception) -> int:
    if isinstance(error, OSError):
        _flush_or_give_up()
    if os.environ.get("REPLEARN_TRACEBACK"):
        traceback.print_exception(error)
    line = bad_input(error)
    if line is not None:
        _print_line(line)
        return 2
    what = f"{type(error).__name__}: {error}"
    _print_line(
        f"a failure of replearn's own, {what}. Run again with REPLEARN_TRACEBACK=1 to see where.", always=True
    )
    return 1


def bad_input(error: Exception) -> str | None:
    """The line to say where `error` is the input's fault; None where it is ours.

    >>> bad_input(OSError(errno.ENOSPC, "No space left on device", "runs/x"))
    'the disk must have room; runs/x does not fit (No space left on device). Free some space, then give ...'
    """
    if isinstance(error, OSError) and not isinstance(error, ValueError):
        return _of_the_system(error)
    if type(error).__name__ in ("MemoryError", "OutOfMemoryError") or NO_MEMORY.search(str(error)):
        asked = _asked_at_once(str(error))
        return f"Out of memory{asked}. Choose a smaller --batch-size, a --slice-size, or a smaller network."
    if type(error).__name__ == "NotFinite" or (isinstance(error, ValueError) and _home(error) in CHECKED):
        return str(error)
    return None


def _asked_at_once(message: str) -> str:
    """How much an allocation that failed was of, where its message says so.

    >>> _asked_at_once("DefaultCPUAllocator: can't allocate memory: you tried to allocate 480000000000 bytes.")
    ' (480.0 GB asked for at once)'
    """
    found = re.search(r"tried to allocate (\d+) bytes", message)
    return f" ({int(found[1]) / 1e9:,.1f} GB asked for at once)" if found else ""


def _of_the_system(error: OSError) -> str | None:
    what = error.filename if error.filename is not None else "what was to be written"
    if error.errno in NO_SPACE:
        return (
            f"the disk must have room; {what} does not fit ({error.strerror}). "
            "Free some space, then give the same command again (fit, compare, demo: with --resume)."
        )
    if error.errno in NO_ACCESS:
        return f"files and folders must be there and accessible; {what} is not ({error.strerror}). Check it."
    return None


def _home(error: Exception) -> str:
    """The package that raised `error`."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return "" if frame is None else str(frame.tb_frame.f_globals.get("__name__", "")).partition(".")[0]


def _print_line(line: str, *, always: bool = False) -> None:
    if always or is_first_process():
        with suppress(OSError):
            print(f"replearn: {' '.join(line.split())}", file=sys.stderr, flush=True)


def _flush_or_give_up() -> None:
    try:
        sys.stdout.flush()
    except OSError:
        _give_up_stdout()


def _give_up_stdout() -> None:
    """Let what is left in stdout's buffer go nowhere, or Python would complain when it ends."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
