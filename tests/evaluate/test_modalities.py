"""The space that two modalities share, against slow loops; closed forms."""

import math

import numpy as np
import pytest

from replearn.evaluate import modality_gap, retrieval, shared_space


def rows(n: int, seed: int, mean: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, 5)) + mean


def unit(row: np.ndarray) -> np.ndarray:
    return row / math.sqrt(sum(x * x for x in row))


def slow_gap(a: np.ndarray, b: np.ndarray) -> float:
    """Liang et al. 2022, section 4.1: the difference of the centres of normalised embeddings."""
    centres = []
    for side in (a, b):
        total = np.zeros(side.shape[1])
        for row in side:
            total += unit(row)
        centres.append(total / len(side))
    return math.sqrt(sum((x - y) ** 2 for x, y in zip(*centres, strict=True)))


def slow_alignment(a: np.ndarray, b: np.ndarray) -> float:
    """Wang & Isola 2020, equation 1."""
    return sum(sum((unit(x) - unit(y)) ** 2) for x, y in zip(a, b, strict=True)) / len(a)


def slow_uniformity(z: np.ndarray) -> float:
    """Wang & Isola 2020, equation 2, over pairs of unlike samples."""
    found = [
        math.exp(-2 * sum((unit(z[i]) - unit(z[j])) ** 2))
        for i in range(len(z))
        for j in range(len(z))
        if i != j
    ]
    return math.log(sum(found) / len(found))


def test_the_gap_is_that_of_the_paper():
    a, b = rows(20, 0, 0.5), rows(13, 1, -0.2)
    assert modality_gap(a, b) == pytest.approx(slow_gap(a, b), abs=1e-12)
    assert modality_gap(a, b) == modality_gap(b, a)
    scaled = a * np.random.default_rng(2).uniform(0.1, 9, (20, 1))
    assert modality_gap(scaled, b) == pytest.approx(modality_gap(a, b), abs=1e-12)
    assert modality_gap(a, a) == 0
    assert modality_gap(np.ones((4, 3)), -np.ones((2, 3))) == pytest.approx(2)


def test_a_space_is_described_by_pairs_and_alone():
    z = {"image": rows(30, 0, 0.3), "text": rows(30, 1, -0.3), "sound": rows(30, 2)}
    found = shared_space(z)
    assert list(found) == ["gap", "alignment", "uniformity"]
    assert (
        list(found["gap"])
        == list(found["alignment"])
        == ["image and text", "image and sound", "text and sound"]
    )
    for name, value in found["gap"].items():
        a, b = (z[one] for one in name.split(" and "))
        assert value == pytest.approx(slow_gap(a, b), abs=1e-9)
        assert found["alignment"][name] == pytest.approx(slow_alignment(a, b), abs=1e-9)
    for name, value in found["uniformity"].items():
        assert value == pytest.approx(slow_uniformity(z[name]), abs=1e-9)


def test_a_gap_keeps_no_partners_apart():
    """What is moved in one direction for all finds its partners as before, and the gap tells of the move."""
    a = np.stack([0.1 * unit(row) for row in rows(40, 0)])
    near, far = (np.concatenate([a, np.full((40, 1), height)], 1) for height in (1.0, -1.0))
    assert modality_gap(near, far) > 1.5
    assert retrieval(near, far)["recall@1"] == 1


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: modality_gap(rows(4, 0), rows(4, 0)[:, :3]), "must have the same columns"),
        (lambda: modality_gap(rows(4, 0), np.full((2, 5), np.nan)), "finite"),
        (lambda: shared_space({"image": rows(4, 0)}), "of two members at least; got 1"),
        (lambda: shared_space({"image": rows(4, 0), "text": rows(3, 0)}), "same samples row by row"),
    ],
)
def test_what_has_no_space_is_told(call, said):
    with pytest.raises(ValueError, match=said):
        call()
