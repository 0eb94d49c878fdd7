"""`replearn transfer RUN DATA`: an encoder on a labelled target, in every way that it can be put there: one table."""

import logging
import textwrap
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from replearn.cli.options import Flag, parse
from replearn.cli.samples import DataOptions, load_parts, short_name

if TYPE_CHECKING:
    from replearn.transfer.table import Cell, Transfer

log = logging.getLogger("replearn")

WIDTH, NAME, COLUMN = 80, 20, 15  # columns of a terminal


@dataclass(kw_only=True)
class TransferOptions(DataOptions):
    """Put the encoder of RUN to labelled DATA in every way, by number of labels, and judge each on a held-out part.

    Rows: raw input and the run's representation, by linear probes; then fine-tuned: from scratch (random weights),
    frozen, the last layers alone, all layers, the last layers begun anew. Prints the table and writes
    transfer.json, cell by cell: after a stop, --resume goes on. DATA are made like what RUN reads.

    Attributes:
        run: folder that `fit` wrote.
        data: built-in name or path.
        test: test part, if not the fixed one of built-in data or a fifth of DATA, drawn at random.
        to: folder for the table; runs/transfer-DATA if not given.
        resume: go on with the table in that folder.
        per_class: numbers of labels per class, beside all of them.
        few_only: leave out the column of all labels, which takes longest.
        seeds: how often labels are drawn and everything is trained.
        top: how many of the last layers learn, or begin anew.
        encoder_rate: learning rate of the encoder's last layer as a multiple of the head's; if not given, 0.05 of what
            reads texts, 1 of other networks; from scratch it is 1.
        layer_decay: learning rate of a layer as a multiple of that of the layer above it.
        views: how samples are seen while layers learn: the name of a preset, auto, or written out, Pair(Flip()); if
            not given, as they are.
        momentum: of the average of weights that answers; 0: the last weights answer.
        least_steps: of a training whose epochs are not given.
        epochs: passes over the labelled samples, if not as many as make enough steps.
        batch_size: samples per step.
        learning_rate: of the head, its peak.
        minutes: end each training after so many minutes.
    """

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    test: Annotated[str | None, tyro.conf.arg(metavar="DATA")] = None
    to: Annotated[str | None, tyro.conf.arg(metavar="FOLDER")] = None
    resume: Flag = False
    per_class: Annotated[tuple[int, ...], tyro.conf.arg(metavar="INT...")] = (5, 20, 100)
    few_only: Flag = False
    seeds: int = 1
    top: int = 1
    encoder_rate: Annotated[float | None, tyro.conf.arg(metavar="FLOAT")] = None
    layer_decay: float = 1.0
    views: Annotated[str | None, tyro.conf.arg(metavar="VIEWS")] = None
    momentum: float = 0.0
    least_steps: int = 500
    epochs: Annotated[int | None, tyro.conf.arg(metavar="INT")] = None
    batch_size: int = 16
    learning_rate: float = 1e-3
    minutes: Annotated[float | None, tyro.conf.arg(metavar="MINUTES")] = None


FIELDS = (
    *("encoder_rate", "layer_decay", "views", "momentum", "least_steps", "epochs", "batch_size"),
    "learning_rate",
)


def run(args: list[str]) -> None:
    """The command."""
    options = parse(TransferOptions, args, command="transfer")
    fields = check_fine_tuning(options)
    from replearn.cli.runs import described, minutes, new_run, shown
    from replearn.engine.signals import Stopped
    from replearn.transfer.table import TRANSFER, Transfer, read_cells

    folder = Path(options.to or f"runs/transfer-{short_name(options.data)}")
    like = described(options.run)
    with new_run(folder):
        if (folder / TRANSFER).is_file() and not options.resume:
            raise ValueError(
                f"{folder} holds a table already. Go on with it (--resume), or choose another --to."
            )
        train, test = load_parts(options.data, options, test=options.test, like=like)
        table = Transfer(
            *(options.run, train, test),
            per_class=options.per_class,
            every=not options.few_only,
            seeds=range(options.seeds),
            top=options.top,
            fields=fields,
        )
        table.check()
        began = time.monotonic()
        try:
            cells = list(_kept(table, folder, read_cells(folder, table.identity())))
        except KeyboardInterrupt as stop:
            if isinstance(stop, Stopped) or not (folder / TRANSFER).is_file():
                raise
            from replearn.engine.signals import told_signal

            number = int(getattr(stop, "signal", 2))
            told = f"stopped by {told_signal(number)} before the end; the cells in {shown(folder)} are kept"
            raise Stopped(told, number) from stop
    name = type(table.method).__name__
    print(f"{name} put to {short_name(options.data)}: accuracy of {len(test):,} test samples in %")
    for line in in_columns(cells, table.ways, list(table.settings), tested=_tested(test)):
        print(line)
    print(f"{minutes(time.monotonic() - began)}; written: {shown(folder / TRANSFER)}")


