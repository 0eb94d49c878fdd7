"""Neighbour strips: what each representation takes to be most like a few samples."""

from dataclasses import dataclass

import numpy as np

from replearn.comparison import Comparison
from replearn.data.labels import UNLABELLED
from replearn.data.samples import Samples
from replearn.evaluate import nearest

QUERIES, NEIGHBOURS = 8, 8
BANK = 20_000  # training samples among which neighbours are sought


@dataclass(frozen=True, eq=False)
class Strips:
    """For each query its nearest training samples, by each representation.

    Attributes:
        queries: positions in the test samples (q,).
        found: name of the representation and positions in the training samples (q, k), nearest first.
    """

    queries: np.ndarray
    found: list[tuple[str, np.ndarray]]

    @property
    def shown(self) -> np.ndarray:
        """The training samples that stand in any strip, sorted."""
        return np.unique(np.concatenate([index.ravel() for _, index in self.found]))


def neighbour_strips(
    comparison: Comparison, *, queries: int = QUERIES, neighbours: int = NEIGHBOURS, random_state: int = 0
) -> Strips:
    """Nearest training samples (cosine) of some test samples, drawn at random from as many classes as can be.

    Args:
        comparison: samples and representations.
        queries, neighbours: numbers of both.
        random_state: seed of the draw.
    """
    rng = np.random.default_rng(random_state)
    chosen = draw_queries(comparison.test, queries, rng)
    n = len(comparison.train)
    bank = np.sort(rng.permutation(n)[: min(n, BANK)])
    k = min(neighbours, len(bank))
    found = [(row.name, bank[nearest(row.test[chosen], row.train[bank], k=k)[0]]) for row in comparison.rows]
    return Strips(chosen, found)


def draw_queries(samples: Samples, count: int, rng: np.random.Generator) -> np.ndarray:
    """Positions of `count` samples (all, of fewer): one of each class in turn, at random."""
    order = rng.permutation(len(samples))
    if samples.labels is None:
        return order[:count]
    labels = np.asarray(samples.labels)[order]
    turn = np.zeros(len(order), dtype=np.int64)  # which of its class a sample is, in this order
    for label in np.unique(labels):
        own = labels == label
        turn[own] = np.arange(own.sum())
    taken = order[np.argsort(turn, kind="stable")[:count]]
    labels_taken = np.asarray(samples.labels)[taken]
    return np.asarray(taken[np.argsort(labels_taken, kind="stable")])


def is_wrong(samples: Samples, index: int, other: Samples, at: int) -> bool:
    """Whether two samples are known to be of different classes."""
    if samples.labels is None or other.labels is None:
        return False
    mine, its = int(samples.labels[index]), int(other.labels[at])
    return mine != its and UNLABELLED not in (mine, its)


def class_name(samples: Samples, index: int) -> str:
    """The class of a sample as its data names it; empty where it has none."""
    if samples.labels is None or int(samples.labels[index]) == UNLABELLED:
        return ""
    label = int(samples.labels[index])
    return str(samples.classes[label]) if 0 <= label < len(samples.classes) else str(label)


def sample_name(samples: Samples, index: int) -> str:
    """The name of a sample, or its number."""
    return str(samples.names[index]) if samples.names is not None else f"no. {index}"
