"""Cluster scores do not depend on numbering."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from replearn.evaluate import cluster_scores, compare_clusters

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 5, 300)


def test_perfect_clusters_under_any_numbering():
    score = compare_clusters(LABELS, RNG.permutation(5)[LABELS] + 10)
    assert (score.nmi, score.ari, score.accuracy) == pytest.approx((1, 1, 1))


def test_independent_clusters_score_chance():
    score = compare_clusters(np.tile([0, 1], 100), np.repeat([0, 1], 100))
    assert score.nmi == pytest.approx(0, abs=1e-9)
    assert score.ari == pytest.approx(0, abs=0.02)
    assert score.accuracy == 0.5


def test_matching_is_one_to_one():
    """Two clusters of one class: only one of them may count."""
    assert compare_clusters(
        np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 0, 1, 2, 2])
    ).accuracy == pytest.approx(5 / 6)


def test_k_means_finds_blobs():
    rows, labels = make_blobs(200, centers=4, cluster_std=0.1, random_state=3)
    assert cluster_scores(rows, labels).accuracy == 1
    assert cluster_scores(rows, labels, clusters=2).nmi < 1
    labels[:50] = -1
    assert cluster_scores(rows, labels).ari == pytest.approx(1)


def test_bad_input():
    with pytest.raises(ValueError, match="clusters must lie between 1 and the 3 labelled rows"):
        cluster_scores(np.eye(3), np.array([0, 1, 1]), clusters=4)
    assert cluster_scores(np.ones((4, 2)), np.array([0, 1, 0, 1])).nmi == 0
