"""The comparison as a table: one line per representation, for the terminal, for Markdown, for the page."""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from replearn.evaluate import join_seeds
from replearn.report.cut import CUT, MARK, cut_trainings
from replearn.report.spread import DIRECT, KNN, PROBE, spread_note

RANK = "effective rank"
WITHOUT_LABELS = {RANK: "rank", "alpha-ReQ": "α-ReQ", "uniformity": "uniformity", "sparsity": "sparsity"}
SIZES = 3  # numbers of labels that a terminal of 80 columns has room for
WIDTH = 80  # columns that a table is made for
NAME = 19  # columns of a terminal for the name


@dataclass(frozen=True)
class Column:
    """A measure as the table shows it.

    Attributes:
        title: its heading.
        measure, labels, setting: the rows of the scores that it takes.
        accuracy: whether larger is better and the number is a share, shown in percent.
    """

    title: str
    measure: str
    labels: int
    accuracy: bool
    setting: str = ""


class Size(NamedTuple):
    """How many labels the probe was given, by which setting, and the heading: `1 % (80)`, `5 per class (80)`."""

    labels: int
    setting: str
    title: str


@dataclass(frozen=True)
class Cell:
    """A number, half of its 95 % interval (NaN: it has none), and whether its column has no better one."""

    mean: float
    half: float
    best: bool
    accuracy: bool

    @property
    def number(self) -> str:
        """The mean in words: percent for shares."""
        if math.isnan(self.mean):
            return "–"
        return (
            f"{100 * self.mean:.1f}"
            if self.accuracy
            else f"{self.mean:.3g}"
            if self.mean < 100
            else f"{self.mean:.0f}"
        )

    @property
    def spread(self) -> str:
        """Half of the interval, as `± 0.4`, or nothing."""
        if math.isnan(self.half):
            return ""
        return f"± {100 * self.half:.1f}" if self.accuracy else f"± {self.half:.2g}"

    @property
    def text(self) -> str:
        return f"{self.number} {self.spread}".strip()


@dataclass(frozen=True)
class Table:
    """Columns, the names of the lines, the cells of each line, what their ± covers ("" where there is none), and which
    trainings were cut: name and steps.
    """

    columns: list[Column]
    names: list[str]
    cells: list[list[Cell]]
    note: str = ""
    cut: dict[str, str] = field(default_factory=dict)

    @property
    def cut_note(self) -> str:
        """What the mark of a training that was cut says, or nothing."""
        told = "; ".join(f"{printable(name)} after {steps}" for name, steps in self.cut.items())
        return told and f"{MARK} ended by max_minutes, the whole schedule drawn together: {told}."

    def title(self, name: str) -> str:
        """The name of a line, marked where its training was cut."""
        return f"{printable(name)}{MARK * (name in self.cut)}"


def table_rows(scores: pd.DataFrame) -> Table:
    """What the table shows: one line per representation, in the order of the scores.

    Columns are accuracies by number of labels and kNN where there are labels, and the effective rank; without
    labels, all measures that need none. Seeds are averaged. Only accuracies have a best one: a larger rank is
    no better representation.

    Args:
        scores: `representation, measure, labels, mean, low, high, draws`, maybe `seed, setting, tested`, of a
            `Comparison`.

    Raises:
        ValueError: a column is missing, or there is no row.

    >>> scores = pd.DataFrame(
    ...     [("raw", "kNN", 100, 0.9, 0.88, 0.92, 1)],
    ...     columns=["representation", "measure", "labels", "mean", "low", "high", "draws"],
    ... )
    >>> table_rows(scores).cells[0][0].text
    '90.0 ± 2.0'
    """
    cut, groups = cut_trainings(scores), int(scores.get("test_groups", pd.Series([0])).max())
    scores = joined(scores)
    columns = _columns(scores)
    names = [str(name) for name in scores["representation"].unique()]
    found = {
        (name, measure, labels, setting): (mean, (high - low) / 2)
        for (name, measure, labels, mean, low, high), setting in zip(
            records(scores), scores["setting"], strict=True
        )
    }
    numbers = [
        [found.get((name, c.measure, c.labels, c.setting), (math.nan, math.nan)) for c in columns]
        for name in names
    ]
    tops = [_best(column, [line[i][0] for line in numbers]) for i, column in enumerate(columns)]
    cells = [
        # Bold where the shown numbers are equal: a digit that is not shown is no merit.
        [
            Cell(mean, half, _shown(mean) == top, c.accuracy)
            for (mean, half), c, top in zip(line, columns, tops, strict=True)
        ]
        for line in numbers
    ]
    own = " direct: a method's own predictions." * any(column.measure == DIRECT for column in columns)
    return Table(columns, names, cells, f"{spread_note(scores, groups)}{own}", cut)


def joined(scores: pd.DataFrame) -> pd.DataFrame:
    """The scores with seeds averaged, after a check; settings of as many labels stay apart."""
    missing = {"representation", "measure", "labels", "mean", "low", "high"} - set(scores.columns)
    if missing or not len(scores):
        raise ValueError(
            f"scores must have rows and the columns of a comparison; got {len(scores)} rows, "
            f"{', '.join(sorted(missing)) or 'no column'} missing. Give `Comparison.scores`."
        )
    scores = scores.drop(columns=[CUT, "test_groups"], errors="ignore")
    if "draws" not in scores.columns:
        scores = scores.assign(draws=1)
    return scores if "seeds" in scores.columns else join_seeds([scores])


def records(scores: pd.DataFrame) -> list[tuple[str, str, int, float, float, float]]:
    """The rows of the scores: representation, measure, labels, mean, low, high."""
    columns = scores[["representation", "measure", "labels", "mean", "low", "high"]]
    return [
        (str(name), str(measure), int(labels), float(mean), float(low), float(high))
        for name, measure, labels, mean, low, high in columns.itertuples(index=False, name=None)
    ]


