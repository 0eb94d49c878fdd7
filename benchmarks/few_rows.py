"""What learns from few labels and many samples without, by the same strong view and in about the same CPU time.

    python benchmarks/few_rows.py                                      rows of numbers: digits8x8, 40 labels, 5 seconds
    python benchmarks/few_rows.py --data digits --seconds 60 vat s4l   images: digits, 80 labels, some methods

All see a sample by one strong view (a fifth of a row's numbers are another row's; drawings as they are distorted by
default, without a piece), and some by a weak one, too; S4L has its own. Labels are as many of each class, drawn by
the seed. Epochs are as many as take about `--seconds` by the pace of a dozen steps, whole ones; the last step is judged
on the test part. It prints a line per method and seed.
"""

import argparse
import time
from typing import Any

import numpy as np
import torch

import replearn
from replearn.data import Samples
from replearn.methods import find_method
from replearn.views import MultiCrop, Pair, Same, Split, Swap
from replearn.views.defaults import default_views

NAMES = ("supervised", "pseudolabel", "vat", "meanteacher", "s4l", "fixmatch")
OWN: dict[str, dict[str, Any]] = {
    "supervised": {"batch_size": 64, "learning_rate": 3e-3},  # as the others have them
    "s4l": {"batch_size": 32, "turned": False},
}
OF_DATA = {("digits", "fixmatch"): {"mu": 3}}
LABELS = {"digits8x8": 40, "digits": 80}
ENCODERS = {"digits8x8": "mlp", "digits": "resnet_tiny"}


def main() -> None:
    """Measure and print."""
    asked = parse()
    torch.set_num_threads(1)
    train, test = (replearn.load_data(asked.data, split=part) for part in ("train", "test"))
    if asked.data == "digits8x8":
        train, test = (replearn.as_samples(part.flat(), part.labels) for part in (train, test))
    views = Pair(Same(), Swap(0.2)) if asked.data == "digits8x8" else default_views(train, "weak_strong")
    for name in asked.methods or NAMES:
        for seed in asked.seeds if asked.data != "digits8x8" or name != "s4l" else ():
            fields = fields_of(name, views) | OF_DATA.get((asked.data, name), {})
            fields |= {"encoder": ENCODERS[asked.data], "random_state": seed}
            some = few_labels(train, LABELS[asked.data], seed)
            method, used = trained(name, fields, some, asked.seconds)
            steps, score = int(method.history_.rows[-1]["step"]), method.score(test)
            print(f"{name:12} seed {seed}  {score:.3f}  {used:.0f} CPU s, {steps} steps", flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("methods", nargs="*", help=f"none: {', '.join(NAMES)}")
    parser.add_argument("--data", choices=LABELS, default="digits8x8")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    return parser.parse_args()


def fields_of(name: str, views: Split) -> dict[str, Any]:
    """The fields by which a method learns here; of a weak and a strong view most take the second alone."""
    assert isinstance(views, Pair)
    strong = views.other or views.view
    seen = {"fixmatch": views, "meanteacher": views, "s4l": None}.get(name, MultiCrop(strong, strong, 0, 1))
    return {"device": "cpu", "views": seen} | OWN.get(name, {})


def few_labels(train: Samples, number: int, seed: int) -> Samples:
    """The samples, of which so many have a label."""
    rng, labels, truth = np.random.default_rng(seed), np.full(len(train), -1), np.asarray(train.labels)
    for one in range(len(train.classes)):
        rows = rng.permutation(np.flatnonzero(truth == one))[: number // len(train.classes)]
        labels[rows] = one
    x = train[np.arange(len(train))].x.numpy()
    return replearn.as_samples(x, labels)


def trained(name: str, fields: dict[str, Any], samples: Samples, seconds: float) -> tuple[Any, float]:
    """A method after about so many seconds, and what they were."""
    make = find_method(name).cls
    size = make(**fields).batch_size
    labels = np.asarray(samples.labels)
    rows = np.concatenate([np.flatnonzero(labels >= 0), np.flatnonzero(labels < 0)])
    small = samples.subset(rows[: max(12 * size, 160)])
    make(**fields, epochs=1).fit(small)  # what is done once
    began = time.process_time()
    make(**fields, epochs=1).fit(small)
    pace = (time.process_time() - began) / (len(small) // size)
    method = make(**fields, epochs=max(1, round(seconds / pace / (len(samples) // size))))
    began = time.process_time()
    method.fit(samples)
    return method, time.process_time() - began


if __name__ == "__main__":
    main()
