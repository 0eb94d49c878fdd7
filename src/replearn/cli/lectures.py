"""`replearn lectures`: the lectures as a book that runs."""

import dataclasses
import itertools
import logging
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from replearn.cli.options import Flag, option_names, parse

if TYPE_CHECKING:
    from replearn.lectures import Chapter, Made, Number

log = logging.getLogger("replearn")


@dataclass(kw_only=True)
class LecturesOptions:
    """Make the lectures on representation learning as a book: text, code that runs, and the figures that it draws.

    A chapter becomes a page and a notebook, within some minutes; all of them with an index if none is
    named. What was made is not made again until something of it changes. With one chapter, its numbers are options,
    too: `replearn lectures vae --help` shows them.

    Attributes:
        chapters: names that --list shows, or files of yours (lesson.py); all if not given.
        to: folder of the book.
        full: as long trainings as the docs show; takes many minutes.
        small: as short ones as tests make, to see that it runs.
        again: make also what has not changed.
        list: show the chapters, and make none.
    """

    chapters: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="CHAPTER...")] = ()
    to: Annotated[str, tyro.conf.arg(metavar="FOLDER")] = "runs/lectures"
    full: Flag = False
    small: Flag = False
    again: Flag = False
    list: Flag = False


def run(args: list[str]) -> None:
    """The command."""
    from replearn.lectures import chapters, find_chapter

    named = list(dict.fromkeys(itertools.takewhile(lambda arg: not arg.startswith("-"), args)))
    found = [find_chapter(name) for name in named or chapters()]
    numbers = found[0].numbers if len(named) == 1 else {}
    if not numbers:
        _check_numbers(args, found)
    options: Any = parse(
        _with_numbers(numbers), args, command=" ".join(["lectures", *named[:1] * bool(numbers)])
    )
    if set(options.chapters) != set(named):
        raise ValueError("chapters must stand before the options: `replearn lectures pca vae --full`.")
    if len({chapter.name for chapter in found}) < len(found):
        raise ValueError("chapters must have names of their own; two of these files have one. Rename one.")
    if options.list:
        _list(found)
        return
    if options.full and options.small:
        raise ValueError("--full and --small must not be given together; got both. Leave one out.")
    changed = {name: getattr(options, name) for name in numbers if getattr(options, name) is not None}
    for name, value in changed.items():
        numbers[name].check(value)
    from replearn.cli.runs import new_run

    folder = Path(options.to)
    with new_run(folder):
        _make(folder, found, options, changed)


def _make(folder: Path, found: "list[Chapter]", options: Any, changed: dict[str, Any]) -> None:
    """Chapter by chapter, with the index after each."""
    from replearn.cli.runs import shown
    from replearn.lectures import make_chapter, write_index

    broken, lines, made = [], [], None
    size: Any = "full" if options.full else "small" if options.small else "usual"
    for number, chapter in enumerate(found, start=1):
        log.info("%d of %d: %s", number, len(found), chapter.title)
        made = make_chapter(folder, chapter, size=size, changed=changed, again=options.again)
        lines.append(_line(made))
        if made.failed is not None:
            broken.append(f"{chapter.name} (cell {made.failed})")
        index = write_index(folder)
    print("\n".join(lines))
    page = index if len(found) > 1 or made is None else folder / f"{made.stem}.html"
    print(f"written: {shown(page)}")
    if broken:
        raise RuntimeError(
            f"{len(broken)} of {len(found)} chapters failed: {', '.join(broken)}; their pages say how"
        )


def _line(made: "Made") -> str:
    """What is told of a chapter."""
    from replearn.cli.runs import minutes

    if made.failed is not None:
        return f"{made.stem:<16} cell {made.failed} failed after {minutes(made.seconds)}"
    seen = f"{made.seen} of {made.claimed} claims seen"
    if made.made:
        return f"{made.stem:<16} {seen}, {minutes(made.seconds)}"
    return f"{made.stem:<16} {seen}, not changed since it was made"


def _list(found: "list[Chapter]") -> None:
    for chapter in found:
        print(f"{chapter.name:<14}{chapter.title}")
        print(textwrap.fill(chapter.about, 80, initial_indent=" " * 14, subsequent_indent=" " * 14))
        if chapter.numbers:
            told = f"numbers: {', '.join(chapter.numbers)}"
            print(textwrap.fill(told, 80, initial_indent=" " * 14, subsequent_indent=" " * 16))


def _with_numbers(numbers: "dict[str, Number]") -> type[Any]:
    """The options, and a chapter's numbers among them."""
    fields = [(name, _annotated(number), dataclasses.field(default=None)) for name, number in numbers.items()]
    made = dataclasses.make_dataclass("LectureOptions", fields, bases=(LecturesOptions,), kw_only=True)
    made.__doc__ = LecturesOptions.__doc__
    return made


def _annotated(number: "Number") -> Any:
    usual = number.sizes["usual"]
    one: Any = int if number.whole else float
    kind = tuple[one, ...] if isinstance(usual, tuple) else one
    several, whole = isinstance(usual, tuple), "INT" if number.whole else "FLOAT"
    told = f"{number.meaning} (usually {' '.join(map(str, usual)) if isinstance(usual, tuple) else usual})"
    return Annotated[kind | None, tyro.conf.arg(help=told, metavar=f"{whole}..." if several else whole)]


def _check_numbers(args: list[str], found: "list[Chapter]") -> None:
    """Raises ValueError where a number is given that belongs to one of several chapters."""
    own = set(option_names(LecturesOptions))
    for arg in args:
        name = arg.partition("=")[0].replace("_", "-")
        owner = next((c for c in found if name[:2] == "--" and name[2:].replace("-", "_") in c.numbers), None)
        if owner is not None and name not in own:
            raise ValueError(
                f"numbers must be given to one chapter; {name} came with {len(found)}. Give `replearn lectures "
                f"{owner.name} {name} ...`."
            )
