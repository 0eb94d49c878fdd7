"""What representations of graphs and of nodes are worth, beside what is had without learning.

    python benchmarks/kind_graph.py                                  MUTAG: nested 10-fold, three seeds
    python benchmarks/kind_graph.py --data cora --nodes cora.npz     nodes of Planetoid's file, by its public split
    python benchmarks/kind_graph.py graphcl --minutes 1              some rows, each trained for about a minute

Graphs: in each of ten folds a method learns from the other nine, without their labels; a logistic regression learns
from them with labels, its penalty chosen by five folds inside of them. The tenth is judged. A row's score is the mean
of its ten. Nodes: a method learns from the whole graph, as is usual, without labels; the penalty is chosen on 500 nodes
for validation, and the 1,000 for test are judged. Methods have their defaults, but for the size of batches (64 graphs,
512 nodes; GraphMAE all nodes) and the epochs: 20 (GraphMAE 150 on nodes), or with --minutes as many as take about so
long by the pace of two. Results: `benchmarks/results/kind_graph.json` and `kind_graph.md`.
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rows
from record import machine

EPOCHS, WHOLE_STEPS = 20, 150
OF_GRAPHS, OF_NODES = (
    ("graphcl", "vicreg", "byol", "graphmae", "supervised"),
    ("grace", "bgrl", "vicreg", "graphmae"),
)
DATA = {"mutag": OF_GRAPHS, "cora": OF_NODES, "citeseer": OF_NODES}
SMOOTHED = {"A2X": 2, "A4X": 4}
BEFORE = {
    "mutag": ("majority", "raw", "subtrees", "untrained"),
    **dict.fromkeys(("cora", "citeseer"), ("raw", *SMOOTHED, "untrained")),
}
IN_WORDS = {
    "majority": "the larger class",
    "raw": "raw: counts of atoms, or words",
    "subtrees": "Weisfeiler-Lehman subtrees",
    "A2X": "A²X",
    "A4X": "A⁴X",
    "untrained": "untrained encoder",
    "graphcl": "SimCLR (GraphCL)",
    "grace": "SimCLR (GRACE)",
    "bgrl": "BYOL (BGRL)",
    "byol": "BYOL",
    "vicreg": "VICReg",
    "graphmae": "GraphMAE",
    "supervised": "Supervised",
}
PENALTIES = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)
BATCHES = {"mutag": 64, "cora": 512, "citeseer": 512}


def main() -> int:
    """Measure what is asked for and not there yet, one process after another, and write after each."""
    asked = parse()
    wanted = (
        {"data": asked.data, "row": name, "seed": seed, "minutes": asked.minutes}
        for seed in asked.seeds
        for name in asked.rows or (*BEFORE[asked.data], *DATA[asked.data])
    )
    return rows.main(asked, measure, wanted, command, markdown, key=("data", "row", "seed", "minutes"))


def parse() -> argparse.Namespace:
    parser = rows.parser(__file__, __doc__)
    parser.add_argument("rows", nargs="*", help="none: all of the data set's")
    parser.add_argument("--data", choices=DATA, default="mutag")
    parser.add_argument("--nodes", type=Path, default=Path("cora.npz"), help="the graph, in Planetoid's form")
    parser.add_argument("--minutes", type=float, default=0.0, help="of training; 0: the epochs listed here")
    return parser.parse_args()


def command(asked: argparse.Namespace, wanted: Mapping[str, Any]) -> list[str]:
    """What measures a row."""
    given = {
        "seeds": wanted["seed"],
        "data": wanted["data"],
        "minutes": wanted["minutes"],
        "nodes": asked.nodes,
    }
    return rows.command_line(__file__, wanted["row"], **given)


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """One row."""
    import torch

    torch.set_num_threads(1)
    (name,), (seed,) = asked.rows, asked.seeds
    judged = of_graphs if asked.data == "mutag" else of_nodes
    score, used = judged(name, seed, asked)
    return {"accuracy": score, "CPU s": used, "machine": machine()}


def of_graphs(name: str, seed: int, asked: argparse.Namespace) -> tuple[float, float]:
    """Mean of ten folds, and the CPU seconds of all trainings."""
    from sklearn.model_selection import StratifiedKFold

    import replearn

    samples = replearn.load_data("mutag")
    labels = np.asarray(samples.labels)
    scores, used = [], 0.0
    for fold in StratifiedKFold(10, shuffle=True, random_state=seed).split(labels, labels):
        train, test = (samples.subset(part) for part in fold)
        if name == "majority":
            most = np.bincount(labels[fold[0]]).argmax()
            scores.append(float((labels[fold[1]] == most).mean()))
            continue
        transform, seconds = learned(name, train, seed, asked)
        used += seconds
        scores.append(nested(transform(train), labels[fold[0]], transform(test), labels[fold[1]], seed))
    return float(np.mean(scores)), used


def of_nodes(name: str, seed: int, asked: argparse.Namespace) -> tuple[float, float]:
    """Accuracy on the public test nodes, and the CPU seconds of training."""
    import replearn

    samples = replearn.as_samples(asked.nodes)
    transform, used = learned(name, samples, seed, asked)
    found, labels = transform(samples), np.asarray(samples.labels)
    parts = [
        (found[mask], labels[mask]) for mask in (samples.masks[part] for part in ("train", "val", "test"))
    ]
    return chosen(*parts), used


def learned(
    name: str, samples: Any, seed: int, asked: argparse.Namespace
) -> tuple[Callable[[Any], np.ndarray], float]:
    """What makes rows of samples, and the CPU seconds it took to learn it."""
    from replearn.data.kinds import KINDS
    from replearn.data.kinds.node import smoothed
    from replearn.methods import find_method

    if name == "raw":
        return lambda part: part.flat(), 0.0
    if name == "subtrees":
        return KINDS["graph"].features, 0.0
    if name in SMOOTHED:
        return lambda part: smoothed(part[np.arange(len(part))].x, SMOOTHED[name]).numpy(), 0.0
    made = find_method("simclr" if name == "untrained" else name).cls
    fields = {"random_state": seed, "device": "cpu", "batch_size": BATCHES[asked.data]}
    if name == "untrained":
        return made(**fields).prepare(samples).transform, 0.0
    epochs = EPOCHS
    if (
        name == "graphmae" and asked.data != "mutag"
    ):  # a step costs the whole graph, so all its nodes are asked
        fields, epochs = fields | {"batch_size": len(samples)}, WHOLE_STEPS
    if asked.minutes:
        folds = 10 if asked.data == "mutag" else 1
        epochs = max(1, round(asked.minutes * 60 / folds / pace(made, fields, samples)))
    began = time.process_time()
    method = made(**fields, epochs=epochs).fit(samples)
    return method.transform, time.process_time() - began


def pace(made: Any, fields: Mapping[str, Any], samples: Any) -> float:
    """CPU seconds of an epoch."""
    made(**fields, epochs=1).fit(samples)  # what is done once
    began = time.process_time()
    made(**fields, epochs=2).fit(samples)
    return (time.process_time() - began) / 2


def nested(x: np.ndarray, y: np.ndarray, x_test: np.ndarray, y_test: np.ndarray, seed: int) -> float:
    """Accuracy of a logistic regression whose penalty is chosen by folds within the training part."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=3000))
    inner = StratifiedKFold(5, shuffle=True, random_state=seed)
    search = GridSearchCV(probe, {"logisticregression__C": PENALTIES}, cv=inner).fit(x, y)
    return float(search.score(x_test, y_test))


