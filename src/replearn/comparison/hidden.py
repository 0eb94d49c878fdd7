"""Labels that are hidden from a comparison: methods and probes see the same few, the test part keeps all of its own."""

import copy

import numpy as np
from jaxtyping import Int

from replearn.data import Samples
from replearn.data.labels import UNLABELLED
from replearn.evaluate import draw_labels


def with_few_labels(samples: Samples, labelled: float, *, seed: int) -> Samples:
    """The samples with so many of their labels, of each class its share; those of the others are -1.

    Args:
        samples: of a training part; they stay as they are.
        labelled: how many labels are seen; below 1, which share of them.
        seed: the same number draws the same ones.

    Raises:
        ValueError: there are fewer labels, or it is too few for one of each class.

    >>> from replearn.data import load_data
    >>> few = with_few_labels(load_data("digits8x8", split="train"), 80, seed=0)
    >>> int((few.labels >= 0).sum()), len(few)
    (80, 1438)
    """
    seen = _drawn(samples, labelled, seed)
    few = copy.copy(samples)
    few.labels = np.full_like(samples.labels, UNLABELLED)
    few.labels[seen] = samples.labels[seen]  # type: ignore[index]
    return few


def told(few: Samples, samples: Samples) -> str:
    """How many labels are seen, on one line."""
    assert few.labels is not None
    assert samples.labels is not None
    counts = np.bincount(few.labels[few.labels != UNLABELLED])
    counts = counts[np.unique(samples.labels[samples.labels != UNLABELLED])]
    each = f"{counts.min()}" if counts.min() == counts.max() else f"{counts.min()} to {counts.max()}"
    known = int((samples.labels != UNLABELLED).sum())
    return (
        f"{counts.sum():,} of {known:,} training labels are seen by methods and probes, {each} of each class, drawn by "
        "the seed; the others are hidden"
    )


def _drawn(samples: Samples, labelled: float, seed: int) -> Int[np.ndarray, " n"]:
    known = np.empty(0) if samples.labels is None else samples.labels[samples.labels != UNLABELLED]
    if samples.labels is None or not len(known):
        raise ValueError("labels must be there to be hidden; got none. Leave --labelled (labelled=) out.")
    classes = len(np.unique(known))
    number = round(labelled * len(known)) if labelled < 1 else labelled
    if number != int(number) or not classes <= number <= len(known):
        least = f"{classes} (one of each class)"
        raise ValueError(
            f"--labelled (labelled=) must be a whole number from {least} to {len(known):,}, all labels of the training "
            f"part, or a share of these below 1; got {labelled:g}, which is {number:,g}. Give another."
        )
    return draw_labels(samples.labels, fraction=number / len(known), random_state=seed)
