"""What judges representations of training samples: a probe by labels of others, or measures that need no labels."""

import logging
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from replearn.comparison.copies import together_in_training
from replearn.comparison.rows import Representation, of_two_views
from replearn.comparison.trials import PROBE
from replearn.data import Samples
from replearn.evaluate import choose, scorecard
from replearn.evaluate.choosing import JOINT, RANKME
from replearn.evaluate.label_errors import out_of_fold

log = logging.getLogger("replearn")

MOST = 5000  # samples that are judged by


class Judge:
    """What says how good a representation of the training samples is.

    Attributes:
        index: of the samples that are judged by.
        labelled: whether they are by labels.
    """

    def __init__(self, train: Samples, seed: int) -> None:
        self.train, self.seed = train, seed
        labels = np.full(len(train), -1) if train.labels is None else np.asarray(train.labels)
        known = np.flatnonzero(labels >= 0)
        self.labelled = len(np.unique(labels[known])) > 1
        among = known if self.labelled else np.arange(len(train))
        self.index = np.sort(np.random.default_rng(seed).permutation(among)[:MOST])
        if len(self.index) < len(among):
            log.info("judged by %s of %s samples, drawn", f"{MOST:,}", f"{len(among):,}")
        groups = together_in_training(train) if self.labelled else None
        self._groups = None if groups is None else groups[self.index]
        self._right: dict[str, Bool[np.ndarray, " n"]] = {}

    def rows(self, row: Representation) -> dict[str, float]:
        """The measures of a representation of all training samples."""
        return self._of(row.name, row.train[self.index], row.method)

    def method(self, name: str, method: Any) -> dict[str, float]:
        """The measures of a fitted method."""
        return self._of(name, method.transform(self.train.subset(self.index)), method)

    def lead(self, one: str, other: str) -> tuple[float, float]:
        """By how much a representation is ahead of another, and half of the 95 % interval of that."""
        return lead(self._right[one], self._right[other])

    def _of(self, name: str, h: Float[np.ndarray, "n d"], method: Any) -> dict[str, float]:
        if not self.labelled:
            views = of_two_views(method, self.train, self.seed)
            table = choose(scorecard(h, None, None, None, views=views).assign(representation=name))
            return {measure: float(table[measure].iloc[0]) for measure in (RANKME, JOINT) if measure in table}
        labels = np.asarray(self.train.labels)[self.index]
        p = out_of_fold(h, labels, groups=self._groups, random_state=self.seed)  # (n, c)
        told = np.isfinite(p).all(1)  # else nobody could tell it
        self._right[name] = told & (np.where(told[:, None], p, 0.0).argmax(1) == labels)
        return {PROBE: float(self._right[name].mean())}


def lead(one: Bool[np.ndarray, " n"], other: Bool[np.ndarray, " n"]) -> tuple[float, float]:
    """By how much more of the same samples one is right than another, and half of its 95 % interval.

    >>> lead(np.array([True] * 90 + [False] * 10), np.array([True] * 80 + [False] * 20))
    (0.1, 0.0588)
    """
    difference = one.astype(float) - other
    half = 1.96 * float(difference.std()) / len(difference) ** 0.5
    return round(float(difference.mean()), 4), round(half, 4)
