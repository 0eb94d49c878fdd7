"""`replearn serve RUN`: a model behind HTTP."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from replearn.cli.options import parse

if TYPE_CHECKING:
    from replearn.service.http.counts import Counts


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
        workers: processes, each with its own copy of the network, so that one may die or be busy; one that dies is
            started anew.
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
    workers: int = 1


def run(args: list[str]) -> None:
    """The command."""
    options = parse(ServeOptions, args, command="serve")
    from replearn.cli.listening import check_tokens, listen, listen_by_workers

    tokens = check_tokens(options.host, options.tokens)
    what = f"serving {options.run}"
    if options.workers == 1:
        listen(make(options, tokens), options.host, options.port, what)
    else:
        made = partial(make_one_of_several, options, tokens)
        listen_by_workers(made, options.host, options.port, what, options.workers)


def make(options: ServeOptions, tokens: tuple[str, ...], counts: "Counts | None" = None) -> Any:
    """The application.

    Raises:
        ValueError: the run can't be served, or not with that index.
    """
    from replearn.cli.listening import hosts_of
    from replearn.cli.runs import described, load_run
    from replearn.service.http import Limits, Served, make_app

    served = Served(load_run(options.run), described(options.run), options.run, options.index)
    limits = Limits(options.megabytes, options.inputs, options.seconds, options.batch, options.wait)
    return make_app(served, limits, tokens=tokens, hosts=hosts_of(options.host), counts=counts)


def make_one_of_several(options: ServeOptions, tokens: tuple[str, ...], folder: Path, number: int) -> Any:
    """That of a worker, with its share of the processor.

    Args:
        options: of the command.
        tokens: that requests bring.
        folder: where workers write what they count.
        number: of this worker.
    """
    import torch

    from replearn.service.http.counts import Counts
    from replearn.service.reading import hash_of_run

    torch.set_num_threads(max(1, torch.get_num_threads() // options.workers))
    weights, first = hash_of_run(options.run), folder / "weights"
    if not first.exists():
        first.write_text(weights)
    elif first.read_text() != weights:
        raise ValueError(
            f"{options.run} must be as it was when the server began; it has been fitted again. Restart the server."
        )
    return make(options, tokens, Counts(folder / f"{number}.json"))