def check_fine_tuning(options: TransferOptions) -> dict[str, Any]:
    """The fields of `FineTune` that were given, for all rows that it makes.

    Raises:
        ValueError: one of them can't be.
    """
    from replearn.methods.checks import check_fields
    from replearn.methods.ranges import check_ranges, check_sizes
    from replearn.transfer import FineTune
    from replearn.transfer.checks import check_own_fields

    fields = {name: getattr(options, name) for name in FIELDS} | {"max_minutes": options.minutes}
    given = {name: value for name, value in fields.items() if value is not None}
    model = FineTune(**given)
    for check in (check_sizes, check_fields, check_own_fields, check_ranges):
        check(model)
    return given


def _kept(table: "Transfer", folder: Path, known: "list[Cell]") -> "Iterator[Cell]":
    """The cells, each written when it is there."""
    from replearn.comparison import machine_in_words
    from replearn.methods.store import versions
    from replearn.transfer.table import write_cells

    number = len(table.ways) * len(table.settings) * len(table.seeds)
    there = {cell.key: cell for cell in known}
    log.info(
        "%d cells: %d ways, %d numbers of labels, %d seeds",
        number,
        len(table.ways),
        len(table.settings),
        len(table.seeds),
    )
    if known:
        log.info("%d cells are done already", len(known))
    facts = {"versions": versions(), "machine": machine_in_words()}
    for cell in table.cells(known):
        if cell.key not in there:
            there[cell.key] = cell
            write_cells(folder, table.identity(), list(there.values()), facts)
        yield cell


def in_columns(
    cells: "Sequence[Cell]", ways: Sequence[str], settings: Sequence[str], *, tested: int
) -> list[str]:
    """The table in lines of at most 80 columns: a row per way, a column per number of labels; a star at the best.

    Args:
        cells: one for each way, number of labels and seed.
        ways, settings: in their order.
        tested: test samples, for the intervals.
    """
    from replearn.evaluate import accuracy_interval

    found: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        found.setdefault((cell.way, cell.setting), []).append(cell)
    means = {key: sum(c.accuracy for c in row) / len(row) for key, row in found.items()}
    lines = []
    each = (WIDTH - NAME) // COLUMN
    for some in (settings[i : i + each] for i in range(0, len(settings), each)):
        lines += ["", " " * NAME + "".join(f"{name:>{COLUMN}}" for name in some)]
        labels = [max(c.labels for c in found[ways[0], name]) for name in some]
        lines.append(f"{'labels':<{NAME}}" + "".join(f"{number:>{COLUMN},}" for number in labels))
        best = {name: max(round(100 * means[way, name], 1) for way in ways) for name in some}
        for way in ways:
            words = []
            for name in some:
                mean = 100 * means[way, name]
                low, high = accuracy_interval([c.accuracy for c in found[way, name]], tested)
                star = "*" if round(mean, 1) == best[name] else " "
                words.append(f"{star}{mean:.1f} ± {50 * (high - low):.1f}".rjust(COLUMN))
            lines.append(f"{way:<{NAME}}" + "".join(words))
    seeds = len({cell.seed for cell in cells})
    over = f"{tested:,} test samples" + (f" and {seeds} draws of labels" if seeds > 1 else "")
    alone = "" if seeds > 1 else " One training each: its luck is not covered."
    explained = textwrap.wrap(f"±: half of a 95 % interval, over {over}.{alone}", WIDTH)
    return [*lines, "", *explained, "*: the best of its column."]


def _tested(test: Any) -> int:
    return int((test.labels >= 0).sum())
