"""What is learned of series and sounds, beside raw input, features made by hand and untrained networks.

    python benchmarks/kind_time.py                                   motions, every row, seeds 0, 1 and 2, 5 CPU minutes
    python benchmarks/kind_time.py --data notes mae                  one row: instruments kept apart, in five folds
    python benchmarks/kind_time.py --data digits --folds 1 simclr    spoken digits of a speaker who is left out
    python benchmarks/kind_time.py "mae sensors"                     a method with another encoder

    motions   as given; a linear probe of one label a class (mean of 50 draws) and of all 40
    notes     families of instruments, GroupKFold(5) by instrument: no instrument is on both sides
    digits    of each speaker but lucas, by what was learned from the other five; lucas chose the defaults

Methods see the training part only and have their defaults. Epochs are whole ones, as many as take about `--minutes` of
CPU time in each fold by the pace of its first steps, one at least. Spoken digits need FSDD's zip (--fsdd). Results:
`benchmarks/results/kind_time.json` and `kind_time.md`; a row that lies there is not measured again (--again does).
"""

import argparse
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rows
from pretext import epochs
from record import machine

DATA = ("motions", "notes", "digits")
BASELINES = ("raw", "hand-made", "untrained cnn", "untrained vit")
METHODS = ("simclr", "mae", "cpc", "supervised")
FSDD = Path("shared/data/bench/fsdd.zip")
VALIDATION = "lucas"  # the speaker by whom defaults are chosen
DRAWS = 50
KEY = ("data", "method", "seed", "minutes", "folds")


def main() -> int:
    """Measure what is asked for and not there yet, one process after another, and write after each."""
    asked = parse()
    wanted = (
        {"data": asked.data, "method": name, "seed": seed, "minutes": asked.minutes, "folds": asked.folds}
        for seed in asked.seeds
        for name in asked.methods or (*BASELINES, *METHODS)
    )
    return rows.main(asked, measure, wanted, command, markdown, key=KEY)


def parse() -> argparse.Namespace:
    parser = rows.parser(__file__, __doc__)
    parser.add_argument("methods", nargs="*", help=f"none: {', '.join((*BASELINES, *METHODS))}")
    parser.add_argument("--data", choices=DATA, default="motions")
    parser.add_argument("--minutes", type=float, default=5.0, help="of CPU time for each training")
    parser.add_argument("--folds", type=int, default=5, help="of notes and digits, the first ones")
    parser.add_argument("--fsdd", type=Path, default=FSDD, help="zip of the free spoken digit dataset")
    asked = parser.parse_args()
    if asked.data == "digits" and not asked.fsdd.is_file():
        parser.error(f"--fsdd must name FSDD's zip; {asked.fsdd} is not there.")
    return asked


def command(asked: argparse.Namespace, wanted: Mapping[str, Any]) -> list[str]:
    """What measures a row."""
    given = {"seeds": wanted["seed"], "data": wanted["data"], "minutes": wanted["minutes"]}
    given |= {"folds": wanted["folds"], "fsdd": asked.fsdd if wanted["data"] == "digits" else FSDD}
    return rows.command_line(__file__, wanted["method"], **given)


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """One row: train and judge, fold by fold."""
    import torch

    torch.set_num_threads(1)
    (name,), (seed,) = asked.methods, asked.seeds
    found, used, alarms, passes = [], 0.0, [], 0
    for train, test in folds(asked):
        a, b, method = represented(name, seed, train, test, asked.minutes)
        found.append(scores(asked.data, a, train.labels, b, test.labels))
        if method is not None:
            used, passes = used + method.used, method.epochs
            alarms += [str(alarm) for alarm in getattr(method.history_, "alarms", ())]
    return {
        "scores": pd.DataFrame(found).mean().to_dict(),
        "each": found,
        "CPU s": used,
        "epochs": passes,
        "alarms": alarms,
        "machine": machine(),
    }


