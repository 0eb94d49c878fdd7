"""How `serve` and `explore` listen: on this machine, or with tokens beyond it, until they are stopped."""

import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from replearn.cli.workers import Worker

log = logging.getLogger("replearn")


def check_tokens(host: str, file: str | None) -> tuple[str, ...]:
    """The tokens in a file.

    Raises:
        ValueError: others can reach the host, and there are none.
    """
    tokens = () if file is None else read_tokens(file)
    if not is_loopback(host) and not tokens:
        raise ValueError(
            f"--tokens must be given where others can reach the server; got --host {host} without it. Name a file "
            "with a token per line."
        )
    return tokens


def hosts_of(host: str) -> tuple[str, ...]:
    """Names by which the server may be called."""
    return ("localhost", "127.0.0.1", host) if is_loopback(host) else ("*",)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a host."""
    return host == "localhost" or host.startswith("127.")


def read_tokens(path: str) -> tuple[str, ...]:
    """Tokens in a file, one a line.

    Raises:
        ValueError: there is none, or one is short.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise ValueError(f"--tokens must be a file with a token per line; there is none at {path}.")
    found = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    tokens = tuple(line for line in found if line)
    if not tokens or min(map(len, tokens)) < 16:
        raise ValueError(
            f"tokens in {path} must have at least 16 characters, one a line. Make one by: openssl rand -hex 32"
        )
    return tokens


def listen(app: Any, host: str, port: int, what: str) -> None:
    """Answer requests until Ctrl-C or SIGTERM; what is being answered then is answered."""
    server = _server(app)
    with _listening(host, port) as listening:
        log.info("%s at %s; Ctrl-C stops it", what, _address(host, listening))
        with suppress(KeyboardInterrupt):  # by which a server ends
            server.run(sockets=[listening])
    print("stopped")


def listen_by_workers(
    make: Callable[[Path, int], Any], host: str, port: int, what: str, workers: int
) -> None:
    """The same by several processes, of which one that dies is started anew; torch is imported in these alone.

    Args:
        make: a function of a module: the application of a worker, from the folder of all and the worker's number.
        host: address to listen at.
        port: to listen at.
        what: is done, for the line that says where.
        workers: how many processes.

    Raises:
        ValueError: workers die again and again.
    """
    from replearn.cli.workers import Workers

    if not hasattr(signal, "pthread_sigmask"):  # Windows, where a worker can't be asked to end either
        raise ValueError(
            f"--workers must be 1 on this system; got {workers}. Start several servers behind a proxy."
        )

    def ready(first: "Worker") -> None:
        each = f" of {first.megabytes:,.0f} MB" if first.megabytes else ""
        copies = f"{workers} workers{each}, each with its own copy of the network"
        log.info("%s at %s; %s; Ctrl-C stops it", what, _address(host, listening), copies)

    made = TemporaryDirectory(prefix="replearn-serve-")
    with made as folder, _listening(host, port, shared=True) as listening, suppress(KeyboardInterrupt):
        Workers(partial(_work, partial(make, Path(folder))), listening, workers).run(ready)
    print("stopped")


def _work(make: Callable[[int], Any], number: int, listening: socket.socket, pipe: "Connection") -> None:
    """What a worker does; what goes wrong is one line."""
    from replearn.cli.failures import guarded

    sys.exit(guarded(lambda: _answer(lambda: make(number), listening, pipe), ["serve"]))


def _answer(make: Callable[[], Any], listening: socket.socket, pipe: "Connection") -> None:
    """Answer until the supervisor closes the pipe, or is gone, or SIGTERM comes."""
    from replearn.cli.workers import megabytes

    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # nobody waits for an answer yet
    server, own = _server(make()), _spread(listening)
    signal.signal(signal.SIGTERM, lambda *_: setattr(server, "should_exit", True))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [own]})
    thread.start()
    while thread.is_alive() and not server.started:
        time.sleep(0.01)
    with suppress(BrokenPipeError):  # the supervisor is gone
        pipe.send(megabytes())
    while thread.is_alive() and not pipe.poll(0.2):
        pass
    server.should_exit = True
    thread.join()


def _server(app: Any) -> Any:
    from replearn.cli.workers import GRACE
    from replearn.data.needed import needed

    uvicorn = needed("uvicorn", "a server needs")
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        limit_concurrency=1000,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GRACE,
    )
    return uvicorn.Server(config)


def _address(host: str, listening: socket.socket) -> str:
    return f"http://{host}:{listening.getsockname()[1]}"


def _shared(listening: socket.socket) -> socket.socket:
    """What workers are given: on Linux a socket that keeps the port for them, elsewhere the one at which all accept.

    Of workers that accept at one socket, one takes nearly all connections of a burst. Linux spreads them evenly over
    sockets of the same port.
    """
    if sys.platform != "linux":
        return listening
    address = listening.getsockname()
    listening.close()
    # Without SO_REUSEADDR, so that no other server gets the port while no worker listens yet.
    return _bound(address, socket.SO_REUSEPORT)


def _spread(shared: socket.socket) -> socket.socket:
    """Where a worker accepts."""
    if sys.platform != "linux":
        return shared
    return _bound(shared.getsockname(), socket.SO_REUSEPORT, socket.SO_REUSEADDR)


def _bound(address: Any, *options: int) -> socket.socket:
    """A socket that does not listen yet."""
    made = socket.socket()
    for option in options:
        made.setsockopt(socket.SOL_SOCKET, option, 1)
    made.bind(address)
    return made


def _listening(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A socket that listens there, or `shared` by workers; at port 0, at a free one.

    Raises:
        ValueError: it can't.
    """
    try:
        listening = socket.create_server((host, port))
        return _shared(listening) if shared else listening
    except OSError as error:
        raise ValueError(
            f"--host and --port must be free to listen at; {host}:{port} is not ({error.strerror}). Choose others."
        ) from error
