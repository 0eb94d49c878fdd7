"""Relatedness against scipy's correlations, retrieval against sorting one query after the other."""

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

from replearn.evaluate import pairs
from replearn.evaluate.pairs import correlations, relatedness, retrieval

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(60, 5)), RNG.normal(size=(60, 5))
SCORES = RNG.integers(1, 6, 60)


def test_relatedness_equals_scipy():
    cosines = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in zip(A, B, strict=True)]
    found = relatedness(A, B, SCORES)
    assert found["spearman"] == pytest.approx(spearmanr(cosines, SCORES).statistic)
    assert found["pearson"] == pytest.approx(pearsonr(cosines, SCORES).statistic)
    assert relatedness(10 * A, B / 7, SCORES) == pytest.approx(found)
    assert relatedness(A, -B, SCORES)["spearman"] == pytest.approx(-found["spearman"])


def test_vectors_that_are_all_alike_tell_nothing():
    assert relatedness(np.ones((60, 3)), np.ones((60, 3)), SCORES) == {"spearman": 0.0, "pearson": 0.0}
    assert relatedness(np.zeros((60, 3)), B[:, :3], SCORES)["pearson"] == 0.0


@pytest.mark.parametrize("chunk", [64, 2**22])
def test_retrieval_equals_sorting(chunk, monkeypatch):
    monkeypatch.setattr(pairs, "CHUNK", chunk)
    noisy = A + 0.7 * RNG.normal(size=A.shape)
    ranks = []
    for i, query in enumerate(A):
        cosines = noisy @ query / np.linalg.norm(noisy, axis=1)
        ranks.append(1 + np.argsort(-cosines).tolist().index(i))
    found = retrieval(A, noisy)
    assert found["mrr"] == pytest.approx(np.mean([1 / rank for rank in ranks]))
    for k in (1, 5, 10):
        assert found[f"recall@{k}"] == pytest.approx(np.mean([rank <= k for rank in ranks]))
    order = RNG.permutation(60)
    assert retrieval(A, noisy[order], wanted=np.argsort(order)) == pytest.approx(found)


def test_what_is_alike_is_found_no_better_than_by_chance():
    found = retrieval(np.ones((50, 3)), np.ones((50, 3)))
    assert found["recall@1"] == found["recall@10"] == 0.0
    assert found["mrr"] == pytest.approx(1 / 25.5)
    assert retrieval(A, A) == pytest.approx({"recall@1": 1, "recall@5": 1, "recall@10": 1, "mrr": 1})


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: relatedness(A, B[:, :4], SCORES), "two tables of one shape"),
        (lambda: relatedness(A, B, SCORES[:-1]), "one for each of at least 2 pairs"),
        (lambda: relatedness(A, B, np.ones(60)), "not all alike"),
        (lambda: correlations(np.array([1.0, np.nan]), np.array([1, 2])), "must be finite"),
        (lambda: retrieval(A, B[:50]), "wanted must be a position below 50"),
        (lambda: retrieval(A, B[:, :4]), "must have the same columns"),
    ],
)
def test_what_is_refused(call, told):
    with pytest.raises(ValueError, match=told):
        call()


def test_equal_documents_are_all_right():
    """Of three equal captions any one is the answer; each query is found by sorting the others."""
    documents = np.concatenate([B[:20], B[:20], B[20:40]])
    same = np.concatenate([np.arange(20), np.arange(20), np.arange(20, 40)])
    found = retrieval(B[:20], documents, same=same)
    assert found["recall@1"] == 1
    strict = retrieval(B[:20], documents)
    assert strict["mrr"] == pytest.approx(
        1 / 1.5
    )  # of two that are equally like, half count as ranked before
    noisy = B[:20] + np.random.default_rng(2).normal(size=(20, B.shape[1]))
    ranks = []
    for number, query in enumerate(noisy):
        cosines = documents @ query / np.linalg.norm(documents, axis=1)
        right = same == number
        ranks.append(1 + (cosines[~right] > cosines[right].max()).sum())
    assert retrieval(noisy, documents, same=same)["mrr"] == pytest.approx(np.mean(1 / np.array(ranks)))
    with pytest.raises(ValueError, match="same must be a number for each of 60 documents"):
        retrieval(B[:20], documents, same=np.arange(3))
