"""What each stage of the bag of visual words is worth: pixels, edges, histograms of directions, words.

    python benchmarks/visual_words.py                             digits
    python benchmarks/visual_words.py --data cifar10 --samples 5000

Each stage is judged alike, by kNN and by a linear probe. Prints a table in Markdown.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pictures
import torch

from replearn import as_samples, load_data
from replearn.data import Samples, as_float
from replearn.encoders.gradients import edges
from replearn.encoders.histograms import OrientedBlocks
from replearn.evaluate import scorecard
from replearn.methods.classical import BagOfVisualWords

ROWS = 512


def stages(
    train: Samples, test: Samples, *, seed: int = 0
) -> Iterator[tuple[str, np.ndarray, np.ndarray, float]]:
    """Name of a stage, what it makes of both parts, and seconds, from the pixels to the words."""
    cell = 4 if min(train.shape[1:]) < 48 else 8
    blocks = OrientedBlocks(cell, 9)
    for name, look in {
        "pixels": lambda batch: as_float(batch.x),
        "edges": lambda batch: edges(as_float(batch.x)),
        # A block per cell, without overlap of cells: the histograms as a classifier of 2005 would read them.
        "HOG": lambda batch: blocks(batch)[:, :, ::2, ::2],
    }.items():
        began = time.monotonic()
        yield name, *(_rows(look, part) for part in (train, test)), time.monotonic() - began
    for name, parts in {"words": 1, "words in quarters": 2}.items():
        began = time.monotonic()
        method = BagOfVisualWords(parts=parts, random_state=seed).fit(train)
        yield name, method.transform(train), method.transform(test), time.monotonic() - began


def _rows(look: Any, samples: Samples) -> np.ndarray:
    with torch.inference_mode():
        parts = [
            look(samples[np.arange(start, min(start + ROWS, len(samples)))]).flatten(1).numpy()
            for start in range(0, len(samples), ROWS)
        ]
    return np.concatenate(parts)


def load(asked: argparse.Namespace) -> tuple[Samples, Samples]:
    """The training and the test part, with as many samples as asked."""
    if asked.data == "digits":
        train, test = load_data("digits", split="train"), load_data("digits", split="test")
    else:
        train, test = as_samples(asked.cifar10 / "train"), as_samples(asked.cifar10 / "test")
    rng = np.random.default_rng(0)
    found = (part.subset(np.sort(rng.permutation(len(part))[: asked.samples])) for part in (train, test))
    return next(found), next(found)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", choices=("digits", "cifar10"), default="digits")
    parser.add_argument("--samples", type=int, default=10_000, help="at most, of each part")
    parser.add_argument("--draws", type=int, default=3, help="of labels, for each of their numbers")
    parser.add_argument("--cifar10", type=Path, default=pictures.CIFAR10, help="zip of CIFAR-10's images")
    asked = parser.parse_args()
    train, test = load(asked)
    print(
        "| stage | numbers | kNN | 1 % | 10 % | 100 % | seconds |\n| --- | --: | --: | --: | --: | --: | --: |"
    )
    for name, a, b, seconds in stages(train, test):
        scores = scorecard(a, train.labels, b, test.labels, draws=asked.draws)
        knn = scores.loc[scores["measure"] == "kNN", "mean"].iloc[0]
        probes = scores.loc[scores["measure"] == "linear probe", "mean"]
        cells = [f"{100 * value:.1f}" for value in (knn, *probes)]
        print(f"| {name} | {a.shape[1]} | {' | '.join(cells)} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()
