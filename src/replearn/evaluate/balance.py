"""Sub-samples that are balanced over what data are about, without labels: hierarchical k-means.

    rows --k-means--> centres --k-means of the centres--> ... --> few clusters of clusters
    n samples: shared evenly among the top clusters, then among theirs, and so on

K-means alone puts most of its centres where most rows are; centres of centres spread evenly over what there is, so
that a rare concept is not drowned by a frequent one.

References: Vo et al., "Automatic data curation for self-supervised learning: a clustering-based approach", TMLR 2024,
    sections 3.2 and 3.3. https://arxiv.org/abs/2405.15613 (Without their resampling between levels.)
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from replearn.evaluate.checks import Array, check_features

LEAST = 4  # rows of a cluster, on average, for which a further level is worth it


def hierarchical_kmeans(
    rows: Array, *, levels: Sequence[int] | None = None, random_state: int = 0
) -> Int[np.ndarray, "l n"]:
    """The cluster of each row on every level, from the finest to the coarsest; coarse ones are made of whole fine ones.

    Args:
        rows: representations (n, d).
        levels: numbers of clusters, falling; None: n / 4, and a tenth of it from level to level, down to 10 or more.
        random_state: seed of k-means.

    Raises:
        ValueError: the numbers do not fall, or are more than rows.
    """
    from sklearn.cluster import KMeans

    rows = check_features(rows)
    sizes = _sizes(len(rows)) if levels is None else list(levels)
    if not sizes or sizes[0] > len(rows) or any(a <= b for a, b in zip(sizes, [*sizes[1:], 0], strict=True)):
        raise ValueError(
            f"levels must be numbers of clusters that fall, from at most the {len(rows)} rows; got {sizes}."
        )
    points, member = rows, np.arange(len(rows))
    found = []
    for size in sizes:
        fitted = KMeans(min(size, len(points)), n_init=1, random_state=random_state).fit(points)
        member = fitted.labels_[member].astype(np.int64)
        points = fitted.cluster_centers_
        found.append(member)
    return np.stack(found)


def balanced(clusters: Int[np.ndarray, "l n"], n: int, *, random_state: int = 0) -> Int[np.ndarray, " m"]:
    """Positions of `n` rows (all, of fewer), in order: evenly from the coarsest clusters, in each evenly from its own.

    A cluster that has fewer than its share gives all it has; the others give more.

    >>> sizes = np.array([[0] * 90 + [1] * 10])
    >>> chosen = balanced(sizes, 16)
    >>> (chosen < 90).sum(), (chosen >= 90).sum()
    (np.int64(8), np.int64(8))
    """
    rng = np.random.default_rng(random_state)
    chosen = _drawn(np.arange(clusters.shape[1]), clusters, len(clusters) - 1, n, rng)
    return np.sort(chosen)


def _drawn(
    rows: Int[np.ndarray, " m"],
    clusters: Int[np.ndarray, "l n"],
    level: int,
    n: int,
    rng: np.random.Generator,
) -> Int[np.ndarray, " _"]:
    """`n` of some rows, evenly from their clusters on this level and below."""
    if n >= len(rows):
        return rows
    if level < 0:
        return np.asarray(rng.permutation(rows)[:n])
    names, own, counts = np.unique(clusters[level, rows], return_inverse=True, return_counts=True)
    shares = shared(counts, n, rng)
    parts = [_drawn(rows[own == i], clusters, level - 1, int(shares[i]), rng) for i in range(len(names))]
    return np.concatenate(parts)


def shared(counts: Int[np.ndarray, " c"], n: int, rng: np.random.Generator) -> Int[np.ndarray, " c"]:
    """How many of `n` each cluster gives: as even as its size allows; what is left over goes by chance.

    >>> shared(np.array([1, 10, 10]), 9, np.random.default_rng(0)).tolist()
    [1, 4, 4]
    """
    given = np.zeros(len(counts), dtype=np.int64)
    while (left := min(n, int(counts.sum())) - int(given.sum())) > 0:
        room = np.flatnonzero(given < counts)
        each = left // len(room)
        if each == 0:
            given[rng.permutation(room)[:left]] += 1
        else:
            given[room] = np.minimum(counts[room], given[room] + each)
    return given


def _sizes(n: int) -> list[int]:
    sizes = [max(1, n // LEAST)]
    while sizes[-1] // 10 >= 10:
        sizes.append(sizes[-1] // 10)
    return sizes
