"""What benchmarks share that measure one row at a time, each in a process of its own, and keep what they have.

Such a program says which rows are wanted, what measures one and what the page of all looks like; its options begin with
those of `parser`, and `main` does the rest.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import record


def parser(program: str, about: str | None, *, seeds: Sequence[int] = (0, 1, 2)) -> argparse.ArgumentParser:
    """The options that all these programs have, to which a program adds its own.

    Args:
        program: its file; the results lie in a folder beside it, under its name.
        about: the program's docstring.
        seeds: those of rows, unless others are asked for.
    """
    made = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    results = Path(program).resolve().parent / "results" / f"{Path(program).stem}.json"
    made.add_argument("--seeds", type=int, nargs="+", default=list(seeds))
    made.add_argument(
        "--results", type=Path, default=results, help="JSON of the rows; the page lies beside it"
    )
    made.add_argument("--again", action="store_true", help="measure rows that are there once more")
    made.add_argument("--one", action="store_true", help="measure one row here and print it as JSON")
    return made


def command_line(program: str, name: str, **options: Any) -> list[str]:
    """What measures a single row, for Python: whatever the row is named by, and the options that tell it."""
    given = [f"--{option.replace('_', '-')}={value}" for option, value in options.items()]
    return [program, name, "--one", *given]


def main(
    asked: argparse.Namespace,
    measure: Callable[[argparse.Namespace], Mapping[str, Any]],
    wanted: Iterable[Mapping[str, Any]],
    command: Callable[[argparse.Namespace, Mapping[str, Any]], Sequence[str]],
    markdown: Callable[[list[dict[str, Any]]], str],
    *,
    key: Iterable[str],
) -> int:
    """Measure one row here and print it, if asked for --one; else `fill`, by processes that do. 1 if a row failed."""
    if asked.one:
        print(json.dumps(measure(asked)))
        return 0
    made = partial(command, asked)
    return int(fill(asked.results, wanted, made, markdown, key=key, again=asked.again) > 0)


def read(path: Path) -> list[dict[str, Any]]:
    """The rows measured so far."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


def fill(
    path: Path,
    wanted: Iterable[Mapping[str, Any]],
    command: Callable[[Mapping[str, Any]], Sequence[str]],
    markdown: Callable[[list[dict[str, Any]]], str],
    *,
    key: Iterable[str],
    again: bool,
) -> int:
    """Measure the rows that are wanted and not there yet, each by a command, and write after each; how many failed.

    Args:
        path: of the JSON; the table lies beside it.
        wanted: what tells each row.
        command: what measures a row, for Python.
        markdown: makes the table of all rows.
        key: names of what tells a row from those it stands beside.
        again: measure rows that are there once more.
    """
    failed, key = 0, list(key)
    for asked in wanted:
        if not again and has(path, asked):
            continue
        row = measured(command(asked), asked)
        if row is None:
            failed += 1
            continue
        path.with_suffix(".md").write_text(markdown(keep(path, row, key)), encoding="utf-8")
    return failed


def has(path: Path, wanted: Mapping[str, Any]) -> bool:
    """Whether a row like the wanted one was measured."""
    return any(wanted.items() <= row.items() for row in read(path))


def measured(command: Sequence[str], wanted: Mapping[str, Any]) -> dict[str, Any] | None:
    """A row from a process of its own, which prints it as JSON on its last line; None if that failed."""
    done = subprocess.run([sys.executable, *command], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        print(f"{dict(wanted)}: failed", file=sys.stderr, flush=True)
        return None
    row = dict(wanted) | json.loads(done.stdout.splitlines()[-1])
    print({name: value for name, value in row.items() if name != "machine"}, flush=True)
    return row


def keep(path: Path, row: Mapping[str, Any], key: Iterable[str]) -> list[dict[str, Any]]:
    """Write a row in place of the one with its key; all rows."""
    key = list(key)
    rows = [other for other in read(path) if any(other[part] != row[part] for part in key)] + [dict(row)]
    path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return rows


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table in Markdown."""
    return record.table([dict(zip(head, cells, strict=True)) for cells in lines])


def page(title: str, command: str, told: Sequence[str], lines: Sequence[str], used: Mapping[str, Any]) -> str:
    """A result in Markdown: what was asked, what repeats it, on which machine, and the table."""
    about = f"`{command}`; {used['processor']}, {used['cores']} cores."
    return "\n".join([f"# {title}", "", about, *told, "", *lines, ""])


def used_by(machines: Iterable[Any]) -> dict[str, Any]:
    """The machine of the last row; its processor is all that rows were measured on, since a table has many sittings.

    >>> used_by([{"processor": "A", "cores": 2}, {"processor": "B", "cores": 2}])["processor"]
    'A for some rows, B for others (the JSON beside it says which)'
    """
    told = [machine for machine in machines if isinstance(machine, Mapping)]
    names = list(dict.fromkeys(machine["processor"] for machine in told))
    if len(names) == 1:
        return dict(told[-1])
    several = f"{' for some rows, '.join(names)} for others (the JSON beside it says which)"
    return dict(told[-1]) | {"processor": several}


def cell(values: "pd.Series[float]", *, percent: bool = False, spread: bool = False) -> str:
    """Mean and deviation of some numbers, as a reader sees them; nothing where there are none.

    Args:
        values: over seeds.
        percent: they are shares.
        spread: show their standard deviation, where there are several that differ: that no seed changes a number
            does not make it sure.
    """
    values = values.dropna().astype(float) * (100 if percent else 1)
    if values.empty or (not percent and values.eq(0).all()):
        return ""
    mean = values.mean()
    shown = f"{mean:.1f}" if percent else f"{mean:.3g}" if abs(mean) < 1000 else f"{mean:,.0f}"
    if not spread or values.nunique() < 2:
        return shown
    deviation = values.std()
    return f"{shown} ± {deviation:.1f}" if percent else f"{shown} ± {deviation:.2g}"