def chosen(train: Any, validation: Any, test: Any) -> float:
    """Test accuracy of a logistic regression, its penalty and the scaling of rows chosen on validation labels."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import Normalizer, StandardScaler

    best = (-1.0, 0.0)
    for scaler in (Normalizer(), StandardScaler()):
        x, x_val, x_test = (
            scaler.fit_transform(train[0]),
            scaler.transform(validation[0]),
            scaler.transform(test[0]),
        )
        for penalty in PENALTIES:
            probe = LogisticRegression(C=penalty, max_iter=3000).fit(x, train[1])
            best = max(
                best,
                (probe.score(x_val, validation[1]), probe.score(x_test, test[1])),
                key=lambda pair: pair[0],
            )
    return float(best[1])


def markdown(found: list[dict[str, Any]]) -> str:
    """A table per data set and length of training."""
    told = ["# Graphs and nodes", ""]
    for (data, minutes), part in pd.DataFrame(found).groupby(["data", "minutes"], sort=False):
        used = rows.used_by(part["machine"])
        options = (
            f" --data {data}"
            + (f" --nodes {data}.npz" if data != "mutag" else "")
            + (f" --minutes {minutes:g}" if minutes else "")
        )
        how = "nested 10-fold, means of ten" if data == "mutag" else "public split, 20 labels a class"
        told += [
            f"## {data}{f', {minutes:g} minutes' if minutes else ''}",
            "",
            f"`python benchmarks/kind_graph.py{options}`; {used['processor']}, one thread.",
            f"Accuracy in percent, {how}; {part['seed'].nunique()} seeds. CPU s: of all trainings.",
            "",
        ]
        lines = [
            [
                IN_WORDS[str(name)],
                rows.cell(group["accuracy"], percent=True, spread=True),
                rows.cell(group["CPU s"]),
            ]
            for name, group in part.groupby("row", sort=False)
        ]
        told += [*rows.table(["row", "accuracy", "CPU s"], lines), ""]
    return "\n".join(told)


if __name__ == "__main__":
    sys.exit(main())
