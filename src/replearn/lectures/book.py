"""The book's folder: a page, a notebook and a record of each chapter, and an index.

    runs/lectures/
        index.html
        mae.html, mae.ipynb       the chapter
        mae.json                  by what it was made, how long that took, what of its claims was seen
        mae-share-0.5.html, ...   the same with another number

A chapter whose record says that nothing has changed is not made again. Its record is written last, so what a kill
leaves behind is made again, and no other chapter is.
"""

import hashlib
import json
import re
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from markupsafe import Markup

from replearn import __version__
from replearn.engine.run import replacing
from replearn.lectures.cells import Chapter, chapters, read_chapter
from replearn.lectures.notebook import as_notebook
from replearn.lectures.numbers import Size, Value, option
from replearn.lectures.page import as_option, claims, render
from replearn.lectures.running import Ran, run
from replearn.report.page import template, write_page

INDEX = "index.html"
LONGEST = 80  # letters of a file's name


@dataclass(frozen=True)
class Made:
    """A chapter that was made.

    Attributes:
        stem: of its files.
        digest: of all that it follows from: text, code, numbers, version.
        seconds: that it took.
        claimed, seen: its claims, and how many of them were seen.
        failed: the number of the cell that failed, counted from 1, or None.
        size: of the book.
        changed: the numbers that are not those of that size.
        made: whether it was made now; else it was there.
    """

    stem: str
    digest: str
    seconds: float
    claimed: int
    seen: int
    failed: int | None
    size: str
    changed: Mapping[str, Any] = field(default_factory=dict)
    made: bool = field(default=True, compare=False)


def make_chapter(
    folder: Path,
    chapter: Chapter,
    *,
    size: Size = "usual",
    changed: Mapping[str, Value] | None = None,
    again: bool = False,
    on_cell: Callable[[int, int], None] = lambda number, cells: None,
) -> Made:
    """Make the page and the notebook of a chapter, unless they are there.

    Args:
        folder: of the book.
        chapter: what to make.
        size: which of its numbers' values are taken.
        changed: other values of some numbers, which make files of their own.
        again: make it even where nothing has changed.
        on_cell: told the number of each cell that has run, and how many there are.

    Returns:
        What was made or found. A cell that fails makes no exception: `failed` says which it was.

    Raises:
        ValueError: a number that the chapter has not, or a value out of its range.
        OSError: a file can't be written.
    """
    changed = dict(changed or {})
    values = {name: number.sizes[size] for name, number in chapter.numbers.items()}
    for name, value in changed.items():
        if name not in values:
            raise ValueError(f"numbers of {chapter.name} are {', '.join(values) or 'none'}; got {name!r}.")
        chapter.numbers[name].check(value)
    changed = {name: value for name, value in changed.items() if value != values[name]}
    values |= changed
    stem, digest = stem_of(chapter.name, changed), _digest(chapter, values)
    there = read_made(folder, stem)
    if there is not None and there.digest == digest and there.failed is None and not again:
        return there
    (folder / f"{stem}.json").unlink(missing_ok=True)
    began, cells = time.monotonic(), list[Ran]()
    for ran in run(chapter, values):
        cells.append(ran)
        on_cell(len(cells), len(chapter.cells))
    seconds = time.monotonic() - began
    command = _command(chapter.asked, size, changed)
    before, after = _beside(chapter.name)
    page = render(
        chapter,
        cells,
        values,
        stem=stem,
        command=command,
        took=f"{seconds:.0f} s",
        before=before,
        after=after,
    )
    write_page(folder / f"{stem}.html", page)
    write_page(folder / f"{stem}.ipynb", as_notebook(chapter, cells, command))
    failed = next((number for number, ran in enumerate(cells, start=1) if ran.failed), None)
    made = Made(stem, digest, round(seconds, 1), *claims(cells), failed, size, changed)
    with replacing(folder / f"{stem}.json") as part:
        part.write_text(json.dumps(asdict(made), indent=1) + "\n", encoding="utf-8")
    return made


