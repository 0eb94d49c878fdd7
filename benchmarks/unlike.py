"""Methods as they come, and candidates for defaults, on sets of pictures that have little in common.

    python benchmarks/unlike.py                                    all methods, all sets, judged by the test parts
    python benchmarks/unlike.py simclr --part validation --fields '{"batch_size": 64}'      a candidate
    python benchmarks/unlike.py visual --data emoji sprites --minutes 6

Each training is a process of its own, on one thread; its epochs take about `--minutes` of CPU time by the pace of its
first steps (what learns without a network takes what it takes). A method's representation is judged as it comes, and so
are `all`, each layer of its encoder averaged over places and scaled to length 1, side by side, and `codes`, it beside
visual words, Fisher vectors and patch codes (`Concatenation`, which is a row of its own, too). Candidates are chosen
by validation parts, a fifth of what is there to learn from; test parts judge what was chosen. Of letters and sprites no
letter and no unit is in both parts. Results: `benchmarks/results/unlike.json` and `unlike.md`; a row that lies there is
not measured again (--again does).
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pictures
import pretext
import rows
from record import machine

METHODS = (
    "raw",
    "pca",
    "bagofvisualwords",
    "fishervectors",
    "concatenation",
    "autoencoder",
    "simclr",
    "vicreg",
)
UNTIMED = ("raw", "pca", "bagofvisualwords", "fishervectors", "patchcodes", "concatenation")
MORE = ("all", "codes")  # what is judged besides a method's representation
KEY = ("data", "part", "method", "fields", "minutes", "seed")
NUMBER = 10_000  # of CIFAR-10's training images


def main() -> int:
    """Measure what is asked for and not there yet, one process after another, and write after each."""
    asked = parse()
    wanted = (
        {"data": data, "part": asked.part, "method": name, "fields": asked.fields}
        | {"minutes": 0.0 if name in UNTIMED else asked.minutes, "seed": seed}
        for seed in asked.seeds
        for name in asked.methods or METHODS
        for data in asked.data
    )
    return rows.main(asked, measure, wanted, command, markdown, key=KEY)


def parse() -> argparse.Namespace:
    parser = rows.parser(__file__, __doc__, seeds=(0,))
    parser.add_argument("methods", nargs="*", help=f"names as in `replearn list`, or raw; none: {METHODS}")
    parser.add_argument("--data", choices=pictures.UNLIKE, nargs="+", default=list(pictures.UNLIKE))
    parser.add_argument("--part", choices=("validation", "test"), default="test")
    parser.add_argument("--minutes", type=float, default=6.0, help="of CPU time for each training")
    parser.add_argument("--fields", default="{}", help="of the methods, as JSON; none: their defaults")
    parser.add_argument("--draws", type=int, default=3, help="of labels, for each of their numbers")
    parser.add_argument("--bench", type=Path, default=pictures.BENCH, help="folder of the files of pictures")
    asked = parser.parse_args()
    asked.fields = json.dumps(json.loads(asked.fields), sort_keys=True)
    for data in asked.data:
        if not (file := pictures.file_of(data, asked.bench)).exists():
            parser.error(f"--bench must be a folder of pictures; {file}, of {data}, is not there.")
    return asked


def command(asked: argparse.Namespace, wanted: Mapping[str, Any]) -> list[str]:
    """What measures a row."""
    given = {"seeds": wanted["seed"], "data": wanted["data"], "part": wanted["part"]}
    given |= {"minutes": wanted["minutes"], "fields": wanted["fields"], "draws": asked.draws}
    return rows.command_line(__file__, wanted["method"], **given, bench=asked.bench)


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """One row: train, represent, judge."""
    import torch
    from sklearn.decomposition import PCA

    from replearn.comparison import fit_and_represent, raw_input
    from replearn.methods import find_method
    from replearn.methods.inside import layers_of

    torch.set_num_threads(1)
    (name,), (seed,), (data,) = asked.methods, asked.seeds, asked.data
    train, test = pictures.unlike(data, asked.bench, number=NUMBER, part=asked.part)
    began = time.process_time()
    if name in ("raw", "pca"):
        made = (
            raw_input(train, test)
            if name == "raw"
            else fit_and_represent("PCA", PCA(pretext.COMPONENTS, random_state=seed), train, test)
        )
        found = {"scores": pretext.judged(asked, made.train, train, made.test, test)}
        return found | {"CPU s": time.process_time() - began, "machine": machine()}
    cls, fields = find_method(name).cls, json.loads(asked.fields) | {"random_state": seed}
    if name in UNTIMED:
        method = cls(**fields).fit(train)
    else:
        fields |= {"device": "cpu"}
        learned = len(cls(**fields).prepare(train).training_samples(train))
        fields |= {"epochs": pretext.epochs(cls, fields, learned, train, asked.minutes)}
        began = time.process_time()
        method = cls(**fields).fit(train)
    used = time.process_time() - began
    both = method.transform(train), method.transform(test)
    found = {"scores": pretext.judged(asked, both[0], train, both[1], test), "CPU s": used}
    layers = layers_of(method, train), layers_of(method, test)
    if len(layers[0]) > 1:
        found["layers"] = pretext.by_layer(asked, layers[0], train, layers[1], test)
        own, other = (np.concatenate([unit(layer) for layer in part], axis=1) for part in layers)
        found["all"] = pretext.judged(asked, own, train, other, test)
    if name not in UNTIMED:
        codes = find_method("concatenation").cls(random_state=seed).fit(train)
        centre = unit(both[0]).mean(0)
        beside = [
            np.concatenate([unit(unit(learned) - centre), codes.transform(part)], axis=1)
            for learned, part in zip(both, (train, test), strict=True)
        ]
        found["codes"] = pretext.judged(asked, beside[0], train, beside[1], test)
    alarms = [str(alarm) for alarm in getattr(getattr(method, "history_", None), "alarms", ())]
    return found | {"epochs": fields.get("epochs"), "alarms": alarms, "machine": machine()}


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows scaled to length 1."""
    scaled: np.ndarray = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return scaled


