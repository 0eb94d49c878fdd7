r"""Which labels are likely wrong? Confident learning, from probabilities that were predicted out of fold.

    threshold  t_j = mean of p(j | x) over the samples that are labelled j
    guess      of a sample: the likeliest of the classes j with p(j | x) >= t_j, if there is one
    wrong      a sample whose guess is another class than its label: off the diagonal of the confident joint

A class of which the probe is unsure has a low threshold, so that its samples are not suspected for being hard.

References: Northcutt, Jiang & Chuang, "Confident learning: estimating uncertainty in dataset labels", JAIR 2021,
    section 3.1, equations 1 and 2, and method 2 of section 3.2. https://arxiv.org/abs/1911.00068
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from replearn.evaluate.checks import Array, check_features, check_labels
from replearn.evaluate.folds import stratified_folds
from replearn.evaluate.linear import LinearProbe

FOLDS = 5


@dataclass(frozen=True, eq=False)
class LabelErrors:
    """What confident learning says of labels.

    Attributes:
        wrong: positions of samples whose label is likely wrong, (k,), the surest first.
        guess: the class that each of these seems to be, (k,).
        margin: probability of the guess less that of the label, (k,).
        joint: samples by label and guess, (c, c).
        judged: how many samples had probabilities.
    """

    wrong: Int[np.ndarray, " k"]
    guess: Int[np.ndarray, " k"]
    margin: Float[np.ndarray, " k"]
    joint: Int[np.ndarray, "c c"]
    judged: int


def label_errors(labels: Int[np.ndarray, " n"], probabilities: Float[np.ndarray, "n c"]) -> LabelErrors:
    """Labels that are likely wrong.

    Args:
        labels: classes 0 ... c - 1, -1 where unknown.
        probabilities: of each class, predicted by what has not seen the sample's label; rows with NaN are passed over.

    Raises:
        ValueError: a label is not among the classes.

    >>> p = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.05, 0.95]])
    >>> label_errors(np.array([0, 0, 1, 1, 0]), p).wrong.tolist()
    [4]
    """
    classes = probabilities.shape[1]
    if labels.max(initial=-1) >= classes:
        raise ValueError(f"labels must be below the {classes} columns of probabilities; got {labels.max()}.")
    known = (labels >= 0) & np.isfinite(probabilities).all(1)
    own, p = labels[known], probabilities[known]
    thresholds = np.array([p[own == j, j].mean() if (own == j).any() else np.inf for j in range(classes)])
    sure = p >= thresholds  # (n, c)
    guess = np.where(sure, p, -np.inf).argmax(1)
    told = sure.any(1)
    joint = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(joint, (own[told], guess[told]), 1)
    off = np.flatnonzero(told & (guess != own))
    margin = p[off, guess[off]] - p[off, own[off]]
    order = off[np.argsort(-margin, kind="stable")]
    return LabelErrors(
        np.flatnonzero(known)[order], guess[order], np.sort(margin)[::-1], joint, int(known.sum())
    )


def out_of_fold(
    rows: Array, labels: Array, *, groups: Array | None = None, folds: int = FOLDS, random_state: int = 0
) -> Float[np.ndarray, "n c"]:
    """Probabilities of each sample's class by a linear probe that has not seen it, nor others of its group.

    Args:
        rows: representations (n, d).
        labels: classes 0 ... c - 1, -1 where unknown.
        groups: (n,), what is kept together; copies must be, or a wrong label would vouch for itself.
        folds: parts that are held out in turn.
        random_state: seed of the parts.

    Returns:
        `(n, c)`; NaN where a sample was never held out: it is unlabelled, or the only one of its class.
    """
    rows = check_features(rows)
    labels = check_labels(labels, len(rows))
    known = np.flatnonzero(labels >= 0)
    found = np.full((len(rows), int(labels.max(initial=0)) + 1), np.nan)
    own = None if groups is None else np.asarray(groups)[known]
    fold = stratified_folds(labels[known], folds, random_state, own)
    for part in range(folds):
        held, rest = known[fold == part], known[fold != part]
        if not len(held) or len(np.unique(labels[rest])) < 2:
            continue
        probe = LinearProbe(random_state=random_state)
        probe.fit(rows[rest], labels[rest], None if groups is None else np.asarray(groups)[rest])
        found[held] = 0.0
        found[np.ix_(held, probe.classes_.astype(np.int64))] = probe.predict_proba(rows[held])
    return found
