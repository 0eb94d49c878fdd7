"""What programs share that judge methods on samples of a kind: rows by name, learned in each fold, a table a data set.

A row is named `raw`, `hand-made`, `untrained NAME` (of a network, or of a method), or after a method, with the name of
another encoder behind it (`mae sensors`).
"""

import argparse
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import rows
from pretext import epochs
from record import machine

KEY = ("data", "method", "seed", "minutes", "folds")
UNTRAINED = "untrained "
Fold = tuple[Any, Any]
Judge = Callable[[Any, Any, Any, Any, Any], Mapping[str, float]]


def options(
    program: str,
    about: str | None,
    data: Sequence[str],
    *,
    seeds: Sequence[int] = (0, 1, 2),
    minutes: float = 5.0,
    folds: tuple[int, str],
) -> argparse.ArgumentParser:
    """The options of such a program: names of rows, a data set, minutes, and folds, of which help says more."""
    made = rows.parser(program, about, seeds=seeds)
    made.add_argument("methods", nargs="*", help="names of rows; none: all")
    made.add_argument("--data", choices=tuple(data), default=data[0])
    made.add_argument("--minutes", type=float, default=minutes, help="of CPU time for each training")
    made.add_argument("--folds", type=int, default=folds[0], help=folds[1])
    return made


def check_file(parser: argparse.ArgumentParser, asked: argparse.Namespace, data: str, option: str) -> None:
    """Leave the program where a data set is asked for whose file is not there."""
    path: Path = getattr(asked, option)
    if asked.data == data and not path.is_file():
        parser.error(f"--{option} must name the file of {data}; {path} is not there.")


def wanted(asked: argparse.Namespace, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """What tells each row that is asked for."""
    shared = {"data": asked.data, "minutes": asked.minutes, "folds": asked.folds}
    for seed in asked.seeds:
        for name in asked.methods or names:
            yield shared | {"method": name, "seed": seed}


def command(program: str, *files: str) -> Callable[[argparse.Namespace, Mapping[str, Any]], list[str]]:
    """What measures a row; `files` are the options that name files of data."""

    def made(asked: argparse.Namespace, row: Mapping[str, Any]) -> list[str]:
        given = {name: row[name] for name in ("data", "minutes", "folds")} | {"seeds": row["seed"]}
        return rows.command_line(
            program, row["method"], **given, **{name: getattr(asked, name) for name in files}
        )

    return made


def measure(asked: argparse.Namespace, folds: Iterable[Fold], judge: Judge, **fields: Any) -> dict[str, Any]:
    """One row: in each fold learn and judge; scores are means over folds.

    Args:
        asked: names the row and its seed.
        folds: training and test parts.
        judge: gives scores of representations of a training and a test part, beside these and the method, or None.
        fields: of the method.
    """
    import torch

    torch.set_num_threads(1)
    (name,), (seed,) = asked.methods, asked.seeds
    found, methods = [], []
    for train, test in folds:
        represent, method = represented(name, train, asked.minutes, random_state=seed, **fields)
        # Of training samples those that have labels teach the probe, where some have none.
        known = (
            train if train.labels is None or (train.labels >= 0).all() else train.subset(train.labels >= 0)
        )
        found.append(dict(judge(represent(known), known, represent(test), test, method)))
        methods += [method] if hasattr(method, "used") else []
    return {
        "scores": pd.DataFrame(found).mean().to_dict(),
        "each": found,
        "CPU s": sum(method.used for method in methods),
        "epochs": methods[-1].epochs if methods else 0,
        "alarms": [str(alarm) for method in methods for alarm in method.history_.alarms],
        "machine": machine(),
    }


def represented(name: str, train: Any, minutes: float, **fields: Any) -> tuple[Callable[[Any], Any], Any]:
    """What turns samples into rows, and the method, if there is one; `used` are the CPU seconds that it learned."""
    from replearn.data.kinds import KINDS
    from replearn.methods import find_method, registry

    if name == "raw":
        return lambda samples: samples.flat(), None
    if name == "hand-made":
        return KINDS[train.kind].features, None
    fields = {"device": "cpu"} | fields
    if name.startswith(UNTRAINED):
        name = name.removeprefix(UNTRAINED)
        own = {} if name in registry() else {"encoder": name}
        blank = find_method(name if not own else "simclr").cls(**fields, **own).prepare(train)
        return blank.transform, blank
    name, _, encoder = name.partition(" ")
    fields |= {"encoder": encoder} if encoder else {}
    cls = find_method(name).cls
    if cls.needs_labels:
        train = train.subset(train.labels >= 0)
    method = cls(**fields, epochs=epochs(cls, fields, len(train), train, minutes))
    began = time.process_time()
    method.fit(train)
    method.used = time.process_time() - began
    return method.transform, method


def page(
    program: str,
    title: str,
    about: str,
    found: list[dict[str, Any]],
    columns: Sequence[str],
    folded: Callable[[str, int], str],
) -> str:
    """A table for each data set and budget: a line for each row, with the scores that the data set has.

    Args:
        program: its file, which repeats the table.
        title, about: of the page, and what its numbers are.
        found: all rows.
        columns: names of scores; those that no row of a table has are left out.
        folded: says of a data set and a number of folds what a title says of them.
    """
    lines: list[str] = []
    for (data, minutes, number), part in pd.DataFrame(found).groupby(
        ["data", "minutes", "folds"], sort=False
    ):
        lines += ["", f"## {data}, {minutes:g} CPU minutes a training{folded(str(data), int(number))}", ""]
        shown = [column for column in columns if any(column in one for one in part["scores"])]
        body = []
        for name, own in part.groupby("method", sort=False):
            scores = pd.DataFrame(list(own["scores"]), columns=shown)
            cells = [rows.cell(scores[column], percent=True, spread=True) for column in shown]
            seeds = ", ".join(map(str, sorted(own["seed"])))
            body.append((name, seeds, *cells, rows.cell(own["epochs"]), rows.cell(own["CPU s"])))
        lines += rows.table(("row", "seeds", *shown, "epochs", "CPU s"), body)
    used = rows.used_by(row["machine"] for row in found)
    told = ["", f"{about} CPU s: of all folds."]
    return rows.page(title, f"python benchmarks/{Path(program).name}", told, lines, used)