def stem_of(name: str, changed: Mapping[str, Value]) -> str:
    """The name of a chapter's files, with the numbers that were changed.

    >>> stem_of("mae", {}), stem_of("mae", {"share": 0.5, "sizes": (2, 8)})
    ('mae', 'mae-share-0.5-sizes-2-8')
    """
    told = "".join(f"-{key}-{as_option(value).replace(' ', '-')}" for key, value in sorted(changed.items()))
    stem = re.sub(r"[^\w.-]", "_", f"{name}{told}")
    if len(stem) <= LONGEST:
        return stem
    return f"{stem[: LONGEST - 9]}-{hashlib.sha256(stem.encode()).hexdigest()[:8]}"


def read_made(folder: Path, stem: str) -> Made | None:
    """The record of a chapter whose files are all there, or None."""
    try:
        found = Made(**{**json.loads((folder / f"{stem}.json").read_text(encoding="utf-8")), "made": False})
    except (OSError, ValueError, TypeError):
        return None
    return found if all((folder / f"{stem}{end}").is_file() for end in (".html", ".ipynb")) else None


def write_index(folder: Path) -> Path:
    """Write the index: all chapters of the book, made or not, and the pages with other numbers or of other files."""
    known = chapters()
    found = [
        made for path in sorted(folder.glob("*.json")) if (made := read_made(folder, path.stem)) is not None
    ]
    rows = [_row(read_chapter(path), found) for path in known.values()]
    listed = {m.stem for m in found if m.stem in known or (m.changed and m.stem.partition("-")[0] in known)}
    rows += [
        {
            **_told(made),
            "name": "",
            "title": made.stem,
            "about": "",
            "page": f"{made.stem}.html",
            "others": [],
        }
        for made in found
        if made.stem not in listed
    ]
    page = template("lectures.html.j2").render(
        title="Representation learning, a book that runs", script_source=Markup("'none'"), rows=rows
    )
    write_page(folder / INDEX, page)
    return folder / INDEX


def _row(chapter: Chapter, found: Sequence[Made]) -> dict[str, Any]:
    own = next((made for made in found if made.stem == chapter.name), None)
    others = [
        (
            f"{made.stem}.html",
            ", ".join(f"{name} {as_option(_tuple(value))}" for name, value in made.changed.items()),
        )
        for made in found
        if made.stem.startswith(f"{chapter.name}-") and made.changed
    ]
    told = {"claims": "", "time": "not made yet"} if own is None else _told(own)
    page = None if own is None else f"{own.stem}.html"
    return {
        **told,
        "name": chapter.name,
        "title": chapter.title,
        "about": chapter.about,
        "page": page,
        "others": others,
    }


def _told(made: Made) -> dict[str, str]:
    if made.failed is not None:
        return {"claims": f"cell {made.failed} failed", "time": f"{made.seconds:.0f} s"}
    size = "" if made.size == "usual" else f" ({made.size})"
    return {"claims": f"{made.seen} of {made.claimed}", "time": f"{made.seconds:.0f} s{size}"}


def _tuple(value: Any) -> Value:
    return tuple(value) if isinstance(value, list) else value


def _digest(chapter: Chapter, values: Mapping[str, Value]) -> str:
    text = json.dumps([__version__, [cell.source for cell in chapter.cells], values])
    return hashlib.sha256(text.encode()).hexdigest()


def _command(asked: str, size: Size, changed: Mapping[str, Value]) -> str:
    words = ["replearn", "lectures", asked, *([] if size == "usual" else [f"--{size}"])]
    for key, value in changed.items():
        words += [option(key), *as_option(value).split()]
    return shlex.join(words)


def _beside(name: str) -> tuple[tuple[str, str] | None, tuple[str, str] | None]:
    """Name and title of the chapters before and after one."""
    known = list(chapters().items())
    at = next((i for i, (other, _) in enumerate(known) if other == name), None)
    if at is None:
        return None, None
    before, after = (known[i] if 0 <= i < len(known) else None for i in (at - 1, at + 1))
    return (
        None if before is None else (before[0], read_chapter(before[1]).title),
        None if after is None else (after[0], read_chapter(after[1]).title),
    )
