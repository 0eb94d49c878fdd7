"""Parts of training rows that are held out in turn."""

import numpy as np
from jaxtyping import Int

from replearn.evaluate.checks import Array


def stratified_folds(
    labels: Int[np.ndarray, " n"], folds: int, random_state: int, groups: Array | None = None
) -> Int[np.ndarray, " n"]:
    """Deal the rows of each class out to folds 0, 1, …; a class of one row gets -1: it is never held out.

    A group is dealt as a whole, with the class of its first row. A class all of whose rows would be held out at once
    gets -1, too.
    """
    rng = np.random.default_rng(random_state)
    rows = len(labels)
    first, unit = np.arange(rows), np.arange(rows)
    if groups is not None:
        _, first, unit = np.unique(groups, return_index=True, return_inverse=True)
    if len(first) == rows:
        first, unit = np.arange(rows), np.arange(rows)
    classes = labels[first]  # of units
    order = rng.permutation(len(first))
    order = order[np.argsort(classes[order], kind="stable")]  # by class, shuffled within
    fold = np.empty(len(first), dtype=np.int64)
    fold[order] = np.arange(len(first)) % folds
    dealt = fold[unit]
    least, most = np.full(labels.max() + 1, folds), np.full(labels.max() + 1, -1)
    np.minimum.at(least, labels, dealt)
    np.maximum.at(most, labels, dealt)
    fold[unit[(least == most)[labels]]] = -1
    return np.asarray(fold[unit])
