"""A chapter as one HTML file, in the dress of reports: it needs no network and runs no script."""

import base64
import io
import keyword
import math
import re
import token as tokens
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup, escape

from replearn.lectures.cells import Chapter
from replearn.lectures.figures import FAILS, HOLDS
from replearn.lectures.numbers import Number, Value, option
from replearn.lectures.running import Ran, Shown, cell_text
from replearn.lectures.words import as_html
from replearn.report.page import template

KINDS = {tokens.STRING: "s", tokens.NUMBER: "n", tokenize.COMMENT: "c"}


@dataclass(frozen=True)
class Line:
    """A row of the table of numbers."""

    option: str
    value: str
    range: str
    meaning: str


def render(
    chapter: Chapter,
    cells: Sequence[Ran],
    values: Mapping[str, Value],
    *,
    stem: str,
    command: str,
    took: str,
    before: tuple[str, str] | None = None,
    after: tuple[str, str] | None = None,
) -> str:
    """The page of a chapter.

    Args:
        chapter: the chapter.
        cells: as they ran.
        values: of its numbers.
        stem: of its files.
        command: that makes it.
        took: how long it took, in words.
        before, after: stem and title of the chapters beside it.
    """
    failed = next((number for number, ran in enumerate(cells, start=1) if ran.failed), None)
    example = next(iter(chapter.numbers.values()), None)
    return template("lecture.html.j2").render(
        title=chapter.title,
        script_source=Markup("'none'"),
        before=before,
        after=after,
        stem=stem,
        failed=failed and f"Cell {failed} failed, so the rest was not run; what it said stands below it.",
        parts=[_part(ran, at == 0) for at, ran in enumerate(cells)],
        numbers=[_line(number, values[name]) for name, number in chapter.numbers.items()],
        took=took,
        command=command,
        example="" if example is None else f"{option(example.name)} {as_option(example.sizes['small'])}",
    )


def claims(cells: Sequence[Ran]) -> tuple[int, int]:
    """How many claims the cells made, and how many of them were seen."""
    lines = [
        line
        for ran in cells
        for shown in ran.shown
        if shown.kind == "printed"
        for line in shown.text.splitlines()
    ]
    held = sum(line.startswith(HOLDS) for line in lines)
    return held + sum(line.startswith(FAILS) for line in lines), held


def as_option(value: Value) -> str:
    """A value as it is written behind its option.

    >>> as_option((2, 8)), as_option(0.5)
    ('2 8', '0.5')
    """
    return " ".join(map(repr, value)) if isinstance(value, tuple) else repr(value)


def coloured(source: str) -> Markup:
    """Python as HTML, with keywords, texts, numbers and comments marked.

    >>> coloured("x = 1  # <one>")
    Markup('x = <span class="tag-n">1</span>  <span class="tag-c"># &lt;one&gt;</span>')
    """
    lines, at, found = source.splitlines(keepends=True), (1, 0), []
    try:
        pieces = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return Markup(escape(source))  # no Python, as the error of its cell says
    for piece in pieces:
        kind = "k" if piece.type == tokens.NAME and keyword.iskeyword(piece.string) else KINDS.get(piece.type)
        if kind is None:
            continue
        found += [
            escape(_between(lines, at, piece.start)),
            Markup('<span class="tag-{}">{}</span>').format(kind, piece.string),
        ]
        at = piece.end
    return Markup("").join([*found, escape(_between(lines, at, (len(lines) + 1, 0)))])


def _between(lines: Sequence[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    """Text between two places, each a line, counted from 1, and a column."""
    if start[0] == end[0]:
        return lines[start[0] - 1][start[1] : end[1]]
    first, *rest = lines[start[0] - 1 : end[0] - 1] or [""]
    last = lines[end[0] - 1][: end[1]] if end[0] <= len(lines) else ""
    return first[start[1] :] + "".join(rest) + last


def _part(ran: Ran, first: bool) -> dict[str, Any]:
    """What the template draws of a cell; the title stands above."""
    if ran.cell.kind == "text":
        text = re.sub(r"^# .*\n", "", ran.cell.source, count=1) if first else ran.cell.source
        words = as_html(text)
        return {
            "kind": "text",
            "words": Markup(words.replace("<p>", '<p class="verdict">', 1) if first else words),
        }
    shown = [part for one in ran.shown for part in _shown(one)]
    return {"kind": ran.cell.kind, "code": coloured(ran.cell.source), "ran": ran.ran, "shown": shown}


def _shown(shown: Shown) -> Iterator[dict[str, Any]]:
    if shown.kind == "figure":
        data = base64.b64encode(shown.svg.encode()).decode("ascii")
        yield {"kind": "figure", "uri": f"data:image/svg+xml;base64,{data}", "text": shown.text}
    elif shown.table is not None:
        yield _table(shown.table)
    elif shown.kind == "printed":
        yield from _printed(shown.text)
    else:
        yield {"kind": shown.kind, "text": shown.text}


def _printed(text: str) -> Iterator[dict[str, Any]]:
    """Printed text, and the claims among its lines."""
    for is_claim, part in _runs(text.splitlines()):
        if not is_claim:
            yield {"kind": "printed", "text": "\n".join(part)}
            continue
        for line in part:
            yield {"kind": "claim", "text": line, "holds": line.startswith(HOLDS)}


def _runs(lines: Sequence[str]) -> Iterator[tuple[bool, list[str]]]:
    part: list[str] = []
    was = False
    for line in lines:
        now = line.startswith((HOLDS, FAILS))
        if part and now != was:
            yield was, part
            part = []
        part.append(line)
        was = now
    if part:
        yield was, part


def _table(table: pd.DataFrame) -> dict[str, Any]:
    """Cells as text; a count of rows that has no name is left out."""
    counted = isinstance(table.index, pd.RangeIndex) and table.index.name is None
    whole = table if counted else table.reset_index()
    head = [str(name) for name in whole.columns]
    if not counted and table.index.name is None:
        head[0] = ""
    rows = [[cell_text(cell) for cell in row] for row in whole.astype(object).itertuples(index=False)]
    return {"kind": "table", "head": head, "rows": rows}


def _line(number: Number, value: Value) -> Line:
    low, high = (f"{end:g}" if math.isfinite(end) else "" for end in (number.low, number.high))
    return Line(
        option(number.name), as_option(value), f"{low} to {high}" if low or high else "", number.meaning
    )
