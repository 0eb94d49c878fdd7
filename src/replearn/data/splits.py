"""Train and test parts of samples."""

import numpy as np
from jaxtyping import Int

from replearn.data.samples import Samples


def split(
    samples: Samples, *, test: float = 0.2, stratify: bool = True, random_state: int = 0
) -> tuple[Samples, Samples]:
    """Split samples at random into a training and a test part; nothing is copied.

    To keep groups (patients, speakers) on one side, take positions from `replearn.evaluate.group_split` and
    `samples.subset(positions)`.

    Args:
        samples: what to split.
        test: share of the test part, between 0 and 1.
        stratify: take that share of each class, unlabelled samples counting as one class. Without labels it
            does nothing.
        random_state: the same number gives the same parts.

    Raises:
        ValueError: `test` out of range, or too few samples for two parts.

    >>> from replearn.data import load_data
    >>> [len(part) for part in split(load_data("digits8x8"), test=0.5)]
    [899, 898]
    """
    if not 0 < test < 1:
        raise ValueError(f"test must lie between 0 and 1; got {test}. 0.2 takes a fifth of the samples.")
    labels = np.zeros(len(samples), np.int64) if samples.labels is None or not stratify else samples.labels
    positions = stratified_test(labels, test=test, random_state=random_state)
    if not 0 < len(positions) < len(samples):
        raise ValueError(
            f"both parts must hold a sample; {len(samples)} samples with test={test} leave one empty. Set "
            f"stratify=False, "
            "or pass more samples."
        )
    return samples.subset(np.setdiff1d(np.arange(len(samples)), positions)), samples.subset(positions)


def stratified_test(
    labels: Int[np.ndarray, " n"], *, test: float, random_state: int
) -> Int[np.ndarray, " m"]:
    """Positions of a test part that takes the share `test` of each class (rounded), in rising order."""
    draw = np.random.default_rng(random_state)
    parts = [draw.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    return np.sort(np.concatenate([part[: round(len(part) * test)] for part in parts]))
