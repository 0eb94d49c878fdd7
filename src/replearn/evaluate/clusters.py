"""Do classes fall into clusters of their own? k-means against the labels, and silhouettes of the classes."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score, silhouette_score
from sklearn.metrics.cluster import contingency_matrix

from replearn.evaluate.checks import Array, check_labelled, check_labels

SILHOUETTES = 2000  # rows at most: every distance between two of them is held


@dataclass(frozen=True)
class ClusterScore:
    """How well clusters agree with classes; 1 is perfect for all three.

    Attributes:
        nmi: mutual information over the arithmetic mean of both entropies, 0 to 1.
        ari: share of pairs on which both agree, corrected for chance: 0 is chance.
        accuracy: share of samples in the cluster that the best one-to-one matching gives their class.
    """

    nmi: float
    ari: float
    accuracy: float


def cluster_scores(
    features: Array, labels: Array, *, clusters: int | None = None, restarts: int = 10, random_state: int = 0
) -> ClusterScore:
    """Cluster the rows by k-means, and compare the clusters with the classes.

    Args:
        features: rows (n, d); rows labelled -1 are dropped.
        labels: classes (n,).
        clusters: k; the number of classes when None.
        restarts: of k-means, from which the one of least squared error is kept. Labels play no part in that.
        random_state: seed of k-means.

    Raises:
        ValueError: for bad features or labels, or more clusters than rows.

    >>> rows = np.array([[0.0, 0.0], [0.1, 0.0], [9.0, 9.0], [9.1, 9.0]])
    >>> cluster_scores(rows, np.array([1, 1, 0, 0]))
    ClusterScore(nmi=1.0, ari=1.0, accuracy=1.0)
    """
    features, labels = check_labelled(features, labels, "features")
    count = len(np.unique(labels)) if clusters is None else clusters
    if not 1 <= count <= len(features):
        raise ValueError(
            f"clusters must lie between 1 and the {len(features)} labelled rows; got {count}. Ask for fewer."
        )
    count = min(count, len(np.unique(features, axis=0)))  # constant features: k-means warns of empty clusters
    found = KMeans(count, n_init=restarts, random_state=random_state).fit_predict(features)
    return compare_clusters(labels, found)


def compare_clusters(labels: Array, clusters: Array) -> ClusterScore:
    """Compare cluster numbers (n,) with classes (n,); neither's numbering matters.

    >>> compare_clusters(np.array([0, 0, 1, 1]), np.array([7, 7, 3, 3])).accuracy
    1.0
    """
    clusters = check_labels(clusters, len(labels), "clusters")
    table = contingency_matrix(labels, clusters)  # (c, k)
    matched = table[linear_sum_assignment(table, maximize=True)].sum()
    return ClusterScore(
        nmi=float(normalized_mutual_info_score(labels, clusters)),
        ari=float(adjusted_rand_score(labels, clusters)),
        accuracy=float(matched / len(labels)),
    )


def class_silhouette(
    features: Array, labels: Array, *, samples: int = SILHOUETTES, random_state: int = 0
) -> float:
    r"""How much nearer samples are to their own class than to the next one, -1 to 1; no clustering is run.

    $$\frac1n \sum_i \frac{b_i - a_i}{\max(a_i, b_i)}$$

    with $a_i$ the mean Euclidean distance of sample $i$ to the others of its class, and $b_i$ the least mean
    distance to another class. 0 for a class of one sample, and where classes lie upon each other.

    Args:
        features: rows (n, d); rows labelled -1 are dropped.
        labels: classes (n,).
        samples: at most so many rows, drawn at random, take part.
        random_state: seed of that draw.

    Returns:
        The mean; NaN where there are fewer than 2 classes, or every row is a class of its own.

    Reference: Rousseeuw, J. Comput. Appl. Math. 1987. https://doi.org/10.1016/0377-0427(87)90125-7

    >>> rows = np.array([[0.0], [0.0], [1.0], [1.0]])
    >>> class_silhouette(rows, np.array([0, 0, 1, 1]))
    1.0
    """
    features, labels = check_labelled(features, labels, "features")
    if len(features) > samples:
        chosen = np.random.default_rng(random_state).choice(len(features), samples, replace=False)
        features, labels = features[chosen], labels[chosen]
    if not 1 < len(np.unique(labels)) < len(labels):
        return math.nan
    return float(silhouette_score(features.astype(np.float64), labels))
