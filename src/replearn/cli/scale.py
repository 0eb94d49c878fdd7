"""`replearn scale METHOD DATA`: what more samples, longer training and larger networks are worth."""

import dataclasses
import logging
import shlex
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from replearn.cli.commands import kept_command
from replearn.cli.options import parse
from replearn.cli.samples import DataOptions, load_parts, short_name, shown_data

if TYPE_CHECKING:
    from collections.abc import Callable

    from replearn.comparison.scale import Measured, Scaling

log = logging.getLogger("replearn")

# Fields of methods that are no options here: --seeds and epochs stand for them.
GIVEN = ("random_state", "max_minutes")

USAGE = """usage: replearn scale METHOD DATA [--by AXIS...] [--minutes M] [options]

Scaling laws: make one thing larger at a time (samples, epochs, width or depth
of the network), fit a power law to the error of a linear probe, and say what
doubling it is worth and what to spend time on. Writes scale.json, scale.csv and
report.html; the same command goes on where it was stopped.

  METHOD    a name that `replearn list` shows
  DATA      with labels: a built-in name, or a path as of `replearn fit`

The options are the method's own, too: `replearn scale METHOD --help` shows all.

examples:
  replearn scale simclr digits --epochs 20
  replearn scale simclr photos/ --by samples --values 500 1000 2000 4000
  replearn scale mae digits --by width depth --seeds 3 --minutes 30
  replearn scale bert notes.csv --labels topic --by encoder \\
      --values bert_tiny bert_mini bert_small"""


@dataclass(kw_only=True)
class ScaleOptions(DataOptions):
    """What is made larger, and where to write.

    Attributes:
        by: what is made larger, each alone: samples (for as many steps), epochs, width and depth of the network, or
            encoder (names, by their parameters).
        values: of the one thing that --by names; if not given, shares and multiples of what is asked for.
        test: test part, if not the fixed one of built-in data or a fifth of DATA, drawn at random.
        seeds: how many seeds each training is made with.
        minutes: also say what to spend so many minutes of one training on.
        run: folder to write to; runs/scale-METHOD-DATA if not given.
    """

    by: Annotated[
        tuple[Literal["samples", "epochs", "width", "depth", "encoder"], ...],
        tyro.conf.arg(metavar="AXIS..."),
    ] = ("samples", "epochs")
    values: Annotated[tuple[str, ...], tyro.conf.arg(metavar="VALUE...")] = ()
    test: Annotated[str | None, tyro.conf.arg(metavar="DATA")] = None
    seeds: int = 1
    minutes: Annotated[float | None, tyro.conf.arg(metavar="FLOAT")] = None
    run: Annotated[str | None, tyro.conf.arg(metavar="FOLDER")] = None


def run(args: list[str]) -> None:
    """The command."""
    if args[:1] in (["-h"], ["--help"]):
        print(USAGE)
        return
    if not args or args[0].startswith("-"):
        raise ValueError("METHOD and DATA must be given first. See `replearn scale --help`.")
    from replearn.cli.fields import field_options, make_method
    from replearn.cli.fit import with_fields
    from replearn.cli.runs import new_run
    from replearn.methods import find_method

    entry = find_method(args[0])
    asked = with_fields(field_options(entry.cls, left_out=GIVEN), ScaleOptions)
    options: Any = parse(asked, args[1:], command=f"scale {entry.name}")
    folder = Path(options.run or f"runs/scale-{entry.name}-{short_name(options.data)}")
    with new_run(folder):
        _scale(folder, make_method(entry.cls, options.options), options, kept_command("scale", args))


