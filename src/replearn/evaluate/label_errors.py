r"""Which labels are likely wrong? Confident learning, from probabilities that were predicted out of fold.

    threshold  t_j = mean of p(j | x) over the samples that are labelled j
    guess      of a sample: the likeliest of the classes j with p(j | x) >= t_j, if there is one
    joint      C_ij: samples labelled i whose guess is j; Q_ij = C_ij / sum_j C_ij * samples labelled i
    wrong      of the samples labelled i the Q_ij with the largest p(j | x) - p(i | x), for each other class j

A class of which the probe is unsure has a low threshold, so that its samples are not suspected for being hard. A
sample whose label is its likeliest class stays.

References: Northcutt, Jiang & Chuang, "Confident learning: estimating uncertainty in dataset labels", JAIR 2021,
    section 3.1, equations 1 to 3, and method 4 of section 3.2 (prune by noise rate). https://arxiv.org/abs/1911.00068
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
    margins, best = np.full(len(p), -np.inf), np.zeros(len(p), dtype=np.int64)
    expected = _expected(joint, np.bincount(own, minlength=classes))
    for i, j in zip(*np.nonzero(expected), strict=True):
        rows = np.flatnonzero((own == i) & (p.argmax(1) != i))
        margin = p[rows, j] - p[rows, i]
        first = np.argsort(-margin, kind="stable")[: expected[i, j]]
        rows, margin = rows[first], margin[first]
        more = margin > margins[rows]
        margins[rows[more]], best[rows[more]] = margin[more], j
    off = np.flatnonzero(np.isfinite(margins))
    order = off[np.argsort(-margins[off], kind="stable")]
    return LabelErrors(np.flatnonzero(known)[order], best[order], margins[order], joint, int(known.sum()))


def _expected(joint: Int[np.ndarray, "c c"], counts: Int[np.ndarray, " c"]) -> Int[np.ndarray, "c c"]:
    """How many samples of each label are of each other class: the joint, scaled to all samples of a label."""
    told = joint.sum(1, keepdims=True)
    scaled = joint * counts[:, None] / np.maximum(told, 1)
    np.fill_diagonal(scaled, 0)
    return np.asarray(np.rint(scaled), dtype=np.int64)


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
