"""The table of all measures, and intervals."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import load_digits

from replearn.evaluate import (
    few_label_curve,
    join_seeds,
    knn_probe,
    scorecard,
    student_interval,
    wilson_interval,
)

DIGITS, CLASSES = load_digits(return_X_y=True)
ARGUMENTS = DIGITS[:500], CLASSES[:500], DIGITS[500:800], CLASSES[500:800]
COLUMNS = ["measure", "labels", "mean", "low", "high", "draws"]
WITHOUT_LABELS = ["effective rank", "alpha-ReQ", "uniformity", "sparsity", "dead dimensions"]


def test_scorecard_joins_the_single_measures():
    table = scorecard(
        *ARGUMENTS, fractions=(0.1, 1.0), draws=3, clusters=True, views=(DIGITS[:5], DIGITS[:5])
    )
    assert table.columns.tolist() == COLUMNS
    names = ["linear probe", "linear probe", "kNN", "cluster NMI", "cluster ARI", "cluster accuracy"]
    assert table.measure.tolist() == [*names, *WITHOUT_LABELS, "alignment"]
    assert table.labels.tolist() == [50, 500, 500] + [0] * 9
    assert table.draws.tolist() == [3] + [1] * 11
    assert table["mean"][2] == knn_probe(*ARGUMENTS)
    curve = few_label_curve(*ARGUMENTS, fractions=(0.1, 1.0), draws=3)
    assert table["mean"][:2].tolist() == curve["mean"].tolist()
    assert table.low.notna().tolist() == [True] * 3 + [False] * 9


@pytest.mark.parametrize("labels", [None, np.full(500, -1)])
def test_without_labels_only_geometry(labels):
    table = scorecard(DIGITS[:500], labels, DIGITS[500:800], CLASSES[500:800])
    assert table.measure.tolist() == WITHOUT_LABELS
    assert scorecard(DIGITS[:500], labels, None, None).equals(table)


def test_some_labels():
    labels = CLASSES[:500].copy()
    labels[50:] = -1
    table = scorecard(DIGITS[:500], labels, DIGITS[500:800], CLASSES[500:800], fractions=(1.0,))
    assert table.labels.tolist()[:2] == [50, 50]


def test_scorecard_explains_bad_input():
    with pytest.raises(ValueError, match="same columns; got 64 and 3"):
        scorecard(DIGITS[:500], CLASSES[:500], DIGITS[500:, :3], CLASSES[500:])
    with pytest.raises(ValueError, match="at least 2 classes"):
        scorecard(DIGITS[:50], np.zeros(50, dtype=int), DIGITS[500:], CLASSES[500:])
    with pytest.raises(ValueError, match="train_labels must hold one label for each"):
        scorecard(DIGITS[:50], CLASSES[:49], None, None)


def test_student_interval():
    values = [0.9, 0.92, 0.97, 0.93, 0.95]
    half = stats.sem(values) * stats.t.ppf(0.975, 4)
    assert student_interval(values) == pytest.approx((np.mean(values) - half, np.mean(values) + half))
    assert student_interval([0.5, 0.7]) == pytest.approx((0.6 - 12.706 * 0.1, 0.6 + 12.706 * 0.1), abs=1e-4)
    assert all(math.isnan(end) for end in student_interval([0.9]))


@pytest.mark.parametrize(("right", "samples"), [(0, 20), (13, 20), (20, 20), (1930, 2000)])
def test_wilson_interval_equals_scipy(right, samples):
    theirs = stats.binomtest(right, samples).proportion_ci(0.95, method="wilson")
    assert wilson_interval(right / samples, samples) == pytest.approx((theirs.low, theirs.high))


def test_join_seeds():
    first = scorecard(*ARGUMENTS, fractions=(0.1,), draws=2).assign(representation="raw", seed=0)
    second = first.assign(seed=1, mean=first["mean"] + 0.02)
    other = first.assign(representation="other")
    joined = join_seeds([first, second, other])
    assert joined.columns.tolist() == ["representation", *COLUMNS, "seeds"] or set(joined.columns) == {
        "representation",
        *COLUMNS,
        "seeds",
    }
    raw = joined[joined.representation == "raw"].reset_index(drop=True)
    np.testing.assert_allclose(raw["mean"], first["mean"] + 0.01)
    np.testing.assert_allclose(raw.high - raw["mean"], stats.t.ppf(0.975, 1) * 0.01)
    assert (raw.seeds == 2).all()
    alone = joined[joined.representation == "other"].reset_index(drop=True)
    np.testing.assert_array_equal(alone.low, first.low)
    assert (alone.seeds == 1).all()
    with pytest.raises(ValueError, match="at least one scorecard"):
        join_seeds([])
