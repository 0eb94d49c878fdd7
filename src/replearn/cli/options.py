"""A dataclass as command-line options, by tyro; what is wrong with them becomes one line."""

import dataclasses
import difflib
import io
import itertools
import re
import shutil
import sys
import textwrap
import types
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from typing import Annotated, Any, TypeVar, get_args, get_origin

import tyro

T = TypeVar("T")
# Of the numbers among the options of commands.
LIMITS: dict[str, tuple[float, float]] = {
    "balanced": (1, 2**31 - 1),
    "batch": (1, 1_000_000),
    "draws": (1, 10_000),
    "fractions": (1e-9, 1),
    "image_size": (1, 4096),
    "inputs": (1, 1_000_000),
    "labelled": (1e-9, 2**31 - 1),
    "megabytes": (1e-3, 10_000),
    "minutes": (1e-9, 1e6),
    "per_class": (1, 2**31 - 1),
    "port": (0, 65_535),
    "rows": (1, 2**31 - 1),
    "seconds": (1e-3, 86_400),
    "seed": (0, 2**32 - 1),
    "seeds": (1, 10_000),
    "shard": (1, 2**31 - 1),
    "top": (1, 10_000),
    "wait": (0, 10_000),
    "workers": (1, 1024),
}
POSITIONAL = get_args(tyro.conf.Positional[str])[1]  # by which a field is marked
PLACES = ("--run", "--to", "--out")  # where commands write: a new run, what comes of a run, a file
Flag = tyro.conf.FlagCreatePairsOff[bool]


def parse(options: type[T], args: list[str], *, command: str, about: str | None = None) -> T:
    """The options in `args`.

    Args:
        options: a dataclass. A field that is `Positional` is an argument in its order, any other
            `--its-name`; a field that is a dataclass lends its fields.
        args: the command line after the command.
        command: what stands before, for the help.
        about: first lines of the help; None takes the dataclass's docstring.

    Raises:
        ValueError: an unknown option (the nearest are offered), or a value of the wrong type.
        SystemExit: help was asked for, and shown.
    """
    check_names(options, args, command)
    # tyro draws its boxes as stdout's encoding allows; ours are read below.
    shown, said = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
    try:
        with redirect_stdout(shown), redirect_stderr(said):
            found = tyro.cli(
                options,
                args=args,
                prog=f"replearn {command}",
                description=about,
                config=(tyro.conf.OmitArgPrefixes,),
            )
    except SystemExit as stop:
        if not stop.code:
            shown.seek(0)
            print(wrapped(shown.read()))
            raise
        raise ValueError(_in_one_line(said.getvalue(), command)) from None
    check_limits(found)
    return found


def check_limits(options: Any) -> None:
    """Raises ValueError where a number of a command's own options lies beyond its limits; methods check theirs."""
    for name, (low, high) in LIMITS.items():
        value = getattr(options, name, None)
        for number in value if isinstance(value, tuple) else (value,):
            if number is not None and not low <= number <= high:
                raise ValueError(
                    f"--{name.replace('_', '-')} must lie between {low:,} and {high:,}; got {number}. Leave it out for "
                    "the default."
                )


def wrapped(text: str) -> str:
    """Help as tyro draws it, without defaults that are nothing, broken at the width of the terminal outside boxes."""
    text = re.sub(
        r"\(default:([\s│]*)(None)?\)", lambda found: f"{'':9}{found[1]}{'':{len(found[2] or '') + 1}}", text
    )
    text = re.sub(r"\n│ +│(?=\n)", "", text)  # a line that held nothing else
    if (sys.stdout.encoding or "").lower().replace("-", "") != "utf8":
        text = text.translate(str.maketrans("╭╮╰╯│─", "++++|-"))
    width = shutil.get_terminal_size().columns
    lines = [
        textwrap.wrap(line, width) if len(line) > width else [line] for line in text.rstrip().splitlines()
    ]
    return "\n".join(itertools.chain.from_iterable(lines))


