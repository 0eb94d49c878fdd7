"""`replearn serve RUN`: a model behind HTTP."""

import logging
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated

import tyro

from replearn.cli.options import parse

log = logging.getLogger("replearn")


@dataclass(kw_only=True)
class ServeOptions:
    """Answer requests over HTTP until it is stopped: /embed, /neighbours (of an index), /classify (of a run of
    `finetune`), /health and /metrics.

    Requests that come together are one batch. They hold texts, images in base64 or numbers, and no path in them is
    opened. Beyond this machine a token is asked for.

    Attributes:
        run: folder that `fit` or `finetune` wrote.
        index: that `replearn index` made by this run; new versions of it are taken up.
        host: address to listen at.
        port: to listen at; 0: a free one.
        tokens: file with a token per line, one of which a request must bring; needed where --host is not this machine.
        megabytes: of a request, at most.
        inputs: samples of a request, at most.
        seconds: until a request is answered, at most.
        batch: samples that the network reads at once.
        wait: milliseconds that a request waits for others.
    """

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    index: Annotated[str | None, tyro.conf.arg(metavar="INDEX")] = None
    host: str = "127.0.0.1"
    port: int = 8000
    tokens: Annotated[str | None, tyro.conf.arg(metavar="FILE")] = None
    megabytes: float = 16.0
    inputs: int = 256
    seconds: float = 30.0
    batch: int = 64
    wait: float = 5.0


def run(args: list[str]) -> None:
    """The command."""
    options = parse(ServeOptions, args, command="serve")
    from replearn.cli.runs import described, load_run
    from replearn.service.http import Limits, Served, make_app
    from replearn.service.http.model import is_loopback, read_tokens

    here = is_loopback(options.host)
    tokens = () if options.tokens is None else read_tokens(options.tokens)
    if not here and not tokens:
        raise ValueError(
            f"--tokens must be given where others can reach the server; got --host {options.host} without. Name a file "
            "with a token per line."
        )
    served = Served(load_run(options.run), described(options.run), options.run, options.index)
    limits = Limits(options.megabytes, options.inputs, options.seconds, options.batch, options.wait)
    hosts = ("localhost", "127.0.0.1", options.host) if here else ("*",)
    app = make_app(served, limits, tokens=tokens, hosts=hosts)
    import uvicorn

    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        limit_concurrency=1000,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
    )
    with _listening(options.host, options.port) as listening:
        port = listening.getsockname()[1]
        log.info("serving %s at http://%s:%d; Ctrl-C stops it", options.run, options.host, port)
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
