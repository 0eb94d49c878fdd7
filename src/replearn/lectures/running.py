"""Cells are run one after the other in one namespace, and what each shows is kept."""

import ast
import base64
import io
import linecache
import logging
import math
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from typing import Any, Literal

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from replearn.lectures.cells import Cell, Chapter
from replearn.lectures.numbers import Value, with_values

log = logging.getLogger("replearn")

SALT = "replearn"  # so that names within pictures are the same in every run
DOTS = 110  # per inch, of pictures in notebooks
ROWS = 60  # of a table, at most


@dataclass(frozen=True)
class Shown:
    """Something that a cell showed.

    Attributes:
        kind: text that it printed, a warning that was logged, the value of its last line (text, table, figure), or the
            error that ended it.
        text: in letters; of a figure, what it shows.
        table: where it is one.
        svg, png: pictures of a figure, the second in base64.
    """

    kind: Literal["printed", "warned", "value", "table", "figure", "error"]
    text: str
    table: pd.DataFrame | None = None
    svg: str = ""
    png: str = ""


@dataclass
class Ran:
    """A cell after it was run.

    Attributes:
        cell: with the values of this run.
        shown: in order.
        ran: whether it was; not after a cell that failed.
    """

    cell: Cell
    shown: list[Shown] = field(default_factory=list)
    ran: bool = True

    @property
    def failed(self) -> bool:
        return any(shown.kind == "error" for shown in self.shown)


def run(chapter: Chapter, values: Mapping[str, Value]) -> Iterator[Ran]:
    """Run a chapter's cells with these values of its numbers; cells after one that fails are not run.

    Args:
        chapter: the chapter.
        values: of its numbers, by name.

    Yields:
        Each cell, when it was run; those of text at once.
    """
    space: dict[str, Any] = {"__name__": "__main__"}
    first, failed = True, False
    for at, written in enumerate(chapter.cells):
        if written.kind == "text":
            yield Ran(written)
            continue
        told = with_values(written.source, values) if first and chapter.numbers else written.source
        cell = Cell(written.kind, told, written.line)
        first = False
        if failed:
            yield Ran(cell, ran=False)
            continue
        ran = Ran(cell)
        with _heard(ran.shown):
            _run(cell, f"<{chapter.name}, cell {at + 1}>", space, ran.shown)
        failed = ran.failed
        yield ran


def _run(cell: Cell, file: str, space: dict[str, Any], shown: list[Shown]) -> None:
    linecache.cache[file] = (len(cell.source), None, cell.source.splitlines(keepends=True), file)
    printed, found = io.StringIO(), None
    try:
        with redirect_stdout(printed):
            value = _value(cell.source, file, space)
            found = None if value is None else show(value)
    except (Exception, SystemExit) as error:
        told = traceback.TracebackException.from_exception(error)
        own = [frame for frame in told.stack if frame.filename == file]
        told.stack = traceback.StackSummary.from_list(own)
        found = Shown("error", "".join(told.format(chain=False)).rstrip())
    if printed.getvalue():
        shown.append(Shown("printed", printed.getvalue()))
    if found is not None:
        shown.append(found)


def _value(source: str, file: str, space: dict[str, Any]) -> Any:
    """Run a cell; the value of its last line, if that is an expression."""
    body = ast.parse(source, file).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), file, "exec"), space)
    if not isinstance(last, ast.Expr):
        return None
    return eval(compile(ast.Expression(last.value), file, "eval"), space)


def show(value: Any) -> Shown:
    """What a page shows of a value: a figure, a table, or its text.

    >>> show(3).text, show(pd.DataFrame({"k": [1, 2]})).kind
    ('3', 'table')
    """
    if isinstance(value, Figure):
        return Shown("figure", _in_words(value), svg=_picture(value, "svg"), png=_picture(value, "png"))
    if isinstance(value, pd.DataFrame):
        if len(value) > ROWS:
            return Shown("value", f"{value.head(ROWS).to_string()}\n... of {len(value):,} rows")
        return Shown("table", value.to_string(), table=value)
    return Shown("value", repr(value))


def cell_text(value: Any) -> str:
    """A number of a table as pages show it.

    >>> cell_text(0.123456), cell_text(1234.0), cell_text(float("nan")), cell_text(7)
    ('0.123', '1,234', '', '7')
    """
    if isinstance(value, float):
        if not math.isfinite(value):
            return "" if math.isnan(value) else str(value)
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _picture(figure: Figure, form: str) -> str:
    """SVG as text, PNG in base64."""
    file = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": SALT, "svg.fonttype": "path"}):
        options: dict[str, Any] = {"metadata": {"Date": None}} if form == "svg" else {"dpi": DOTS}
        figure.savefig(file, format=form, **options)
    if form == "png":
        return base64.b64encode(file.getvalue()).decode("ascii")
    text = file.getvalue().decode("utf-8")
    return text[text.index("<svg") :]


def _in_words(figure: Figure) -> str:
    """What a figure shows, for readers who can't see it: titles, axes, names of lines."""
    parts = [figure.get_suptitle()]
    for axes in figure.axes:
        parts += [axes.get_title(), " against ".join(filter(None, (axes.get_ylabel(), axes.get_xlabel())))]
        parts += [text.get_text() for text in axes.texts]
    return f"figure: {'; '.join(dict.fromkeys(' '.join(part.split()) for part in parts if part))[:300]}"


@contextmanager
def _heard(shown: list[Shown]) -> Iterator[None]:
    """While entered, what replearn warns of is kept, and what it only tells is not said."""

    def keep(message: str) -> None:
        one = Shown("warned", " ".join(message.split()))
        if one not in shown:  # once is enough
            shown.append(one)

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            keep(record.getMessage())

    handler, level, say = Kept(logging.WARNING), log.level, warnings.showwarning

    def warned(message: Warning | str, *rest: Any, **options: Any) -> None:
        keep(str(message))
        say(message, *rest, **options)

    log.addHandler(handler)
    log.setLevel(logging.WARNING)
    warnings.showwarning = warned
    try:
        yield
    finally:
        warnings.showwarning = say
        log.setLevel(level)
        log.removeHandler(handler)