def wide_console() -> Console:
    """Standard output, taken to be as wide as a table: a narrower one breaks lines, and loses nothing."""
    console = Console()
    return Console(width=max(console.width, WIDTH))


def print_table(scores: pd.DataFrame, *, console: Console | None = None) -> None:
    """Print the comparison in 80 columns: mean and half of the 95 % interval, best of a column bold; and what ± covers.

    Of more than three numbers of labels, the first, the middle and the last are shown; a line names the others.

    Args:
        scores: as `table_rows` takes them.
        console: where to print; standard output if None.
    """
    table = table_rows(scores)
    chosen = _chosen_columns(table.columns)
    drawn = RichTable(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    drawn.add_column("representation", overflow="fold", max_width=NAME)
    for i in chosen:
        drawn.add_column(table.columns[i].title, justify="right", no_wrap=True)
    for name, line in zip(table.names, table.cells, strict=True):
        # Of measures that are no share the interval over seeds would not fit.
        shown = [line[i] for i in chosen]
        cells = [Text(c.text if c.accuracy else c.number, style="bold" if c.best else "") for c in shown]
        drawn.add_row(Text(table.title(name)), *cells)
    console = console or wide_console()
    console.print(drawn)
    left = [column.title for i, column in enumerate(table.columns) if i not in chosen]
    for note in filter(None, (_left_out(left), table.note, table.cut_note)):
        console.print(Text(note))


def to_markdown(scores: pd.DataFrame) -> str:
    """The table in Markdown, for a README; best of a column bold.

    >>> scores = pd.DataFrame(
    ...     [("a|b", "kNN", 100, 0.9, 0.88, 0.92, 1)],
    ...     columns=["representation", "measure", "labels", "mean", "low", "high", "draws"],
    ... )
    >>> print(to_markdown(scores))
    | representation | kNN |
    | :-- | --: |
    | a\\|b | **90.0** ± 2.0 |
    """
    table = table_rows(scores)
    lines = [
        ["representation", *(column.title for column in table.columns)],
        [":--", *("--:" for _ in table.columns)],
    ]
    for name, cells in zip(table.names, table.cells, strict=True):
        shown = [f"**{c.number}** {c.spread}".strip() if c.best else c.text for c in cells]
        lines.append([_escape_markdown(table.title(name)), *shown])
    drawn = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{drawn}\n\n{_escape_markdown(table.cut_note)}" if table.cut else drawn


def _left_out(titles: list[str]) -> str:
    """How many columns a terminal has no room for, and which, or nothing."""
    if not titles:
        return ""
    more = "1 more column" if len(titles) == 1 else f"{len(titles)} more columns"
    are = "is" if len(titles) == 1 else "are"
    return f"{more}, {', '.join(titles)}, {are} in the report and in evaluation.json."


def printable(text: str) -> str:
    """The text on one line, without control characters: a name may hold what moves a terminal's cursor."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def plain(text: str) -> str:
    """The text as figures write it: printable line by line, and no part of it a formula."""
    return "\n".join(map(printable, text.split("\n"))).replace("$", r"\$")


def percent(share: float) -> str:
    """A share as a percentage of two digits: `1 %`, `0.12 %`."""
    return f"{float(f'{100 * share:.2g}'):g} %"


def sizes(scores: pd.DataFrame) -> list[Size]:
    """The settings by which the probe was given labels, by their number.

    Args:
        scores: as `joined` returns them.
    """
    probes = scores[scores["measure"] == PROBE]
    found = sorted({(int(n), str(by)) for n, by in zip(probes["labels"], probes["setting"], strict=True)})
    total = max(known_labels(scores), 1)
    return [Size(n, setting, f"{_named(setting, n / total)} ({n})") for n, setting in found]


def known_labels(scores: pd.DataFrame) -> int:
    """How many training labels there are: kNN takes them all."""
    known = scores.loc[scores["measure"] == KNN, "labels"]
    return int(known.max() if len(known) else scores["labels"].max())


def _named(setting: str, share: float) -> str:
    """What labels are drawn by, in a heading; older versions did not keep it."""
    return setting if "per class" in setting else percent(share) + " again" * setting.count("again")


def _columns(scores: pd.DataFrame) -> list[Column]:
    measures = set(scores["measure"])
    columns = [Column(size.title, PROBE, size.labels, True, size.setting) for size in sizes(scores)]
    if KNN in measures:
        columns.append(Column(KNN, KNN, int(scores.loc[scores["measure"] == KNN, "labels"].max()), True))
    if DIRECT in measures:
        columns.append(
            Column(DIRECT, DIRECT, int(scores.loc[scores["measure"] == DIRECT, "labels"].max()), True)
        )
    free = [RANK] if columns else list(WITHOUT_LABELS)
    return columns + [Column(WITHOUT_LABELS[name], name, 0, False) for name in free if name in measures]


def _shown(mean: float) -> float:
    return round(100 * mean, 1)


def _best(column: Column, means: list[float]) -> float:
    """The best accuracy as shown; NaN, which equals nothing, for other measures."""
    known = [_shown(mean) for mean in means if not math.isnan(mean)]
    return max(known) if column.accuracy and known else math.nan


def _chosen_columns(columns: list[Column]) -> list[int]:
    probes = [i for i, column in enumerate(columns) if column.measure == PROBE]
    if len(probes) > SIZES:
        probes = [probes[0], probes[len(probes) // 2], probes[-1]]
    return probes + [i for i, column in enumerate(columns) if column.measure != PROBE]


def _escape_markdown(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;")
    return "".join(f"\\{char}" if char in "\\|*_`[]~" else char for char in text)
