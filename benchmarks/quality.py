"""Compare all methods that compare views on equal terms: same encoder, epochs and batch; several seeds, the last step.

    python benchmarks/quality.py                          digits, every method, seeds 0, 1 and 2
    python benchmarks/quality.py simclr byol --seeds 0    some of it; what has been measured is kept
    python benchmarks/quality.py --data cifar10           5,000 of CIFAR-10's training images, half the epochs

Each training is a process of its own (its peak memory is measured), with the method's defaults; one whose default batch
is smaller than the one asked for keeps its own. Results:
`benchmarks/results/quality.json` and `quality.md`; a row that lies there is not measured again (--again does).
"""

import argparse
import os
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pictures
import rows
from record import machine

BASELINES = ("raw", "untrained")
CLASSICAL = ("pca",)
FAMILIES = ("contrastive", "joint_embedding", "labelled")  # the others: benchmarks/codes.py
COMPONENTS = 64
SUBSET = 5_000  # of CIFAR-10's training images, as many of each class
EPOCHS = {"digits": 10, "cifar10": 5}
DRAWS = {"digits": 5, "cifar10": 3}  # of labels, for each of their numbers
SCORES = ("1 %", "10 %", "100 %", "kNN", "rank")
COLUMNS = {"1 %": 0.01, "10 %": 0.1, "100 %": 1.0}


def main() -> int:
    """Measure what is asked for and not there yet, one process after another, and write after each."""
    asked = parse()
    wanted = (
        {"data": asked.data, "method": name, "seed": seed} | terms(asked)
        for seed in asked.seeds
        for name in asked.methods or everything()
    )
    return rows.main(asked, measure, wanted, command, markdown, key=("data", "method", "seed"))


def parse() -> argparse.Namespace:
    parser = rows.parser(__file__, __doc__)
    parser.add_argument("methods", nargs="*", help="names as in `replearn list`, raw or untrained; none: all")
    parser.add_argument("--data", choices=("digits", "cifar10"), default="digits")
    parser.add_argument("--epochs", type=int, help=f"unless given: {EPOCHS}")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument(
        "--draws", type=int, help=f"of labels, for each of their numbers; unless given: {DRAWS}"
    )
    parser.add_argument("--cifar10", type=Path, default=pictures.CIFAR10, help="zip of CIFAR-10's JPEGs")
    asked = parser.parse_args()
    asked.epochs = EPOCHS[asked.data] if asked.epochs is None else asked.epochs
    asked.draws = DRAWS[asked.data] if asked.draws is None else asked.draws
    if asked.data == "cifar10" and not asked.cifar10.is_file():
        parser.error(f"--cifar10 must name a zip of CIFAR-10's JPEGs; {asked.cifar10} is not there.")
    return asked


def terms(asked: argparse.Namespace) -> dict[str, Any]:
    """What must be alike for rows to compare."""
    return {"epochs": asked.epochs, "batch size": asked.batch_size, "draws": asked.draws}


def everything() -> list[str]:
    """Baselines, and all methods of these families."""
    from replearn.methods import registry

    ours = [name for name, entry in registry().items() if entry.family in FAMILIES]
    return [*BASELINES, *CLASSICAL, *ours]


