"""`replearn serve RUN`: a model behind HTTP."""

from dataclasses import dataclass
from typing import Annotated

import tyro

from replearn.cli.options import parse


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
    from replearn.cli.listening import check_tokens, hosts_of, listen
    from replearn.cli.runs import described, load_run
    from replearn.service.http import Limits, Served, make_app

    tokens = check_tokens(options.host, options.tokens)
    served = Served(load_run(options.run), described(options.run), options.run, options.index)
    limits = Limits(options.megabytes, options.inputs, options.seconds, options.batch, options.wait)
    app = make_app(served, limits, tokens=tokens, hosts=hosts_of(options.host))
    listen(app, options.host, options.port, f"serving {options.run}")
