"""`replearn demo`: the main job on built-in data, from samples without labels to a report."""

import logging
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from replearn.cli.commands import kept_command
from replearn.cli.options import Flag, parse
from replearn.cli.samples import DataOptions, load_parts

if TYPE_CHECKING:
    from replearn.comparison import Representation
    from replearn.data import Samples

log = logging.getLogger("replearn")

DATA = "digits"
DRAWS = 5


@dataclass(kw_only=True)
class DemoOptions:
    """Learn handwritten digits without their labels by SimCLR, and judge what was learned.

    Two minutes of training on two cores. The rows raw input, untrained encoder, bag of visual words, PCA and SimCLR
    are judged by the same probes: the table is printed, and runs/demo/report.html written.

    Attributes:
        run: folder to write to; a demo that lies there is replaced.
        seed: of weights, order, views and draws of labels.
        resume: go on with a demo that was stopped.
    """

    run: Annotated[str, tyro.conf.arg(metavar="FOLDER")] = "runs/demo"
    seed: int = 0
    resume: Flag = False


def methods(seed: int) -> tuple[Any, Any]:
    """SimCLR and PCA as the demo sets them."""
    from replearn.methods import SimCLR
    from replearn.methods.classical import PCA

    # Small batches: in two minutes, more steps are worth more than more negatives.
    simclr = SimCLR(epochs=15, batch_size=128, max_minutes=2, random_state=seed)
    return simclr, PCA(n_components=64, random_state=seed)


def run(args: list[str]) -> None:
    """The command."""
    options = parse(DemoOptions, args, command="demo")
    began = time.monotonic()
    from replearn.cli.runs import minutes, new_run, shown
    from replearn.engine.run import REPORT

    folder = Path(options.run)
    with new_run(folder):
        _demo(folder, options, kept_command("demo", args))
    print(f"report: {shown(folder / REPORT)} ({minutes(time.monotonic() - began)} in all)")


def _demo(folder: Path, options: DemoOptions, command: list[str]) -> None:
    """Learn, judge, report."""
    from replearn.cli.evaluations import Judged, print_scores, write_evaluation
    from replearn.comparison import judge
    from replearn.engine.run import REPORT
    from replearn.report import write_report

    make_room(folder, resume=options.resume)
    train, test = load_parts(DATA, DataOptions())
    log.info("%s: %d samples to learn from without labels, %d to test on", DATA, len(train), len(test))
    rows = _rows(train, test, options.seed, folder, resume=options.resume)
    comparison = judge(((options.seed, row) for row in rows), train, test, draws=DRAWS)
    title = f"Learning {DATA} without labels"
    comparison.facts.update(title=title, command=command)
    write_evaluation(folder, comparison, Judged(DATA, None, DataOptions()), {"SimCLR": ".", "PCA": "PCA"})
    log.info("writing the report")
    write_report(folder / REPORT, comparison, title=title)
    print_scores(comparison)


def make_room(folder: Path, *, resume: bool) -> None:
    """Remove the demo that lies in it unless it is to be gone on with.

    Raises:
        ValueError: something else lies there.
    """
    from replearn.engine.kept import EMBEDDED
    from replearn.engine.owner import OWNER
    from replearn.engine.run import ALARMS, EVALUATION, HISTORY, METHOD, REPORT, STATE, WEIGHTS

    if resume or all(path.name == OWNER for path in folder.iterdir()):
        return
    if not (folder / METHOD).is_file():
        raise ValueError(
            f"{folder} must be empty or hold an earlier demo; it holds something else. Choose another --run."
        )
    for name in (METHOD, WEIGHTS, STATE, HISTORY, ALARMS, EVALUATION, REPORT, EMBEDDED, "PCA"):
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _rows(
    train: "Samples", test: "Samples", seed: int, folder: Path, *, resume: bool
) -> "Iterator[Representation]":
    from replearn.comparison import fit_and_represent, hand_made, raw_input, untrained_encoders

    simclr, pca = methods(seed)
    yield raw_input(train, test)
    yield from untrained_encoders({"SimCLR": simclr}, train, test)
    words = hand_made(train, test, random_state=seed)
    if words is not None:
        yield words
    yield fit_and_represent("PCA", pca, train, test, run=folder / "PCA", resume=resume)
    log.info("learning by SimCLR for at most %g minutes", simclr.max_minutes)
    yield fit_and_represent("SimCLR", simclr, train, test, run=folder, resume=resume)
