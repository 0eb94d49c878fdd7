"""Balanced sub-samples: even over clusters, whole clusters within clusters, as many as were asked for."""

from itertools import pairwise

import numpy as np
import pytest

from replearn.evaluate import balanced, hierarchical_kmeans

DRAW = np.random.default_rng(0)
SIZES = (600, 150, 40, 10)
CENTRES = 20 * np.eye(4, 6)
ROWS = np.concatenate([c + DRAW.normal(size=(n, 6)) for c, n in zip(CENTRES, SIZES, strict=True)]).astype(
    "f4"
)
BLOBS = np.repeat(np.arange(4), SIZES)


def test_clusters_of_a_level_are_made_of_whole_clusters_of_the_one_below():
    found = hierarchical_kmeans(ROWS, levels=[80, 12, 4])
    assert found.shape == (3, len(ROWS))
    for fine, coarse in pairwise(found):
        assert all(len(np.unique(coarse[fine == i])) == 1 for i in np.unique(fine))


def test_a_rare_concept_is_not_drowned():
    chosen = balanced(hierarchical_kmeans(ROWS), 100)
    assert len(chosen) == len(np.unique(chosen)) == 100
    by_chance = np.bincount(BLOBS, minlength=4)[3] / len(ROWS)
    share = np.bincount(BLOBS[chosen], minlength=4) / 100
    assert by_chance < 0.02
    assert share[3] >= 0.05
    assert share[0] < 0.65 < np.bincount(BLOBS)[0] / len(ROWS)


@pytest.mark.parametrize("n", [1, 7, 399, 800, 5000])
def test_as_many_as_were_asked_for(n):
    assert len(balanced(hierarchical_kmeans(ROWS, levels=[50, 5]), n)) == min(n, len(ROWS))


def test_shares_are_even_up_to_what_there_is():
    clusters = np.array([np.repeat([0, 1, 2], [2, 50, 50])])
    counts = np.bincount(clusters[0][balanced(clusters, 22)])
    assert counts.tolist() == [2, 10, 10]


@pytest.mark.parametrize("levels", [[5, 5], [5, 9], [10**6], []])
def test_levels_must_fall(levels):
    with pytest.raises(ValueError, match="levels must be numbers of clusters that fall"):
        hierarchical_kmeans(ROWS, levels=levels)
