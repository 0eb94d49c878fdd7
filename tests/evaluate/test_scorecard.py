"""The table of all measures, and intervals."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.datasets import load_digits

from replearn.evaluate import (
    accuracy_interval,
    few_label_curve,
    join_seeds,
    knn_probe,
    scorecard,
    student_interval,
    wilson_interval,
)

DIGITS, CLASSES = load_digits(return_X_y=True)
ARGUMENTS = DIGITS[:500], CLASSES[:500], DIGITS[500:800], CLASSES[500:800]
COLUMNS = ["measure", "labels", "mean", "low", "high", "draws", "setting", "tested"]
WITHOUT_LABELS = ["effective rank", "alpha-ReQ", "uniformity", "sparsity", "dead dimensions"]


@pytest.mark.all
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
    assert table.setting.tolist() == ["10 %", "100 %"] + [""] * 10
    assert table.tested.tolist() == [300] * 3 + [0] * 9


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


@pytest.mark.all
@pytest.mark.parametrize(("trainings", "draws"), [(1, 5), (2, 1), (3, 5), (5, 1)])
@pytest.mark.parametrize("size", [0.0, 1.0, 3.0], ids=["sure", "as much", "thrice"])
@pytest.mark.parametrize(("truth", "samples"), [(0.6, 200), (0.95, 400)])
def test_intervals_hold_the_truth_as_often_as_they_say(trainings, draws, size, truth, samples):
    """A sample is told rightly where its difficulty is below the accuracy of this training with these labels."""
    rng = np.random.default_rng(0)
    many, deviation = 2000, size * np.sqrt(truth * (1 - truth) / samples)
    level = truth + (trainings > 1) * deviation * rng.normal(size=(many, trainings, 1))
    level = level + (draws > 1) * deviation * rng.normal(size=(many, trainings, draws))
    difficulty = np.sort(rng.random((many, samples)))
    right = np.stack([np.searchsorted(*pair) for pair in zip(difficulty, level, strict=True)]) / samples
    repetitions = right[:, 0] if trainings == 1 else right.mean(axis=2)
    ends = [accuracy_interval(values.tolist(), samples) for values in repetitions]
    alone = [wilson_interval(float(values.mean()), samples) for values in repetitions]
    low, high = np.array(ends).T
    least, most = np.array(alone).T
    assert (low <= least + 1e-12).all()
    assert (high >= most - 1e-12).all()
    assert 0.92 <= np.mean((low <= truth) & (truth <= high)) <= (0.99 if trainings == 2 else 0.985)


def test_an_accuracy_interval_is_wilsons_where_nothing_differs():
    assert accuracy_interval([0.9, 0.9, 0.9], 50) == pytest.approx(wilson_interval(0.9, 50))
    assert accuracy_interval([1.0], 50) == pytest.approx(wilson_interval(1.0, 50))
    student = student_interval([0.4, 0.5, 0.6])
    assert accuracy_interval([0.4, 0.5, 0.6], 10**9) == pytest.approx(student, abs=1e-4)


def test_seeds_take_nothing_from_the_interval_of_the_test_samples():
    """PCA of the same samples is the same for every seed; another test sample would judge it otherwise."""
    card = scorecard(*ARGUMENTS, fractions=(1.0,))
    joined = join_seeds([card] * 3)
    assert (joined.seeds == 3).all()
    for column in ("low", "high"):
        np.testing.assert_allclose(joined[column], card[column])
    old = card.drop(columns=["setting", "tested"])  # as older versions wrote it
    for column in ("low", "high"):
        np.testing.assert_allclose(join_seeds([old] * 3)[column], card[column])


def test_settings_of_as_many_labels_are_no_seeds():
    """Five of each class, and 10 % of 500: both 50 labels."""
    card = scorecard(*ARGUMENTS, fractions=(0.1,), per_class=(5,), draws=2).assign(representation="raw")
    probes = card[card.measure == "linear probe"]
    assert probes.labels.tolist() == [50, 50]
    for scores in (probes, probes.drop(columns=["setting", "tested"])):
        for joined in (
            join_seeds([scores] * 2),
            join_seeds([pd.concat([scores.assign(seed=s) for s in (0, 1)])]),
        ):
            assert joined["mean"].tolist() == probes["mean"].tolist()
            assert joined.seeds.tolist() == [2, 2]


def test_join_seeds():
    first = scorecard(*ARGUMENTS, fractions=(0.1,), draws=2).assign(representation="raw", seed=0)
    second = first.assign(seed=1, mean=first["mean"] + 0.02)
    other = first.assign(representation="other")
    joined = join_seeds([first, second, other])
    assert set(joined.columns) == {"representation", *COLUMNS, "seeds"}
    raw = joined[joined.representation == "raw"].reset_index(drop=True)
    np.testing.assert_allclose(raw["mean"], first["mean"] + 0.01)
    free = raw.tested == 0
    np.testing.assert_allclose(raw[free].high - raw[free]["mean"], stats.t.ppf(0.975, 1) * 0.01)
    for mean, low, high in raw.loc[~free, ["mean", "low", "high"]].to_numpy():
        assert (low, high) == pytest.approx(accuracy_interval([mean - 0.01, mean + 0.01], 300))
    assert (raw.seeds == 2).all()
    alone = joined[joined.representation == "other"].reset_index(drop=True)
    np.testing.assert_array_equal(alone.low, first.low)
    assert (alone.seeds == 1).all()
    with pytest.raises(ValueError, match="at least one scorecard"):
        join_seeds([])


def test_shares_of_as_many_labels_are_told_once():
    few = slice(0, 40)
    card = scorecard(
        DIGITS[few], CLASSES[few], DIGITS[500:], CLASSES[500:], fractions=(0.01, 0.1, 1.0), draws=2
    )
    probes = card[card["measure"] == "linear probe"]
    assert probes["labels"].is_unique
    assert len(probes) == 2