def markdown(found: list[dict[str, Any]]) -> str:
    """A table per part, budget and score: a line for each method, a column for each set."""
    told = ["# Unlike sets of pictures", ""]
    frame = pd.DataFrame(found)
    told += [
        f"`python benchmarks/unlike.py`; {rows.used_by(frame['machine'])['processor']}, one thread. Test accuracy in",
        "percent, 1 % / 10 % / 100 % of the labels and kNN, mean over seeds; last step. All: layers side by side.",
        "Codes: beside visual words, Fisher vectors and patch codes.",
        "",
    ]
    budgets = sorted({minutes for minutes in frame["minutes"] if minutes})
    for part, some in frame.groupby("part", sort=False):
        for minutes in budgets:
            shown = some[some["minutes"].isin([0.0, minutes])]
            if not (shown["minutes"] == minutes).any():
                continue
            told += [f"## Judged by {part} parts, {minutes:g} CPU minutes", ""]
            told += rows.table(
                ["method", "seeds", *pictures.UNLIKE],
                [
                    [
                        "".join(
                            [name, "" if fields == "{}" else f" {fields}", f", {key}" if key in MORE else ""]
                        )
                    ]
                    + [str(group["seed"].nunique())]
                    + [cell(group[group["data"] == data], key) for data in pictures.UNLIKE]
                    for (name, fields), group in shown.groupby(["method", "fields"], sort=False)
                    for key in ("scores", *MORE)
                    if key in group and group[key].notna().any()
                ],
            )
            told += [""]
    return "\n".join(told)


def cell(group: pd.DataFrame, key: str) -> str:
    """The four numbers of a method on a set."""
    scores = pd.DataFrame([row for row in group[key] if isinstance(row, dict)])
    return "" if scores.empty else " / ".join(f"{100 * mean:.1f}" for mean in scores.mean())


if __name__ == "__main__":
    sys.exit(main())
