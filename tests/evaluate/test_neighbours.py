"""kNN against brute force, and in slices as at once."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics.pairwise import cosine_similarity, euclidean_distances
from sklearn.neighbors import KNeighborsClassifier

from replearn.evaluate import knn_probe, nearest, neighbours

RNG = np.random.default_rng(0)
BANK, QUERIES = RNG.normal(size=(300, 7)), RNG.normal(size=(40, 7))
DIGITS, CLASSES = load_digits(return_X_y=True)


@pytest.mark.parametrize("chunk", [64, 2**22])
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_nearest_equals_brute_force(metric, chunk, monkeypatch):
    monkeypatch.setattr(neighbours, "CHUNK", chunk)
    table = cosine_similarity(QUERIES, BANK) if metric == "cosine" else -euclidean_distances(QUERIES, BANK)
    index, similarity = nearest(QUERIES, BANK, k=9, metric=metric)
    np.testing.assert_array_equal(index, np.argsort(-table, axis=1)[:, :9])
    np.testing.assert_allclose(similarity, -np.sort(-table, axis=1)[:, :9], atol=1e-6)


def test_nearest_finds_itself_first():
    index, similarity = nearest(BANK, BANK, k=1)
    np.testing.assert_array_equal(index[:, 0], np.arange(300))
    np.testing.assert_allclose(similarity, 1)


def test_slices_hold_no_more_than_the_limit(monkeypatch):
    monkeypatch.setattr(neighbours, "CHUNK", 1000)
    seen = []
    inner = neighbours._nearest_slice

    def watch(queries, keys, k, metric):
        seen.append(len(queries))
        return inner(queries, keys, k, metric)

    monkeypatch.setattr(neighbours, "_nearest_slice", watch)
    nearest(QUERIES, BANK, k=3)
    assert max(seen) * len(BANK) <= 1000
    assert sum(seen) == len(QUERIES)


def test_majority_vote_equals_scikit_learn():
    unit = DIGITS / np.linalg.norm(DIGITS, axis=1, keepdims=True)
    votes = (
        KNeighborsClassifier(7, algorithm="brute").fit(unit[:900], CLASSES[:900]).predict_proba(unit[900:])
    )
    best = votes == votes.max(axis=1, keepdims=True)
    theirs = (best[np.arange(len(best)), CLASSES[900:]] / best.sum(axis=1)).mean()
    ours = knn_probe(DIGITS[:900], CLASSES[:900], DIGITS[900:], CLASSES[900:], neighbours=7, temperature=None)
    assert ours == pytest.approx(theirs, abs=1e-9)


def test_weighted_vote_equals_a_double_loop():
    right = 0
    for query, label in zip(DIGITS[900:1000], CLASSES[900:1000], strict=True):
        similarity = cosine_similarity(query[None], DIGITS[:300])[0]
        tally = dict.fromkeys(range(10), 0.0)
        for place in np.argsort(-similarity)[:50]:
            tally[int(CLASSES[place])] += np.exp(similarity[place] / 0.05)
        right += max(tally, key=tally.__getitem__) == label
    found = knn_probe(
        DIGITS[:300], CLASSES[:300], DIGITS[900:1000], CLASSES[900:1000], neighbours=50, temperature=0.05
    )
    assert found == pytest.approx(right / 100)


def test_a_near_neighbour_outweighs_far_ones():
    train = np.array([[1.0, 0.0], [0.0, 1.0], [-0.1, 1.0]])
    query, labels = np.array([[1.0, 0.01]]), np.array([0, 1, 1])
    assert knn_probe(train, labels, query, np.array([0]), neighbours=3) == 1
    assert knn_probe(train, labels, query, np.array([0]), neighbours=3, temperature=None) == 0


def test_cold_vote_does_not_overflow():
    found = knn_probe(DIGITS[:300], CLASSES[:300], DIGITS[:300], CLASSES[:300], temperature=1e-4)
    assert found == 1


def test_unlabelled_and_unseen():
    labels = CLASSES[:300].copy()
    labels[::2] = -1
    part = knn_probe(DIGITS[1:300:2], CLASSES[1:300:2], DIGITS[300:400], CLASSES[300:400])
    assert knn_probe(DIGITS[:300], labels, DIGITS[300:400], CLASSES[300:400]) == part
    assert knn_probe(DIGITS[:300], CLASSES[:300], DIGITS[300:400], np.full(100, 99)) == 0


def test_bad_input_is_explained():
    with pytest.raises(ValueError, match="metric must be one of cosine, euclidean; got 'cosin'"):
        nearest(QUERIES, BANK, k=1, metric="cosin")
    with pytest.raises(ValueError, match="k must lie between 1 and the 300 rows"):
        nearest(QUERIES, BANK, k=301)
    with pytest.raises(ValueError, match="same columns"):
        nearest(QUERIES, BANK[:, :3], k=1)
    with pytest.raises(ValueError, match="temperature must be positive"):
        knn_probe(DIGITS, CLASSES, DIGITS, CLASSES, temperature=0.0)
    with pytest.raises(ValueError, match="neighbours must be at least 1"):
        knn_probe(DIGITS, CLASSES, DIGITS, CLASSES, neighbours=0)


@pytest.mark.parametrize("temperature", [None, 0.1])
def test_ties_are_shared_whatever_the_numbers_of_classes_and_the_order_of_rows(temperature):
    """Codes of k-means are one-hot: most neighbours are equally far, and votes are often equal."""
    rng = np.random.default_rng(0)
    codes, labels = np.eye(4)[rng.integers(0, 4, 120)], rng.integers(0, 3, 120)
    found = set()
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        for rows in (np.arange(80), np.arange(80)[::-1]):
            named = np.array(order)[labels]
            score = knn_probe(codes[rows], named[rows], codes[80:], named[80:], temperature=temperature)
            found.add(round(score, 9))
    assert len(found) == 1


def test_equal_votes_count_in_part():
    rows, labels = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), np.array([0, 1, 1])
    for named in (labels, 1 - labels):
        assert knn_probe(rows, named, rows[:2], named[:2], neighbours=2) == 0.5
        assert knn_probe(rows, named, rows[:2], named[:2], neighbours=1) == 0.5
    assert knn_probe(rows, labels, rows[:1], np.array([7]), neighbours=2) == 0
