"""The methods in the order that measures without labels give, and how far labels agree."""

import math
from dataclasses import dataclass

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from replearn.comparison import is_baseline
from replearn.evaluate import agreement, choose
from replearn.report.table import NAME, joined, printable, wide_console

TITLES = {"RankMe": "RankMe", "alignment + uniformity": "align.+unif.", "kNN": "kNN", "linear probe": "probe"}
SHARES = ("kNN", "linear probe")


@dataclass(frozen=True)
class Choice:
    """A table of places.

    Attributes:
        titles: of its columns.
        names: of the representations, best by RankMe first.
        cells: for each, its numbers with their places, `57.4 (1)`.
        taus: sentences about the agreement, none without labels.
    """

    titles: list[str]
    names: list[str]
    cells: list[list[str]]
    taus: list[str]


def choice(scores: pd.DataFrame) -> Choice | None:
    """What can be chosen without labels; None where no views were compared, or nothing was learned."""
    scores = joined(scores)
    names = scores["representation"].astype(str).unique().tolist()
    baselines = [name for name in names if is_baseline(name)]
    if not (scores["measure"] == "alignment").any() or len(baselines) == len(names):
        return None
    table = choose(scores, leave_out=baselines)
    measures = [name for name in TITLES if name in table]
    cells = [
        [_cell(row[name], row[f"{name} place"], name) for name in measures] for _, row in table.iterrows()
    ]
    taus = [
        f"{criterion} and {measure}: {tau:.2f}"
        for criterion, found in agreement(table).items()
        for measure, tau in found.items()
        if not math.isnan(tau)
    ]
    return Choice(
        [TITLES[name] for name in measures], [str(name) for name in table["representation"]], cells, taus
    )


def print_choice(scores: pd.DataFrame, *, console: Console | None = None) -> None:
    """Print the order in 80 columns, places in brackets, and Kendall's tau where there are labels.

    Args:
        scores: of a `Comparison` that was made with `choose=True`.
        console: where to print; standard output if None.
    """
    found = choice(scores)
    if found is None:
        return
    drawn = RichTable(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    drawn.add_column("chosen without labels", overflow="fold", max_width=NAME + 2)
    for title in found.titles:
        drawn.add_column(title, justify="right", no_wrap=True)
    for name, line in zip(found.names, found.cells, strict=True):
        drawn.add_row(Text(printable(name)), *line)
    console = console or wide_console()
    console.print(drawn)
    if found.taus:
        console.print(f"Kendall's tau, {'; '.join(found.taus)}", highlight=False)


def _cell(value: float, place: float, name: str) -> str:
    if math.isnan(value):
        return "–"
    shown = f"{100 * value:.1f}" if name in SHARES else f"{value:.3g}"
    return f"{shown} ({place:.0f})"
