"""How `serve` and `explore` listen: on this machine, or with tokens beyond it, until they are stopped."""

import logging
import socket
from contextlib import suppress
from typing import Any

log = logging.getLogger("replearn")


def check_tokens(host: str, file: str | None) -> tuple[str, ...]:
    """The tokens in a file.

    Raises:
        ValueError: others can reach the host, and there are none.
    """
    from replearn.service.http.model import is_loopback, read_tokens

    tokens = () if file is None else read_tokens(file)
    if not is_loopback(host) and not tokens:
        raise ValueError(
            f"--tokens must be given where others can reach the server; got --host {host} without. Name a file "
            "with a token per line."
        )
    return tokens


def hosts_of(host: str) -> tuple[str, ...]:
    """Names by which the server may be called."""
    from replearn.service.http.model import is_loopback

    return ("localhost", "127.0.0.1", host) if is_loopback(host) else ("*",)


def listen(app: Any, host: str, port: int, what: str) -> None:
    """Answer requests until Ctrl-C or SIGTERM; what is being answered then is answered."""
    from replearn.data.needed import needed

    uvicorn = needed("uvicorn", "a server needs")
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        limit_concurrency=1000,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
    )
    with _listening(host, port) as listening:
        log.info("%s at http://%s:%d; Ctrl-C stops it", what, host, listening.getsockname()[1])
        with suppress(KeyboardInterrupt):  # by which a server ends
            uvicorn.Server(config).run(sockets=[listening])
    print("stopped")


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens there; at port 0, at a free one.

    Raises:
        ValueError: it can't.
    """
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise ValueError(
            f"--host and --port must be free to listen at; {host}:{port} is not ({error.strerror}). Choose others."
        ) from error
