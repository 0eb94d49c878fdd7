"""Labelled samples told by a probe that has not seen them: each is held out once."""

import numpy as np
from jaxtyping import Bool, Float, Int

from replearn.evaluate.folds import stratified_folds
from replearn.evaluate.linear import LinearProbe

FOLDS = 5


def told_right(
    rows: Float[np.ndarray, "n d"],
    labels: Int[np.ndarray, " n"],
    *,
    groups: Int[np.ndarray, " n"] | None = None,
    folds: int = FOLDS,
    random_state: int = 0,
) -> Bool[np.ndarray, " n"]:
    """Whether a linear probe that was fitted on the other folds tells a sample's class.

    A sample whose class is in no other fold counts as told wrong: nobody could have told it.

    Args:
        rows: features.
        labels: classes, 0 and above.
        groups: of each row; a group is held out as a whole.
        folds: parts that are held out in turn.
        random_state: seed of the parts, and of how each probe chooses its regularisation.

    >>> rows = np.random.default_rng(0).normal(size=(60, 3))
    >>> right = told_right(rows, (rows[:, 0] > 0).astype(int))
    >>> right.shape, right.mean() > 0.9
    ((60,), np.True_)
    """
    fold = stratified_folds(labels, folds, random_state, groups)
    right = np.zeros(len(labels), dtype=bool)
    for number in np.unique(fold[fold >= 0]):
        held = fold == number
        if len(np.unique(labels[~held])) < 2:
            continue
        probe = LinearProbe(random_state=random_state)
        probe.fit(rows[~held], labels[~held], None if groups is None else groups[~held])
        right[held] = probe.predict(rows[held]) == labels[held]
    return right


def lead(one: Bool[np.ndarray, " n"], other: Bool[np.ndarray, " n"]) -> tuple[float, float]:
    """By how much more of the same samples one is right than another, and half of its 95 % interval (McNemar's pairs).

    >>> lead(np.array([True] * 60 + [False] * 40), np.array([True] * 50 + [False] * 50))[0].round(3)
    np.float64(0.1)
    """
    difference = one.astype(float) - other
    return difference.mean(), 1.96 * float(difference.std()) / np.sqrt(len(difference))
