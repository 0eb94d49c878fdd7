"""One encoder for all tasks against one for each, at equal total CPU time, and three weightings of the losses.

    python benchmarks/multi_task.py                              glyphs and shapes, every weighting, seed 0
    python benchmarks/multi_task.py single uniform --data shapes --epochs 10

`single` trains one encoder for each task, of so many epochs; the others train one for all of them, of as many epochs as
all of those together. Only `pcgrad`, which goes back through the encoder once for each task, gets fewer: as many as
take as long, by the pace of some steps. Read what was used (`CPU s`). On one thread, without views, since a crop or a
turn would change what is asked for. Accuracy of classes and R² of numbers, on test samples. Results:
`benchmarks/results/multi_task.json` and `multi_task.md`; a row that lies there is not measured again (--again does).
"""

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rows
from record import machine
from watched import Enough, fit_watched

SINGLE = "single"
WAYS = (SINGLE, "uniform", "uncertainty", "pcgrad")
DATA = ("glyphs", "shapes")
GLYPHS = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "ship" / "glyphs.npz"
FIRST, MANY = 20, 1000  # steps by which the pace is measured, of a training of many epochs
LEARNED, TESTED = 3000, 1000  # of the pictures of shapes, of which there are as many as one likes
BATCH = 32
KEY = ("data", "way", "seed", "each", "encoder")


def main() -> int:
    """Measure what is asked for and not there yet, one process after another, and write after each."""
    asked = parse()
    if "glyphs" in asked.data and not asked.glyphs.is_file():
        sys.exit(f"--glyphs must name a file of glyphs; {asked.glyphs} is not there. Give --data shapes.")
    wanted = (
        {"data": data, "way": way, "seed": seed, "each": asked.epochs, "encoder": asked.encoder}
        for seed in asked.seeds
        for data in asked.data
        for way in asked.ways or WAYS
    )
    return rows.main(asked, measure, wanted, command, markdown, key=KEY)


def parse() -> argparse.Namespace:
    parser = rows.parser(__file__, __doc__, seeds=(0,))
    parser.add_argument("ways", nargs="*", help=f"of {', '.join(WAYS)}; none: all")
    parser.add_argument("--data", nargs="+", choices=DATA, default=list(DATA))
    parser.add_argument("--epochs", type=int, default=3, help="of each encoder for a single task")
    parser.add_argument("--encoder", default="resnet_tiny")
    parser.add_argument("--glyphs", type=Path, default=GLYPHS, help="letters of 20 scripts in 12 styles")
    asked = parser.parse_args()
    if unknown := {*asked.ways} - {*WAYS}:
        parser.error(f"ways must be of {', '.join(WAYS)}; got {', '.join(sorted(unknown))}.")
    return asked


def command(asked: argparse.Namespace, wanted: Mapping[str, Any]) -> list[str]:
    """What measures a row."""
    given = {"seeds": wanted["seed"], "data": wanted["data"], "glyphs": asked.glyphs}
    return rows.command_line(__file__, wanted["way"], **given, epochs=asked.epochs, encoder=asked.encoder)


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """One row: the scores of all tasks, of one encoder or of one each."""
    import torch

    from replearn.data import targets_of
    from replearn.methods import MultiTask

    torch.set_num_threads(1)
    (way,), (seed,), (data,) = asked.ways, asked.seeds, asked.data
    train, test = samples(data, asked.glyphs)
    targets = targets_of(train)
    assert targets is not None
    fields = {"encoder": asked.encoder, "batch_size": BATCH, "random_state": seed, "device": "cpu"}
    alone = [fields | {"tasks": (name,)} for name in targets.names]
    makes = alone if way == SINGLE else [fields | {"weighting": way}]
    epochs = asked.epochs * (1 if way == SINGLE else len(alone))
    if way == "pcgrad":
        own, other = (seconds_a_step(MultiTask(**one, epochs=MANY), train) for one in (makes[0], alone[0]))
        epochs = max(1, round(epochs * other / own))
    scores: dict[str, float] = {}
    used = 0.0
    for each in makes:
        method = MultiTask(**each, epochs=epochs)
        began = time.process_time()
        method.fit(train)
        used += time.process_time() - began
        scores |= method.scores(test)
    kinds = ["R²" if told is None else "accuracy" for told in targets.classes]
    return {
        "scores": scores,
        "kinds": dict(zip(targets.names, kinds, strict=True)),
        "epochs": epochs,
        "CPU s": used,
        "machine": machine(),
    }


def seconds_a_step(method: Any, train: Any) -> float:
    """CPU time of a step, after those that begin slowly."""
    times: list[float] = []

    def on_step() -> None:
        times.append(time.process_time())
        if len(times) == FIRST:
            raise Enough

    fit_watched(method, train, on_step)
    return float(np.median(np.diff(times)[FIRST // 2 :]))


def samples(data: str, glyphs: Path) -> tuple[Any, Any]:
    """A training and a test part, with their targets."""
    import replearn

    rng = np.random.default_rng(0)
    if data == "shapes":
        train, test = (replearn.load_data("shapes", split=part) for part in ("train", "test"))
        return tuple(
            part.subset(np.sort(rng.permutation(len(part))[:number]))
            for part, number in ((train, LEARNED), (test, TESTED))
        )
    with np.load(glyphs, allow_pickle=False) as arrays:
        bits = np.unpackbits(arrays["packed"], axis=1, count=784).reshape(-1, 1, 28, 28)
        columns = {"script": arrays["script"], "style": arrays["style"], "letter": arrays["label"]}
    whole = replearn.as_samples(
        bits * np.uint8(255), {name: row.astype(int) for name, row in columns.items()}
    )
    drawn = rng.permutation(len(whole))
    return whole.subset(np.sort(drawn[len(whole) // 5 :])), whole.subset(np.sort(drawn[: len(whole) // 5]))


def markdown(found: list[dict[str, Any]]) -> str:
    """A table per data set, budget and encoder."""
    told = ["# One encoder for all tasks, or one for each", ""]
    for (data, each, encoder), part in pd.DataFrame(found).groupby(["data", "each", "encoder"], sort=False):
        tasks = part["kinds"].iloc[0]
        told += [
            f"## {data}, {each} epoch{'s' * (each > 1)} for each task",
            "",
            f"`python benchmarks/multi_task.py --data {data} --epochs {each} --encoder {encoder}`;",
            f"{rows.used_by(part['machine'])['processor']}, one thread. Test scores in percent, last step.",
            "",
        ]
        head = ("encoders", "seeds", *(f"{name} ({kind})" for name, kind in tasks.items()), "epochs", "CPU s")
        told += rows.table(
            head, [line(str(way), group, tasks) for way, group in part.groupby("way", sort=False)]
        )
    return "\n".join(told)


def line(way: str, group: pd.DataFrame, tasks: Mapping[str, str]) -> list[str]:
    """A line of the table."""
    name = "one each" if way == SINGLE else f"one for all, {way}"
    scores = [
        rows.cell(pd.Series([row[task] for row in group["scores"]]), percent=True, spread=True)
        for task in tasks
    ]
    return [name, str(len(group)), *scores, rows.cell(group["epochs"]), rows.cell(group["CPU s"])]


if __name__ == "__main__":
    sys.exit(main())
