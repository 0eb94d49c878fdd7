"""What a field of a method is worth: one network, equal steps, a row for each value.

    python benchmarks/sweep.py                                the shares that MAE hides, the seeds of Exemplar; digits
    python benchmarks/sweep.py mae --data cifar10             one method, on 5,000 of CIFAR-10's training images
    python benchmarks/sweep.py simmim --field share --values 0.3 0.6 --steps 1000

Features are judged as they are, by a linear probe and by kNN, and after fine-tuning of the whole network on a tenth of
the labels. Results: `benchmarks/results/sweep.json` and `sweep.md`; a row that lies there is not measured again
(--again does).
"""

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pictures
import pretext
import rows
from record import machine
from shortcuts import few

SWEPT = {  # of each method a field, its values, and steps
    "mae": ("share", (0.15, 0.3, 0.5, 0.75, 0.9), 1000),
    "exemplar": ("classes", (125, 250, 500, 1000, 2000, 4000), 1000),
}
TRAIN, TEST = 5_000, 2_000


def main() -> int:
    """Measure what is asked for and not there yet, one process after another, and write after each."""
    asked = parse()
    wanted = (
        {"data": asked.data, "method": name, "field": field, "value": value, "seed": seed, "steps": steps}
        | {"encoder": asked.encoder}
        for seed in asked.seeds
        for name in asked.methods or SWEPT
        for field, values, steps in [swept(asked, name)]
        for value in values
    )
    return rows.main(
        asked,
        measure,
        wanted,
        command,
        markdown,
        key=("data", "method", "field", "value", "seed", "steps", "encoder"),
    )


def parse() -> argparse.Namespace:
    parser = rows.parser(__file__, __doc__, seeds=(0,))
    parser.add_argument("methods", nargs="*", help=f"none: {', '.join(SWEPT)}")
    parser.add_argument("--data", choices=pretext.DATA, default="digits")
    parser.add_argument("--field", help="unless given: that of the method which is swept by default")
    parser.add_argument("--values", type=float, nargs="+")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--encoder", default="", help="none: the method's own")
    parser.add_argument("--draws", type=int, default=3, help="of labels")
    parser.add_argument("--cifar10", type=Path, default=pictures.CIFAR10)
    asked = parser.parse_args()
    unknown = [name for name in asked.methods if name not in SWEPT]
    if unknown and not (asked.field and asked.values and asked.steps):
        parser.error(f"--field, --values and --steps must be given for {', '.join(unknown)}.")
    return asked


def swept(asked: argparse.Namespace, name: str) -> tuple[str, tuple[float, ...], int]:
    """The field, its values and the steps of a method."""
    field, values, steps = SWEPT.get(name, ("", (), 0))
    return asked.field or field, tuple(asked.values or values), asked.steps or steps


def command(asked: argparse.Namespace, wanted: Mapping[str, Any]) -> list[str]:
    """What measures a row."""
    given = {"seeds": wanted["seed"], "data": wanted["data"], "cifar10": asked.cifar10, "draws": asked.draws}
    given |= {"field": wanted["field"], "values": wanted["value"], "steps": wanted["steps"]}
    return rows.command_line(__file__, wanted["method"], **given, encoder=wanted["encoder"])


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """One row: train with the value, judge."""
    import torch

    from replearn.methods import find_method

    torch.set_num_threads(1)
    (name,), (seed,), (value,) = asked.methods, asked.seeds, asked.values
    train, test = (
        few(part, number) for part, number in zip(pretext.samples(asked), (TRAIN, TEST), strict=True)
    )
    cls = find_method(name).cls
    fields: dict[str, Any] = {asked.field: type(getattr(cls, asked.field))(value)}
    if asked.encoder:
        fields["encoder"] = asked.encoder
    learned = cls(**fields, random_state=seed, device="cpu").prepare(train).training_samples(train)
    epochs = max(1, round(asked.steps * cls.batch_size / len(learned)))
    method = cls(**fields, random_state=seed, device="cpu", epochs=epochs)
    began = time.process_time()
    method.fit(train)
    used = time.process_time() - began
    own = pretext.own(method, test if method.training_samples(train) is train else learned)
    judged = pretext.judged(asked, method.transform(train), train, method.transform(test), test)
    tuned = pretext.tuned(method.encoder_, train, test, share=0.1, seed=seed)
    return judged | {"tuned": tuned, "own": own, "epochs": epochs, "CPU s": used, "machine": machine()}


def markdown(found: list[dict[str, Any]]) -> str:
    """A table per method, field, data set and number of steps: a line for each value."""
    told = ["# Sweeps", ""]
    frame = pd.DataFrame(found)
    for (name, field, data, steps), part in frame.groupby(["method", "field", "data", "steps"], sort=False):
        used = rows.used_by(part["machine"])
        told += [
            f"## {name} by {field}, {data}, {steps} steps",
            "",
            f"`python benchmarks/sweep.py {name} --data {data}`; {used['processor']}, one thread.",
            f"{TRAIN:,} training images, {part['seed'].nunique()} seed(s). Test accuracy in percent; tuned: the whole",
            "network, on a tenth of the labels. Own: what the method measures of itself.",
            "",
        ]
        groups = part.sort_values("value").groupby("value", sort=False)
        head = [field, *pretext.SCORES, "kNN", "tuned, 10 %", "own", "CPU s"]
        told += rows.table(head, [line(float(value), group) for value, group in groups])
        told += [""]
    return "\n".join(told)


def line(value: float, group: pd.DataFrame) -> list[str]:
    """A line of the table."""
    scores = (rows.cell(group[key], percent=True, spread=True) for key in (*pretext.SCORES, "kNN", "tuned"))
    own = pd.DataFrame(list(group["own"])).mean()
    told = ", ".join(f"{key} {number:.3g}" for key, number in own.items())
    return [f"{value:,g}", *scores, told, rows.cell(group["CPU s"])]


if __name__ == "__main__":
    sys.exit(main())
