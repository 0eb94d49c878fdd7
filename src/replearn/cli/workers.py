"""Processes behind one listening port: one that dies is started anew, and all end together.

    supervisor --socket, pipe--> worker, worker, ...    each loads its own copy of what it serves
    worker --megabytes--> supervisor                    it accepts connections from now on
    supervisor closes the pipe --> worker               answers what is open, and ends

The supervisor of uvicorn starts workers anew for ever, also where none can live.
"""

import logging
import multiprocessing
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

log = logging.getLogger("replearn")

AT_ONCE = 10.0  # seconds of service before which a death counts as one at once
DEATHS = 5  # of these in a row, after which it gives up
GRACE = 10  # seconds in which a worker that ends answers what is open
BEYOND = 5  # after which it is killed


@dataclass(eq=False)
class Worker:
    """A process.

    Attributes:
        process: that answers.
        pipe: over which it says that it is ready, and whose closing ends it.
        began: when it was started.
        anew: whether it takes the place of one that died.
        ready: when it was ready, or None.
        megabytes: that it took then; 0 where the system does not tell.
    """

    process: Any
    pipe: Connection
    began: float
    anew: bool
    ready: float | None = None
    megabytes: float = 0.0


class Workers:
    """Workers and who looks after them.

    Args:
        work: of a process, a function of a module: it takes a number that no other worker has, the socket and the
            pipe, sends megabytes when it is ready, and ends when the pipe is closed.
        listening: the port at which they accept connections.
        count: how many there are.
    """

    def __init__(
        self, work: Callable[[int, socket.socket, Connection], None], listening: socket.socket, count: int
    ) -> None:
        self.work, self.listening, self.count = work, listening, count
        self._workers: list[Worker] = []
        self._started = 0
        self._deaths = 0  # at once, one after the other

    def run(self, ready: Callable[[Worker], None]) -> None:
        """Until KeyboardInterrupt, which is raised again once all have ended.

        Args:
            ready: called with the first worker that is.

        Raises:
            SystemExit: the first worker ended before it was ready, with an exit code, and has said why.
            ValueError: workers die again and again.
        """
        try:
            first = self._start()
            while first.ready is None:
                self._look_at(first)
                if not first.process.is_alive():
                    self._check_first(first)
            ready(first)
            for _ in range(self.count - 1):
                self._start()
            while True:
                self._look()
        finally:
            self._end()

    def _start(self, *, anew: bool = False) -> Worker:
        context = multiprocessing.get_context("spawn")  # a fork would inherit locks of torch's threads
        ours, theirs = context.Pipe()
        process = context.Process(target=self.work, args=(self._started, self.listening, theirs), daemon=True)
        self._started += 1
        # Ctrl-C reaches all processes of a terminal; workers end when the supervisor says so.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        theirs.close()
        self._workers.append(Worker(process, ours, time.monotonic(), anew))
        return self._workers[-1]

    def _check_first(self, worker: Worker) -> None:
        """Raises what ends the command where its first worker could not begin."""
        if worker.process.exitcode > 0:
            raise SystemExit(worker.process.exitcode)
        raise ValueError(
            f"a worker must be able to load what is served; the first one died before ({how(worker)}). Is there "
            "memory enough?"
        )

    def _look(self) -> None:
        """Wait until something happens, and see to it."""
        loading = [worker.pipe for worker in self._workers if worker.ready is None]
        wait([*(worker.process.sentinel for worker in self._workers), *loading])
        for worker in list(self._workers):
            if worker.ready is None and worker.pipe.poll():
                self._look_at(worker)
                if worker.ready is not None and worker.anew:
                    took = worker.ready - worker.began
                    log.info("worker %d answers, %.1f s after its start", worker.process.pid, took)
            if not worker.process.is_alive():
                self._replace(worker)

    def _look_at(self, worker: Worker) -> None:
        """Wait until a worker is ready, or dead."""
        try:
            worker.megabytes = worker.pipe.recv()
            worker.ready = time.monotonic()
        except (EOFError, OSError):
            worker.process.join(1)

    def _replace(self, worker: Worker) -> None:
        served = 0.0 if worker.ready is None else time.monotonic() - worker.ready
        self._deaths = self._deaths + 1 if served < AT_ONCE else 0
        self._workers.remove(worker)
        worker.pipe.close()
        living = sum(other.ready is not None for other in self._workers)
        if self._deaths >= DEATHS and living:
            log.warning(
                "worker %d died (%s), the %dth at once: it is not replaced; %d of %d workers go on",
                *(worker.process.pid, how(worker), self._deaths, living, self.count),
            )
            return
        if self._deaths >= DEATHS:
            raise ValueError(
                f"workers must stay alive; {DEATHS} died in turn, each within {AT_ONCE:g} seconds, the last "
                f"one {how(worker)}. Start fewer by --workers if memory is short."
            )
        log.warning("worker %d died (%s); another one starts", worker.process.pid, how(worker))
        if self._deaths > 1:
            time.sleep(2.0 ** (self._deaths - 3))  # 0.5, 1, 2
        self._start(anew=True)

    def _end(self) -> None:
        """Let all answer what is open, and kill who does not end."""
        self.listening.close()
        for worker in self._workers:
            if worker.ready is None:
                worker.process.kill()  # nobody waits for it
            worker.pipe.close()
        last = time.monotonic() + GRACE + BEYOND
        try:
            for worker in self._workers:
                worker.process.join(max(0.0, last - time.monotonic()))
        finally:
            late = [worker for worker in self._workers if worker.process.is_alive()]
            if late:
                log.warning("%d of %d workers did not end and are killed", len(late), len(self._workers))
            for worker in late:
                worker.process.kill()
                worker.process.join()


def how(worker: Worker) -> str:
    """How a worker died."""
    code = worker.process.exitcode
    if code is None or code >= 0:
        return f"exit code {code}"
    with suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"


def megabytes() -> float:
    """The most memory that this process has taken so far; 0 where the system does not tell."""
    import sys

    try:
        import resource
    except ImportError:
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
