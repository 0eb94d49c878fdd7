"""A chapter as a file: cells of text and of code, as editors and Jupytext know them.

    # %% [markdown]
    # # Masked autoencoders
    #
    # What the chapter shows, in a sentence or two; the book's index repeats this paragraph.

    # %%
    share = 0.75  # of the patches that are hidden [0.05 to 0.95; small 0.5]

    # %%
    from replearn import MAE, load_data
    ...

    # %% solution
    ...

The first cell of code holds the chapter's numbers and nothing else. A cell shows what it prints and, as in a notebook,
the value of its last line. The cell `solution` is folded. The file runs as it is: `python 40_vae.py`.
"""

import difflib
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

from replearn.lectures.numbers import Number, read_numbers

MARK = re.compile(r"^# %%(.*)$")
KINDS: dict[str, Literal["text", "code", "solution"]] = {
    "[markdown]": "text",
    "": "code",
    "solution": "solution",
}
FILE = re.compile(r"^(?:\d+_)?(\w+)$")  # the number in a file's name gives its place in the book


@dataclass(frozen=True)
class Cell:
    """A part of a chapter.

    Attributes:
        kind: text, code, or code that solves the exercise.
        source: Markdown or Python.
        line: of the file, at which the source begins, counted from 1.
    """

    kind: Literal["text", "code", "solution"]
    source: str
    line: int


@dataclass(frozen=True)
class Chapter:
    """A chapter of the book.

    Attributes:
        name: of its files.
        asked: how the command names it: by its name, or a file that is not of the book by its path.
        title: its heading.
        about: its first paragraph, in one line.
        cells: all of it.
        numbers: those that a reader may change, by name.
    """

    name: str
    asked: str
    title: str
    about: str
    cells: tuple[Cell, ...]
    numbers: dict[str, Number]


def chapters() -> dict[str, Path]:
    """The files of the book's chapters by their names, in their order.

    >>> list(chapters())[0]
    'why'
    """
    folder = Path(str(files("replearn.lectures") / "chapters"))
    return {_name(path): path for path in sorted(folder.glob("*.py"))}


def find_chapter(name: str) -> Chapter:
    """The chapter of this name, or of this file (`lesson.py`).

    Raises:
        ValueError: there is none, or the file is no chapter.
    """
    known = chapters()
    if name in known:
        return read_chapter(known[name])
    if name.endswith(".py"):
        found = read_chapter(Path(name))
        if found.name in (*known, "index"):
            raise ValueError(
                f"a file of yours must not have the name of a chapter of the book, or index; got {name}. Rename it."
            )
        return found
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"Did you mean {near[0]!r}?" if near else "`replearn lectures --list` shows what they hold."
    raise ValueError(f"a chapter must be one of {', '.join(known)}, or a file.py; got {name!r}. {hint}")


def read_chapter(path: Path) -> Chapter:
    """The chapter in a file.

    Raises:
        ValueError: it is not written as a chapter is.
    """
    if not path.is_file():
        raise ValueError(
            f"a chapter must be a file; {path} is none. `replearn lectures --list` shows those there are."
        )
    try:
        cells = cut(path.read_text(encoding="utf-8"))
        numbers = read_numbers(next((cell.source for cell in cells if cell.kind == "code"), ""))
    except ValueError as error:  # a text that is no UTF-8, too
        raise ValueError(f"{path.name}: {error}") from error
    first = cells[0] if cells else None
    parts = first.source.split("\n\n") if first is not None and first.kind == "text" else []
    if len(parts) < 2 or not parts[0].startswith("# "):
        raise ValueError(
            f"{path.name} must begin with a cell `# %% [markdown]` that holds `# # A title` and a paragraph. See the "
            "chapters of replearn for how it is done."
        )
    asked = _name(path) if path in chapters().values() else str(path)
    return Chapter(_name(path), asked, parts[0][2:].strip(), " ".join(parts[1].split()), cells, numbers)


def cut(text: str) -> tuple[Cell, ...]:
    """The cells of a file, without those that are empty.

    Raises:
        ValueError: a mark that there is not, or text that is no comment.

    >>> [(cell.kind, cell.source) for cell in cut("# %% [markdown]\\n# # Hello\\n\\n# %%\\nprint(1)\\n")]
    [('text', '# Hello'), ('code', 'print(1)')]
    """
    found: list[tuple[Literal["text", "code", "solution"], list[str], int]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        mark = MARK.match(line)
        if mark:
            if mark[1].strip() not in KINDS:
                raise ValueError(
                    f"line {number}: a cell must be marked `# %%`, `# %% [markdown]` or `# %% solution`; got {line!r}."
                )
            found.append((KINDS[mark[1].strip()], [], number + 1))
        elif found:
            found[-1][1].append(line)
    return tuple(
        Cell(kind, source, first)
        for kind, lines, first in found
        if (source := _text(lines, first) if kind == "text" else "\n".join(lines).strip("\n"))
    )


def _text(lines: list[str], first: int) -> str:
    """Markdown out of comments."""
    wrong = next((i for i, line in enumerate(lines) if line.strip() and not re.match(r"#( |$)", line)), None)
    if wrong is not None:
        raise ValueError(f"line {first + wrong}: text must stand behind `# `; got {lines[wrong]!r}.")
    return "\n".join(line[2:].rstrip() for line in lines).strip("\n")


def _name(path: Path) -> str:
    found = FILE.match(path.stem)
    return found[1] if found else path.stem
