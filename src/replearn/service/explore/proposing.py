"""Which samples to label next: those that a probe is least sure of, spread over all; first of all, the farthest apart.

few labels     the sample farthest from all that are labelled or proposed, again and again (k-center greedy)
more           k-means of what is unlabelled -> nearest to each centre -> of these, the least margins of a linear probe

References: Sener & Savarese, ICLR 2018, algorithm 1 (k-center greedy). https://arxiv.org/abs/1708.00489
Settles 2009, Active Learning Literature Survey, 3.1 (margin) and 3.6 (not what is like all others).
https://minds.wisconsin.edu/handle/1793/60660
"""

import numpy as np
from jaxtyping import Float, Int

from replearn.data.labels import UNLABELLED
from replearn.evaluate.checks import unit_columns

FEWEST = 3  # labelled samples of each class on average from which a probe is asked
CLUSTERS = 8  # for each sample that is proposed
LOOKED = 20_000  # unlabelled samples that are clustered


def propose(
    rows: Float[np.ndarray, "n d"], labels: Int[np.ndarray, " n"], count: int, *, random_state: int = 0
) -> tuple[Int[np.ndarray, " m"], str]:
    """Positions of unlabelled samples to label next, and in a sentence how they were chosen.

    Args:
        rows: representations.
        labels: class of each sample, -1 where there is none.
        count: how many, at most.
        random_state: seed.

    >>> rows = np.array([[0.0], [0.1], [5.0], [5.1]])
    >>> propose(rows, np.array([0, -1, -1, -1]), 1)[0]
    array([3])
    """
    unlabelled = np.flatnonzero(labels == UNLABELLED)
    known = np.flatnonzero(labels != UNLABELLED)
    classes = len(np.unique(labels[known]))
    count = min(count, len(unlabelled))
    if not count:
        return np.empty(0, np.int64), "Every sample has a label."
    scaled = unit_columns(rows)
    if classes < 2 or len(known) < FEWEST * classes:
        found = farthest_first(scaled, known, count)
        return found, (
            f"Farthest from what is labelled, one after the other (core-set): {len(known):,} labels of {classes} "
            f"class{'es' * (classes != 1)} are too few for a probe, which needs {FEWEST} of each of 2."
        )
    some = np.sort(np.random.default_rng(random_state).permutation(unlabelled)[:LOOKED])
    chosen = representatives(scaled, some, CLUSTERS * count, random_state=random_state)
    margin = margins(scaled[known], labels[known], scaled[chosen])
    found = chosen[np.argsort(margin, kind="stable")[:count]]
    return found, (
        f"Least margins of a linear probe on {len(known):,} labels, among the middles of {len(chosen):,} clusters of "
        f"{len(some):,} unlabelled samples."
    )


def farthest_first(
    rows: Float[np.ndarray, "n d"], known: Int[np.ndarray, " m"], count: int
) -> Int[np.ndarray, " k"]:
    """Positions, each the farthest from the known ones and those before it; with none known, first that of the middle.

    >>> farthest_first(np.array([[0.0], [1.0], [9.0]]), np.array([], dtype=int), 2)
    array([1, 2])
    """
    found: list[int] = []
    if not len(known):
        found.append(int(np.square(rows - rows.mean(0)).sum(1).argmin()))
    least = np.full(len(rows), np.inf)
    for one in [*known.tolist(), *found]:
        least = np.minimum(least, np.square(rows - rows[one]).sum(1))
    least[known] = -1.0  # never again
    for one in found:
        least[one] = -1.0
    while len(found) < count:
        one = int(least.argmax())
        found.append(one)
        least = np.minimum(least, np.square(rows - rows[one]).sum(1))
        least[one] = -1.0
    return np.array(found)


def representatives(
    rows: Float[np.ndarray, "n d"], among: Int[np.ndarray, " m"], clusters: int, *, random_state: int
) -> Int[np.ndarray, " k"]:
    """Of some rows, the one nearest to each centre of k-means."""
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.metrics import pairwise_distances_argmin

    clusters = min(clusters, len(among))
    if clusters == len(among):
        return among
    fitted = MiniBatchKMeans(clusters, n_init=1, random_state=random_state).fit(rows[among])
    found: np.ndarray = np.unique(among[pairwise_distances_argmin(fitted.cluster_centers_, rows[among])])
    return found


def margins(
    known: Float[np.ndarray, "m d"], labels: Int[np.ndarray, " m"], asked: Float[np.ndarray, "q d"]
) -> Float[np.ndarray, " q"]:
    """Probability of the likeliest class less that of the next one, by a linear probe."""
    from sklearn.linear_model import LogisticRegression

    probe = LogisticRegression(C=1.0, max_iter=300).fit(known, labels)
    two = np.sort(probe.predict_proba(asked), axis=1)[:, -2:]
    return np.asarray(two[:, 1] - two[:, 0])
