"""`replearn list`: every method."""

import json
import textwrap
from collections.abc import Collection
from dataclasses import dataclass
from itertools import groupby

from replearn.cli.options import Flag, parse

WIDTH = 80


@dataclass(kw_only=True)
class ListOptions:
    """Every method with its family, the kinds of data it learns from, its year and its paper.

    Attributes:
        json: write JSON instead of a table.
    """

    json: Flag = False


def run(args: list[str]) -> None:
    """The command."""
    options = parse(ListOptions, args, command="list")
    from replearn.methods import registry
    from replearn.methods.registry import ALSO

    entries = sorted(registry().values(), key=lambda entry: (entry.family, entry.year))
    if options.json:
        found = [
            {"name": entry.name, "class": entry.cls.__name__, "family": entry.family}
            | {"kinds": list(entry.kinds), "year": entry.year, "paper": entry.paper}
            for entry in entries
        ]
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return
    every = {kind for entry in entries for kind in entry.kinds}
    for family, members in groupby(entries, key=lambda entry: entry.family):
        print(f"\n{family}")
        for entry in members:
            print(in_lines(entry.name, entry.year, short(entry.kinds, every), identifier(entry.paper)))
    also = ", ".join(f"{name}: {told}" for name, (_, told) in ALSO.items())
    print(f"\n{textwrap.fill(f'Also by the names of papers: {also}.', WIDTH)}")
    print("\n`replearn fit METHOD --help` shows a method's options.")


def short(kinds: Collection[str], every: Collection[str]) -> str:
    """Kinds in a few words: those that are missing, where they are fewer.

    >>> short(["image", "table", "text"], {"image", "table", "text"})
    'all kinds'
    >>> short(["image", "table"], ["image", "table", "text"])
    'all but text'
    """
    missing = [kind for kind in every if kind not in kinds]
    if not missing:
        return "all kinds"
    return f"all but {' '.join(sorted(missing))}" if len(missing) < len(kinds) else " ".join(kinds)


def identifier(paper: str) -> str:
    """A paper's address without what all addresses of its archive share.

    >>> identifier("https://arxiv.org/abs/2002.05709"), identifier("https://doi.org/10.1038/44565")
    ('arXiv:2002.05709', 'doi:10.1038/44565')
    """
    for archive, name in (("arxiv.org/abs/", "arXiv:"), ("doi.org/", "doi:")):
        if paper.startswith(f"https://{archive}"):
            return name + paper.removeprefix(f"https://{archive}")
    return paper


def in_lines(name: str, year: int, kinds: str, paper: str) -> str:
    """A method: its paper beside it where that fits, else below, in one piece to be copied."""
    line = f" {name:<27} {year}  {kinds:<26} {paper}"
    if len(line) <= WIDTH:
        return line
    return f" {name:<27} {year}  {kinds}\n{paper:>{WIDTH}}"
