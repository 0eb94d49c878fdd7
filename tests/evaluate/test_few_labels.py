"""Draws of labels, and the curve over them."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from replearn.evaluate import draw_labels, few_label_curve, group_split, linear_probe
from replearn.evaluate.few_labels import score_draws

DIGITS, CLASSES = load_digits(return_X_y=True)
RNG = np.random.default_rng(0)


def test_one_percent_of_8000_is_80():
    labels = RNG.integers(0, 10, 8000)
    index = draw_labels(labels, fraction=0.01, random_state=4)
    assert len(index) == len(set(index.tolist())) == 80
    counts, all_counts = np.bincount(labels[index]), np.bincount(labels)
    assert (abs(counts - all_counts / 100) < 1).all()


@pytest.mark.parametrize("fraction", [0.001, 0.01, 0.037, 0.5, 0.999, 1.0])
def test_draws_are_exact_stratified_and_never_unlabelled(fraction):
    labels = np.repeat([-1, 3, 5, 9], [500, 2, 100, 898])
    index = draw_labels(labels, fraction=fraction)
    assert len(index) == max(3, round(1000 * fraction))
    assert set(labels[index].tolist()) == {3, 5, 9}
    assert (np.diff(index) > 0).all()


def test_draws_repeat_and_differ():
    one = draw_labels(CLASSES, per_class=3, random_state=1)
    np.testing.assert_array_equal(one, draw_labels(CLASSES, per_class=3, random_state=1))
    assert (one != draw_labels(CLASSES, per_class=3, random_state=2)).any()
    assert np.bincount(CLASSES[one]).tolist() == [3] * 10


def test_every_row_is_drawn_alike():
    labels = np.repeat([0, 1], [10, 30])
    times = np.zeros(40)
    for seed in range(400):
        times[draw_labels(labels, fraction=0.2, random_state=seed)] += 1
    assert times.sum() == 400 * 8
    assert times.min() > 45
    assert times.max() < 120  # 80 expected, deviation 8


def test_small_classes_give_all_they_have():
    labels = np.repeat([0, 1], [2, 50])
    assert np.bincount(labels[draw_labels(labels, per_class=5)]).tolist() == [2, 5]


def test_words_and_all_labels():
    words = np.array(["a", "b"])[CLASSES % 2]
    np.testing.assert_array_equal(draw_labels(words, fraction=1.0), np.arange(len(words)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "exactly one of fraction and per_class"),
        ({"fraction": 0.1, "per_class": 1}, "exactly one of fraction and per_class"),
        ({"fraction": 0.0}, "fraction must be above 0"),
        ({"fraction": 1.1}, "fraction must be above 0"),
        ({"per_class": 0}, "per_class must be at least 1"),
    ],
)
def test_bad_draws_are_explained(arguments, message):
    with pytest.raises(ValueError, match=message):
        draw_labels(CLASSES, **arguments)


def test_nothing_to_draw():
    with pytest.raises(ValueError, match="all 5 are -1"):
        draw_labels(np.full(5, -1), per_class=1)


@pytest.mark.parametrize("seed", range(5))
def test_groups_stay_whole(seed):
    groups = RNG.integers(0, 60, 1000)
    kept, held = group_split(groups, fraction=0.3, random_state=seed)
    assert not set(groups[kept]) & set(groups[held])
    assert sorted([*kept, *held]) == list(range(1000))
    assert abs(len(held) - 300) < 30
    np.testing.assert_array_equal(held, group_split(groups, fraction=0.3, random_state=seed)[1])


def test_both_sides_get_a_group():
    for fraction in (0.01, 0.99):
        kept, held = group_split(np.repeat([1, 2], [90, 10]), fraction=fraction)
        assert len(kept)
        assert len(held)
    with pytest.raises(ValueError, match="at least 2 groups"):
        group_split(np.ones(5, dtype=int))
    with pytest.raises(ValueError, match="between 0 and 1"):
        group_split(np.arange(5), fraction=1.0)


def test_curve_scores_each_draw_as_the_probe_does():
    train, test = slice(0, 600), slice(600, 900)
    drawn = [draw_labels(CLASSES[train], per_class=4, random_state=seed) for seed in range(3)]
    together = score_draws(DIGITS[train], CLASSES[train], DIGITS[test], CLASSES[test], drawn)
    alone = [linear_probe(DIGITS[i], CLASSES[i], DIGITS[test], CLASSES[test]).accuracy for i in drawn]
    np.testing.assert_allclose(together, alone, atol=0.004)


def test_curve_passes_the_scaling_on():
    arguments = DIGITS[:500] * np.logspace(0, 3, 64), CLASSES[:500], DIGITS[500:] * np.logspace(0, 3, 64)
    common, columns = (
        few_label_curve(*arguments, CLASSES[500:], fractions=(0.1,), draws=2, scaling=scaling)
        for scaling in ("common", "columns")
    )
    assert columns["mean"][0] > common["mean"][0] + 0.05


@pytest.mark.all
def test_curve():
    arguments = DIGITS[:1000], CLASSES[:1000], DIGITS[1000:], CLASSES[1000:]
    curve = few_label_curve(*arguments, fractions=(0.02, 1.0), per_class=(5,), draws=3)
    assert curve.columns.tolist() == ["setting", "labels", "mean", "low", "high", "draws"]
    assert curve.setting.tolist() == ["2 %", "100 %", "5 per class"]
    assert curve.labels.tolist() == [20, 1000, 50]
    assert curve.draws.tolist() == [3, 1, 3]
    assert ((curve.low < curve["mean"]) & (curve["mean"] < curve.high)).all()
    assert curve["mean"].iloc[0] < curve["mean"].iloc[2] < curve["mean"].iloc[1]
    assert curve.equals(few_label_curve(*arguments, fractions=(0.02, 1.0), per_class=(5,), draws=3))
    other = few_label_curve(*arguments, fractions=(0.02,), draws=3, random_state=1)
    assert other["mean"].iloc[0] != curve["mean"].iloc[0]
    with pytest.raises(ValueError, match="draws must be at least 1"):
        few_label_curve(*arguments, draws=0)
