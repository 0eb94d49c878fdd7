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
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import by_fold
import numpy as np
import rows

DATA = ("motions", "notes", "digits")
ROWS = ("raw", "hand-made", "untrained cnn", "untrained vit", "simclr", "mae", "cpc", "supervised")
FSDD = Path("shared/data/bench/fsdd.zip")
VALIDATION = "lucas"  # the speaker by whom defaults are chosen
DRAWS = 50
ONE_EACH = 40  # samples of a part in which one label a class is asked about: motions
KEY = by_fold.KEY
command = by_fold.command(__file__, "fsdd")


def main() -> int:
    """Measure what is asked for and not there yet, one process after another, and write after each."""
    asked = parse()
    measure = partial(by_fold.measure, folds=folds(asked), judge=probes)
    wanted = by_fold.wanted(asked, ROWS)
    return rows.main(asked, measure, wanted, command, markdown, key=KEY)


def parse() -> argparse.Namespace:
    parser = by_fold.options(__file__, __doc__, DATA, folds=(5, "of notes and digits, the first ones"))
    parser.add_argument("--fsdd", type=Path, default=FSDD, help="zip of the free spoken digit dataset")
    asked = parser.parse_args()
    by_fold.check_file(parser, asked, "digits", "fsdd")
    return asked


def folds(asked: argparse.Namespace) -> Iterator[by_fold.Fold]:
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


def probes(own: Any, train: Any, other: Any, test: Any, method: Any) -> dict[str, float]:
    """Accuracies of linear probes; of motions, whose classes have ten series each, by one label a class, too."""
    from replearn.evaluate import few_label_curve, linear_probe

    if len(train) > ONE_EACH:
        return {"all labels": linear_probe(own, train.labels, other, test.labels).accuracy}
    curve = few_label_curve(
        own, train.labels, other, test.labels, fractions=(1.0,), per_class=(1,), draws=DRAWS
    )
    found = dict(zip(curve["setting"], curve["mean"], strict=True))
    return {"one a class": found["1 per class"], "all labels": found["100 %"]}


def markdown(found: list[dict[str, Any]]) -> str:
    """A table for each of the data."""
    about = "Accuracy of a linear probe in percent; mean and deviation over seeds, of the mean over folds."
    columns = ("one a class", "all labels")
    return by_fold.page(__file__, "Series and sounds", about, found, columns, told_folds)


def told_folds(data: str, number: int) -> str:
    """What a title says of them."""
    return f", {number} folds" if data != "motions" else ""


if __name__ == "__main__":
    sys.exit(main())
