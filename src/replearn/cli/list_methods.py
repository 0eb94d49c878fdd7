"""`replearn list`: every method."""

import json
from dataclasses import dataclass
from itertools import groupby

from replearn.cli.options import Flag, parse


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
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for title in ("method", "takes", "year", "paper"):
        table.add_column(title, overflow="fold", no_wrap=title == "method")
    for family, members in groupby(entries, key=lambda entry: entry.family):
        table.add_row("")
        table.add_row(f"[italic]{escape(family)}[/italic]")
        for entry in members:
            paper = entry.paper.removeprefix("https://")
            kinds = escape(" ".join(entry.kinds))
            table.add_row(f" {entry.name}", kinds, str(entry.year), escape(paper))
    Console().print(table)
    also = ", ".join(f"{name}: {told}" for name, (_, told) in ALSO.items())
    Console().print(f"\nAlso by the names of papers: {also}.")
    print("\n`replearn fit METHOD --help` shows a method's options.")