def _scale(folder: Path, method: Any, options: Any, command: list[str]) -> None:
    """Measure, write, print."""
    import pandas as pd

    from replearn.cli.compare import check_folder
    from replearn.cli.runs import shown
    from replearn.comparison.scale import FILE, scale
    from replearn.comparison.settings import planned
    from replearn.engine.run import REPORT, replacing
    from replearn.report.scaling import doubled_rows, write_scaling_page

    check_folder(folder, resume=(folder / FILE).is_file())
    train, test = load_parts(options.data, options, test=options.test)
    by = tuple(dict.fromkeys(options.by))
    base, plan = planned(method, train, by, options.values)
    settings = {base, *(setting for axis in plan.values() for _, setting in axis)}
    number = len(settings) * options.seeds
    log.info("%d trainings, the first as asked for: %s", number, base.name)
    found = scale(
        method,
        train,
        test,
        by=by,
        values=options.values,
        seeds=range(options.seeds),
        folder=folder,
        on_row=_told(number),
    )
    advice = _advice(found, options.minutes)
    rows = {(row.setting, row.seed): row for axis in found.axes for row in axis.rows}
    with replacing(folder / "scale.csv") as part:
        pd.DataFrame([dataclasses.asdict(row) for row in rows.values()]).to_csv(part, index=False)
    title = f"{found.method} on {shown_data(options.data)}, made larger"
    write_scaling_page(folder / REPORT, found, title=title, advice=advice, command=shlex.join(command))
    print(f"{'doubling':<24}{'error now':>10}  {'error by the law (95 %)':<27}{'training':>9}")
    for name, now, then, cost in doubled_rows(found):
        print(f"{name:<24}{now:>10}  {then:<27}{cost:>9}")
    for name, error in found.before.items():
        print(f"{name:<24}{100 * error:>8.1f} %")
    for line in advice:
        print(textwrap.fill(line, 80))
    print(f"written: {shown(folder)}: {FILE}, scale.csv, {REPORT}")


def _told(number: int) -> "Callable[[Measured], None]":
    """What tells each training, and how long the others take if they take as long as those so far."""
    from replearn.engine.history import time_left

    took: list[float] = []

    def tell(row: "Measured") -> None:
        took.append(row.seconds)
        left = time_left(sum(took), len(took) / number)
        log.info(
            "%d of %d: %s, seed %d: error %.1f %%, %.0f s of training%s",
            *(len(took), number, row.setting.name, row.seed, 100 * row.error, row.seconds, left),
        )

    return tell


def _advice(found: "Scaling", minutes: float | None) -> list[str]:
    """What to spend on, in sentences."""
    from replearn.report.scaling import percent

    worth = {axis.name: twice for axis in found.axes if (twice := axis.doubled()) is not None}
    if not worth:
        return [
            f"More of {' or '.join(axis.name for axis in found.axes)} is not shown to help: the errors do not fall, or "
            "there are too few trainings to see it. Try more values or seeds (--seeds 3)."
        ]
    best = min(worth, key=lambda name: worth[name].error)
    told = [
        f"Most is gained by {best}: doubling it leaves an error of about {percent(worth[best].error)}, and training "
        f"takes {worth[best].cost:.1f} times as long."
    ]
    return told if minutes is None else [*told, _spent(found, minutes)]


def _spent(found: "Scaling", minutes: float) -> str:
    """What to spend so many minutes of one training on."""
    from replearn.report.scaling import percent

    best = None
    for axis in found.axes:
        there = axis.within(minutes)
        if there is not None and (best is None or there[1].error < best[2].error):
            best = axis, *there
    if best is None:
        return f"What {minutes:g} minutes buy can't be estimated: nothing that was enlarged helps and takes longer."
    axis, x, law = best
    told = (
        f"In {minutes:g} minutes of one training: {axis.name} of about {x:,.0f}, for an error of "
        f"{percent(law.error)} ({percent(law.low)} to {percent(law.high)})."
    )
    if min(axis.x) <= x <= max(axis.x):
        return told
    side, end = ("largest", max(axis.x)) if x > max(axis.x) else ("smallest", min(axis.x))
    return f"{told} That is {x / end:.1f} times the {side} that was measured: a guess."
