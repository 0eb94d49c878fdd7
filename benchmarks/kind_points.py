"""What is learned of clouds of points and of volumes, beside raw input, features made by hand and untrained networks.

    python benchmarks/kind_points.py                        furniture, every row, seed 0, half a CPU minute a training
    python benchmarks/kind_points.py --minutes 5 simclr     one row
    python benchmarks/kind_points.py "simclr vit"           a method with another encoder
    python benchmarks/kind_points.py --data digits3d        volumes: digits in space, their own training and test part

Accuracy of a linear probe of 13 kinds of furniture, in folds that are stratified by kind. Methods learn from the clouds
of the other folds and from those of no kind that is named, and have their defaults; `supervised` reads the labels, too.
Epochs are whole ones, as many as take about `--minutes` of CPU time in each fold by the pace of its first steps, one at
least. Results: `benchmarks/results/kind_points.json` and `kind_points.md`; a row that lies there is not measured again
(--again does).
"""

import argparse
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import rows
from pretext import epochs
from record import machine

NETWORKS = {"furniture": ("pointnet", "pointnet2", "vit"), "digits3d": ("cnn", "vit")}
METHODS = ("simclr", "mae", "supervised")
KEY = ("data", "method", "seed", "minutes", "folds")


def main() -> int:
    """Measure what is asked for and not there yet, one process after another, and write after each."""
    asked = parse()
    names = ("raw", "hand-made", *(f"untrained {name}" for name in NETWORKS[asked.data]), *METHODS)
    wanted = (
        {"data": asked.data, "method": name, "seed": seed, "minutes": asked.minutes, "folds": asked.folds}
        for seed in asked.seeds
        for name in asked.methods or names
    )
    return rows.main(asked, measure, wanted, command, markdown, key=KEY)


def parse() -> argparse.Namespace:
    parser = rows.parser(__file__, __doc__, seeds=(0,))
    parser.add_argument("methods", nargs="*", help=f"none: baselines, {', '.join(METHODS)}")
    parser.add_argument("--data", choices=NETWORKS, default="furniture")
    parser.add_argument("--minutes", type=float, default=0.5, help="of CPU time for each training")
    parser.add_argument("--folds", type=int, default=3, help="of furniture, each of which is held out once")
    return parser.parse_args()


def command(asked: argparse.Namespace, wanted: Mapping[str, Any]) -> list[str]:
    """What measures a row."""
    given = {
        "data": wanted["data"],
        "seeds": wanted["seed"],
        "minutes": wanted["minutes"],
        "folds": wanted["folds"],
    }
    return rows.command_line(__file__, wanted["method"], **given)


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """One row: train in each fold, and probe."""
    import torch

    from replearn.evaluate import linear_probe

    torch.set_num_threads(1)
    (name,), (seed,) = asked.methods, asked.seeds
    found, methods = [], []
    for train, test in folds(asked.data, asked.folds):
        represent, method = represented(name, seed, train, asked.minutes)
        known = train.subset(train.labels >= 0)
        found.append(linear_probe(represent(known), known.labels, represent(test), test.labels).accuracy)
        methods += [method] if method is not None else []
    return {
        "accuracy": float(np.mean(found)),
        "each fold": found,
        "CPU s": float(np.mean([method.used for method in methods])) if methods else 0.0,
        "epochs": float(np.mean([method.epochs for method in methods])) if methods else 0.0,
        "alarms": [str(alarm) for method in methods for alarm in method.history_.alarms],
        "machine": machine(),
    }


def folds(data: str, number: int) -> Iterator[tuple[Any, Any]]:
    """Training and test parts; what has no label is in every training part."""
    from sklearn.model_selection import StratifiedKFold

    import replearn

    if data != "furniture":
        yield tuple(replearn.load_data(data, split=part) for part in ("train", "test"))
        return
    samples = replearn.load_data(data)
    known = np.flatnonzero(samples.labels >= 0)
    parts = StratifiedKFold(number, shuffle=True, random_state=0).split(known, samples.labels[known])
    for _, held in parts:
        test = known[held]
        yield samples.subset(np.setdiff1d(np.arange(len(samples)), test)), samples.subset(test)


def represented(name: str, seed: int, train: Any, minutes: float) -> tuple[Any, Any]:
    """What turns samples into the rows that are probed, and the method, if it was trained."""
    from replearn.data.kinds import KINDS
    from replearn.methods import find_method

    if name == "raw":
        return lambda samples: samples.flat(), None
    if name == "hand-made":
        return KINDS[train.kind].features, None
    fields: dict[str, Any] = {"random_state": seed, "device": "cpu"}
    if name.startswith("untrained"):
        blank = find_method("simclr").cls(**fields, encoder=name.removeprefix("untrained ")).prepare(train)
        return blank.transform, None
    name, _, encoder = name.partition(" ")
    fields |= {"encoder": encoder} if encoder else {}
    cls = find_method(name).cls
    if name == "supervised":
        train = train.subset(train.labels >= 0)
    method = cls(**fields, epochs=epochs(cls, fields, len(train), train, minutes))
    began = time.process_time()
    method.fit(train)
    method.used = time.process_time() - began
    return method.transform, method


def markdown(found: list[dict[str, Any]]) -> str:
    """A table for each budget."""
    lines: list[str] = []
    for (data, minutes, number), part in pd.DataFrame(found).groupby(
        ["data", "minutes", "folds"], sort=False
    ):
        told = f", {number} folds" if data == "furniture" else ""
        lines += ["", f"## {data}, {60 * minutes:g} CPU seconds a training{told}", ""]
        body = []
        for name, own in part.groupby("method", sort=False):
            seeds = ", ".join(map(str, sorted(own["seed"])))
            accuracy = rows.cell(own["accuracy"], percent=True, spread=True)
            body.append((name, seeds, accuracy, rows.cell(own["epochs"]), rows.cell(own["CPU s"])))
        lines += rows.table(("row", "seeds", "accuracy", "epochs", "CPU s"), body)
    about = [
        "",
        "Accuracy of a linear probe in percent, mean over folds; of several seeds mean and deviation.",
    ]
    used = rows.used_by(row["machine"] for row in found)
    return rows.page("Clouds of points and volumes", "python benchmarks/kind_points.py", about, lines, used)


if __name__ == "__main__":
    sys.exit(main())
