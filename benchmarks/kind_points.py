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
from collections.abc import Iterator
from functools import partial
from typing import Any

import by_fold
import numpy as np
import rows

NETWORKS = {"furniture": ("pointnet", "pointnet2", "vit"), "digits3d": ("cnn", "vit")}
METHODS = ("simclr", "mae", "supervised")
KEY = by_fold.KEY
command = by_fold.command(__file__)


def main() -> int:
    """Measure what is asked for and not there yet, one process after another, and write after each."""
    asked = parse()
    names = ("raw", "hand-made", *(f"untrained {name}" for name in NETWORKS[asked.data]), *METHODS)
    measure = partial(by_fold.measure, folds=folds(asked.data, asked.folds), judge=probe)
    wanted = by_fold.wanted(asked, names)
    return rows.main(asked, measure, wanted, command, markdown, key=KEY)


def parse() -> argparse.Namespace:
    told = "of furniture, each of which is held out once"
    return by_fold.options(
        __file__, __doc__, [*NETWORKS], seeds=(0,), minutes=0.5, folds=(3, told)
    ).parse_args()


def folds(data: str, number: int) -> Iterator[by_fold.Fold]:
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


def probe(own: Any, train: Any, other: Any, test: Any, method: Any) -> dict[str, float]:
    """Accuracy of a linear probe."""
    from replearn.evaluate import linear_probe

    return {"accuracy": linear_probe(own, train.labels, other, test.labels).accuracy}


def markdown(found: list[dict[str, Any]]) -> str:
    """A table for each data set and budget."""
    about = "Accuracy of a linear probe in percent, mean over folds; of several seeds mean and deviation."
    title = "Clouds of points and volumes"
    return by_fold.page(__file__, title, about, found, ("accuracy",), told_folds)


def told_folds(data: str, number: int) -> str:
    """What a title says of them."""
    return f", {number} folds" if data == "furniture" else ""


if __name__ == "__main__":
    sys.exit(main())