def check_names(options: type[Any], args: list[str], command: str) -> None:
    """Raises ValueError where `args` name an option that there is not, or one twice."""
    known = sorted(option_names(options))
    given: dict[str, str] = {}
    for before, arg in itertools.pairwise(["", *args]):
        if not arg.strip() or (arg.startswith("--") and arg.endswith("=")):
            where = f" for {before}" if before.startswith("--") else f", {arg}" if arg.strip() else ""
            raise ValueError(
                f"arguments must not be empty; got an empty one{where}. Is a shell variable unset?"
            )
        if not arg.startswith("--") or arg == "--":
            continue
        name = arg.partition("=")[0].replace("_", "-")
        if name not in known and name != "--help":
            raise ValueError(unknown_option(name, known, command))
        positive = f"--{name.removeprefix('--no-')}"
        option = positive if name.startswith("--no-") and positive in known else name
        if option in given:
            raise ValueError(
                f"each option must be given once, with all of its values behind it; got {given[option]} and {arg}. "
                "Leave one out."
            )
        given[option] = arg


def unknown_option(name: str, known: list[str], command: str, *, owners: str = "") -> str:
    """The line for an option that there is not."""
    plain = [option.removeprefix("--") for option in known]
    near = difflib.get_close_matches(name.removeprefix("--"), plain, n=3, cutoff=0.6)
    if name in PLACES:
        near = [option for option in plain if f"--{option}" in PLACES] or near
    hint = f"Did you mean {' or '.join(f'--{option}' for option in near)}?" if near else ""
    hint = hint or f"See `replearn {command} --help`."
    return f"options must be those of {owners or f'`replearn {command}`'}; got {name}. {hint}"


def option_names(options: type[Any]) -> Iterator[str]:
    """`--name` of every option of a dataclass; what has its place on the command line is none."""
    for field in dataclasses.fields(options):
        if POSITIONAL in get_args(field.type)[1:]:
            continue
        inner = without_notes(field.type)
        if dataclasses.is_dataclass(inner) and isinstance(inner, type):
            yield from option_names(inner)
        else:
            name = field.name.replace("_", "-")
            yield f"--{name}"
            if inner is bool and field.type != Flag:
                yield f"--no-{name}"


def without_notes(kind: Any) -> Any:
    """A type without `Annotated` around it."""
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def is_union(kind: Any) -> bool:
    """Whether a type is written `a | b`."""
    return isinstance(kind, types.UnionType) or str(get_origin(kind)) == "typing.Union"


def _in_one_line(box: str, command: str) -> str:
    """tyro's message without its frame: `Error parsing --epochs: ...`."""
    lines = [line.strip("│╭╰─╮╯ ") for line in box.splitlines()]
    rule = next(
        (i for i, line in enumerate(box.splitlines()) if "──" in line and line.startswith("│")), len(lines)
    )
    told = " ".join(line for line in lines[1:rule] if line)
    told = re.sub(r"^Error parsing (\S+): ", r"\1 must be of its type; got ", told).rstrip(" .")
    told = re.sub(r"got invalid literal .*: ('.*')$", r"got \1, not a whole number", told)
    told = re.sub(r"got could not convert string to float: ('.*')$", r"got \1, not a number", told)
    told = re.sub(
        r"got no type matching (\S+) could be instantiated from \[('.*?')\].*$", r"got \2, not \1", told
    )
    told = re.sub(
        r"^invalid choice (.*) for argument '(\S+)'\. Expected one of \((.*)\)$",
        r"\2 must be one of \3; got \1",
        told,
    )
    if told.startswith("Missing from"):
        items = "\n".join(box.splitlines()[:rule])
        names = re.findall(r"^│ {5}(\S.*?) *│$", items, flags=re.MULTILINE)  # what they mean is indented more
        told = f"all arguments must be given; missing: {', '.join(names)}"
    if told.startswith("Unrecognized options"):
        told = f"arguments must be as the help shows; too many: {told.partition(':')[2].strip()}"
    return f"{told}. See `replearn {command} --help`."