def command(asked: argparse.Namespace, wanted: Mapping[str, Any]) -> list[str]:
    """What measures a row."""
    given = {"seeds": wanted["seed"], "data": asked.data, "cifar10": asked.cifar10}
    numbers = {key.replace(" ", "_"): value for key, value in terms(asked).items()}
    return rows.command_line(__file__, wanted["method"], **given, **numbers)


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """One row: train, represent, judge."""
    from sklearn.decomposition import PCA

    from replearn.comparison import fit_and_represent, judge, raw_input, untrained_encoders
    from replearn.methods import SimCLR, find_method

    train, test = samples(asked)
    (name,), (seed,) = asked.methods, asked.seeds
    if name == "raw":
        row = raw_input(train, test)
    elif name == "untrained":
        row = next(untrained_encoders({"SimCLR": SimCLR(random_state=seed)}, train, test))
    elif name == "pca":
        row = fit_and_represent("PCA", PCA(COMPONENTS, random_state=seed), train, test)
    else:
        cls = find_method(name).cls
        method = cls(epochs=asked.epochs, batch_size=min(asked.batch_size, cls.batch_size), random_state=seed)
        row = fit_and_represent(name, method, train, test)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # before judging
    judged = judge([(seed, row)], train, test, draws=asked.draws, choose=True).scores
    scores = judged.set_index(["measure", "labels"])["mean"]
    found = {name: float(scores["linear probe", round(part * len(train))]) for name, part in COLUMNS.items()}
    batch = getattr(row.method, "batch_size", asked.batch_size)
    seen = len(train) // batch * batch * asked.epochs
    return found | {
        "kNN": float(scores["kNN"].iloc[0]),
        "rank": float(scores["effective rank"].iloc[0]),
        "alignment + uniformity": float((scores["alignment"] + scores["uniformity"]).iloc[0])
        if "alignment" in scores
        else None,
        "seconds": row.seconds,
        "samples/s": seen / row.seconds if row.history else None,
        "peak MB": peak,
        "alarms": list(row.alarms),
        "machine": machine(),
    }


def samples(asked: argparse.Namespace) -> tuple[Any, Any]:
    """The training and the test part."""
    return pictures.digits_or_photos(asked.data, asked.cifar10, number=SUBSET)


def markdown(found: list[dict[str, Any]]) -> str:
    """A table per data set: means over seeds, and their spread where there are several."""
    told = ["# Quality of all methods", ""]
    for data, part in pd.DataFrame(found).groupby("data", sort=False):
        conditions = part[["epochs", "batch size", "draws"]].drop_duplicates().to_dict("records")
        told += [
            f"## {data}",
            "",
            f"`python benchmarks/quality.py --data {data}`; "
            + "; ".join(", ".join(f"{key} {value}" for key, value in one.items()) for one in conditions)
            + f"; {rows.used_by(part['machine'])['processor']}, {rows.used_by(part['machine'])['cores']} cores.",
            "Means over seeds, ± their standard deviation; last step; probes and kNN on the test part.",
            "Seconds, samples/s and peak memory are those of the fastest seed.",
            "",
        ]
        head = [*COLUMNS, "kNN", "rank", "seconds", "samples/s", "peak MB"]
        lines = [line(name, group, head) for name, group in part.groupby("method", sort=False)]
        told += rows.table(["method", "seeds", *head, "alarms"], lines)
        told += ["", *taus(part), ""]
    return "\n".join(told)


def line(name: Any, group: pd.DataFrame, head: list[str]) -> list[str]:
    """A method's line of the table."""
    fastest = group.loc[[group["seconds"].astype(float).fillna(0).idxmin()]]
    cells = [
        rows.cell(group[column], percent=column != "rank", spread=column != "rank")
        if column in SCORES
        else rows.cell(fastest[column])
        for column in head
    ]
    alarms = "; ".join(sorted({alarm for found in group["alarms"] for alarm in found})) or "none"
    return [str(name), str(len(group)), *cells, alarms]


def taus(found: pd.DataFrame) -> list[str]:
    """How far orders of the learned methods by measures without labels agree with the order by kNN."""
    from scipy.stats import kendalltau

    learned = found[~found["method"].isin(BASELINES)].groupby("method")
    knn, told = learned["kNN"].mean(), []
    for title, name, sign in (
        ("RankMe", "rank", 1),
        ("alignment + uniformity", "alignment + uniformity", -1),
    ):
        if name not in found:
            continue
        values = (sign * learned[name].mean()).dropna()
        if len(values) > 2:
            tau = kendalltau(values, knn[values.index]).statistic
            told.append(f"Kendall's tau of {title} with kNN, {len(values)} methods: {tau:.2f}.")
    return told


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    sys.exit(main())