def folds(asked: argparse.Namespace) -> Iterator[tuple[Any, Any]]:
    """Training and test parts."""
    import replearn

    if asked.data == "motions":
        yield tuple(replearn.load_data("motions", split=part) for part in ("train", "test"))
        return
    samples = replearn.load_data("notes") if asked.data == "notes" else spoken(asked.fsdd)
    groups = np.asarray(samples.groups)
    if asked.data == "notes":
        from sklearn.model_selection import GroupKFold

        held = [test for _, test in GroupKFold(5).split(groups, samples.labels, groups)]
    else:
        held = [np.flatnonzero(groups == one) for one in np.unique(groups) if one != VALIDATION]
    for test in held[: asked.folds]:
        yield samples.subset(np.setdiff1d(np.arange(len(samples)), test)), samples.subset(test)


def spoken(path: Path) -> Any:
    """Spoken digits, by speaker."""
    import replearn

    samples = replearn.as_samples(path, kind="sound:rate=8000,seconds=0.64")
    names = [name.rpartition("/")[2].split("_") for name in samples.names]
    return replearn.as_samples(samples, [int(name[0]) for name in names], groups=[name[1] for name in names])


def represented(name: str, seed: int, train: Any, test: Any, minutes: float) -> tuple[Any, Any, Any]:
    """What a row is made of, of both parts, and the method, if it was trained."""
    from replearn.data.kinds import KINDS
    from replearn.methods import find_method

    if name == "raw":
        return train.flat(), test.flat(), None
    if name == "hand-made":
        return *(KINDS[train.kind].features(part) for part in (train, test)), None
    fields: dict[str, Any] = {"random_state": seed, "device": "cpu"}
    if name.startswith("untrained"):
        blank = find_method("simclr").cls(**fields, encoder=name.removeprefix("untrained ")).prepare(train)
        return blank.transform(train), blank.transform(test), None
    name, _, encoder = name.partition(" ")
    fields |= {"encoder": encoder} if encoder else {}
    cls = find_method(name).cls
    method = cls(**fields, epochs=epochs(cls, fields, len(train), train, minutes))
    began = time.process_time()
    method.fit(train)
    method.used = time.process_time() - began
    return method.transform(train), method.transform(test), method


def scores(data: str, a: Any, labels: Any, b: Any, other: Any) -> dict[str, float]:
    """Accuracies of linear probes."""
    from replearn.evaluate import few_label_curve, linear_probe

    if data != "motions":
        return {"all labels": linear_probe(a, labels, b, other).accuracy}
    curve = few_label_curve(a, labels, b, other, fractions=(1.0,), per_class=(1,), draws=DRAWS)
    found = dict(zip(curve["setting"], curve["mean"], strict=True))
    return {"one a class": found["1 per class"], "all labels": found["100 %"]}


def markdown(found: list[dict[str, Any]]) -> str:
    """A table for each of the data."""
    table = pd.DataFrame(found)
    lines: list[str] = []
    for (data, minutes, number), part in table.groupby(["data", "minutes", "folds"], sort=False):
        names = [one for one in ("one a class", "all labels") if one in part["scores"].iloc[0]]
        told = f", {number} folds" if data != "motions" else ""
        lines += ["", f"## {data}, {minutes:g} CPU minutes a training{told}", ""]
        body = []
        for name, own in part.groupby("method", sort=False):
            shown = [
                rows.cell(own["scores"].map(lambda each, one=one: each[one]), percent=True, spread=True)
                for one in names
            ]
            seeds = ", ".join(map(str, sorted(own["seed"])))
            body.append((name, seeds, *shown, rows.cell(own["epochs"]), rows.cell(own["CPU s"])))
        lines += rows.table(("row", "seeds", *names, "epochs", "CPU s"), body)
    told = [
        "",
        "Accuracy of a linear probe in percent; mean and deviation over seeds, of the mean over folds.",
    ]
    return rows.page(
        "Series and sounds",
        "python benchmarks/kind_time.py",
        told,
        lines,
        rows.used_by(row["machine"] for row in found),
    )


if __name__ == "__main__":
    sys.exit(main())
