"""`replearn auto DATA`: which representation to take, within some minutes."""

import logging
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from replearn.cli.commands import kept_command
from replearn.cli.options import parse
from replearn.cli.samples import DataOptions, all_of, load_parts, short_name, shown_data

if TYPE_CHECKING:
    from replearn.comparison.trials import Trial
    from replearn.data import Samples

log = logging.getLogger("replearn")

LATE = 1.2  # times the minutes that were asked for: from here on it is told


@dataclass(kw_only=True)
class AutoOptions(DataOptions):
    """Choose a representation for DATA within some minutes: say what to take, and how sure that is.

    Tries raw input, features made by hand, principal components, encoders that are given, and some methods, of which
    the better half goes on after each round. Labels, where some samples have them, choose by cross-validation; without
    labels the choice is hardly better than chance. A test part that chooses nothing gives the last table and
    report.html. Stopped, the same command goes on.

    Attributes:
        data: built-in name or path.
        minutes: of the whole, judging by the test part aside.
        methods: names that `replearn list` shows, to be tried in place of those that suit such data.
        given: encoders that have learned: hf:FOLDER for texts, NAME@FILE of weights or NAME@RUN.
        test: test part, if not the fixed one of built-in data or a fifth of DATA, drawn at random.
        run: folder to write to; runs/auto-DATA if not given.
        draws: of labels, for each of the numbers of the last table.
        seed: of all that is drawn.
    """

    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    minutes: float = 30.0
    methods: Annotated[tuple[str, ...], tyro.conf.arg(metavar="METHOD...")] = ()
    given: Annotated[tuple[str, ...], tyro.conf.arg(metavar="ENCODER...")] = ()
    test: Annotated[str | None, tyro.conf.arg(metavar="DATA")] = None
    run: Annotated[str | None, tyro.conf.arg(metavar="FOLDER")] = None
    draws: int = 5
    seed: int = 0


def run(args: list[str]) -> None:
    """The command."""
    options = parse(AutoOptions, args, command="auto")
    from replearn.cli.compare import check_folder
    from replearn.cli.runs import new_run
    from replearn.comparison.auto import FILE

    folder = Path(options.run or f"runs/auto-{short_name(options.data)}")
    with new_run(folder):
        check_folder(folder, resume=(folder / FILE).is_file())
        _auto(folder, options, kept_command("auto", args))


def _auto(folder: Path, options: AutoOptions, command: list[str]) -> None:
    """Choose, judge by the test part, write, print."""
    from replearn.cli.commands import next_command
    from replearn.cli.evaluations import Judged, print_scores, write_evaluation
    from replearn.cli.runs import shown
    from replearn.comparison import judge, run_name
    from replearn.comparison.auto import auto
    from replearn.comparison.shortlist import shortlist, within_minutes
    from replearn.engine.run import METHOD, REPORT
    from replearn.methods import Frozen
    from replearn.methods.base import Encoded
    from replearn.methods.columns import learn_columns, scaling_for
    from replearn.report import write_report

    train, test = load_parts(options.data, options, test=options.test)
    columns = learn_columns(scaling_for("auto", train, []), train)
    methods = shortlist(train, options.methods, seed=options.seed)
    given = {encoder: Frozen(encoder=encoder) for encoder in options.given}
    tried = [f"{name}{_in_words(within_minutes(name.lower(), train))}" for name in methods]
    for line in seen(train, test, [*tried, *given], options.minutes):
        log.info("%s", line)
    began = time.monotonic()
    choice = auto(
        train,
        test,
        minutes=options.minutes,
        folder=folder,
        methods=methods,
        given=given,
        columns=columns,
        seed=options.seed,
        on_trial=lambda trial: log.info("%s", told(trial)),
    )
    took = (time.monotonic() - began) / 60
    over = (
        ""
        if took <= LATE * options.minutes
        else f", not {options.minutes:g}: judging and what needs no training took the rest"
    )
    log.info("chosen in %.1f minutes%s; the test part is judged now", took, over)
    rows = ((options.seed, row) for row in choice.rows)
    comparison = judge(rows, train, test, draws=options.draws, columns=columns)
    title = f"A representation for {shown_data(options.data)}"
    comparison.facts.update(title=title, command=command, choice=choice.advice())
    runs = {row.name: run_name(row.name, 0) for row in choice.rows}
    kept = {name: place for name, place in runs.items() if (folder / place / METHOD).is_file()}
    write_evaluation(folder, comparison, Judged(options.data, options.test, options), kept)
    written = write_report(folder / REPORT, comparison, title=title)
    print_scores(comparison)
    print(textwrap.fill(choice.advice(), 80))
    print(f"written: {shown(written)}")
    if choice.best in kept:
        best = shown(folder / kept[choice.best])
        print(f"{choice.best} lies in {best}; next:")
        if choice.judged:
            frozen = "" if isinstance(choice.row.method, Encoded) else " --trained frozen"
            print(f"  {next_command('finetune', best, all_of(options.data), options=options)}{frozen}")
        for name in ("explore", "index", "embed"):
            print(f"  {next_command(name, best, all_of(options.data), options=options)}")


def _in_words(fields: dict[str, Any]) -> str:
    """Fields that are not the defaults.

    >>> _in_words({"batch_size": 64}), _in_words({})
    (' (batch_size=64)', '')
    """
    return f" ({', '.join(f'{name}={value}' for name, value in fields.items())})" if fields else ""


def seen(train: "Samples", test: "Samples", tried: list[str], minutes: float) -> list[str]:
    """What the data are, and what will be done with them, in lines of 80 columns."""
    import numpy as np

    labels = np.full(len(train), -1) if train.labels is None else np.asarray(train.labels)
    known = labels >= 0
    classes = len(np.unique(labels[known]))
    size = f" of {' x '.join(map(str, train.shape))}" if train.shape else ""
    labelled = f"{known.sum():,} with labels of {classes} classes" if known.any() else "without labels"
    groups = "" if train.groups is None else f", {len({*train.groups.tolist()} - {''}):,} groups"
    skipped = f", {len(train.skipped):,} left out" if train.skipped else ""
    first = (
        f"{len(train):,} {train.kind} samples{size}, {labelled}{groups}{skipped}; {len(test):,} to test by"
    )
    return [
        *textwrap.wrap(first, 80),
        *textwrap.wrap(f"{minutes:g} minutes; tried: what needs no training, {', '.join(tried)}", 80),
    ]


def told(trial: "Trial") -> str:
    """A line on a trial."""
    from replearn.comparison.trials import PROBE

    when = f"round {trial.round}, {trial.minutes:.2g} minutes" if trial.round else "no training"
    found = ", ".join(
        f"{100 * value:.1f} % right" if name == PROBE else f"{name} {value:.3g}"
        for name, value in trial.measures.items()
    )
    return f"  {trial.name:<32.32} {when:<22} {found}"
