"""Test samples that training knows already, and what is held out together."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from replearn.evaluate import LinearProbe, copies, few_label_curve, near_copies, near_texts
from replearn.evaluate.folds import stratified_folds

DIGITS, CLASSES = load_digits(return_X_y=True)
RNG = np.random.default_rng(0)


def test_samples_that_are_not_copies_are_not_found():
    found = near_copies(DIGITS[:1400], DIGITS[1400:])
    assert (len(found.test), found.compared) == (0, 397)
    assert "at most 0.1 of the distance" in found.rule


@pytest.mark.parametrize("wide", [1, 13], ids=["64 columns", "832 columns, projected"])
def test_copies_are_found_nearest_first_though_numbers_were_rounded(wide):
    rows = np.tile(DIGITS, wide) / 16
    copied = RNG.choice(1000, 30, replace=False)
    noise = np.linspace(0.001, 0.012, 30)[:, None] * RNG.normal(size=(30, rows.shape[1]))  # 3 levels of 255
    found = near_copies(rows[:1000], np.concatenate([rows[1000:1200], rows[copied] + noise]))
    assert sorted(found.test.tolist()) == list(range(200, 230))
    np.testing.assert_array_equal(copied[found.test - 200], found.train)
    assert found.test[:10].max() < 215


def test_columns_that_are_few_must_be_equal():
    train, test = RNG.normal(size=(2000, 2)), RNG.normal(size=(500, 2))
    assert len(near_copies(train, test).test) == 0
    found = near_copies(train, np.concatenate([test, train[[7]]]))
    assert (found.test.tolist(), found.train.tolist(), found.rule) == ([500], [7], "equal in all columns")


def test_of_too_many_pairs_a_sample_is_looked_at_and_told(monkeypatch):
    monkeypatch.setattr(copies, "PAIRS", 1000 * 50)
    assert near_copies(DIGITS[:1000], DIGITS[1000:]).compared == 50
    assert near_texts(["a"] * 1000, ["b"] * 99).compared == 50


def test_texts_are_compared_by_wording():
    train = [
        "The quick brown fox jumps over the lazy dog today.",
        "yes",
        "Nothing of this kind here at all, my friend.",
    ]
    test = [
        "  the QUICK brown fox jumps over the lazy dog, today!",
        "The quick brown fox jumps over the lazy dog today again.",
        "The quick brown cat sat on the lazy dog today.",
        "Yes.",
        "no",
        "",
    ]
    found = near_texts(train, test)
    assert dict(zip(found.test.tolist(), found.train.tolist(), strict=True)) == {0: 0, 1: 0, 3: 1}
    assert len(near_texts(train, ["!!"]).test) == 0


def test_folds_keep_groups_whole_and_are_as_before_without():
    labels = RNG.integers(0, 3, 200)
    alone = stratified_folds(labels, 5, 0)
    np.testing.assert_array_equal(alone, stratified_folds(labels, 5, 0, np.arange(200) * 7))
    groups = RNG.integers(0, 60, 200)
    folds = stratified_folds(labels, 5, 0, groups)
    assert all(len(set(folds[groups == group].tolist())) == 1 for group in groups)
    assert set(folds.tolist()) == set(range(5))
    mixed = stratified_folds(np.repeat([0, 1], 10), 5, 0, np.repeat([0, 1], 10))
    assert (mixed == -1).all()  # a class of one group is never held out
    for held in range(5):
        assert set(labels[folds != held].tolist()) == {0, 1, 2}


def test_copies_do_not_choose_the_penalty():
    """Random labels, each row four times: cut at random, every row that is held out is known."""
    rows, labels = np.tile(RNG.normal(size=(40, 60)), (4, 1)), np.tile(RNG.integers(0, 2, 40), 4)
    groups = np.tile(np.arange(40), 4)
    leaky, honest = LinearProbe().fit(rows, labels), LinearProbe().fit(rows, labels, groups)
    assert max(leaky.validation_accuracies_) > 0.9
    assert max(honest.validation_accuracies_) < 0.85
    test = RNG.normal(size=(50, 60)), RNG.integers(0, 2, 50)
    curve = few_label_curve(rows, labels, *test, fractions=(1.0,), groups=groups)
    assert curve["mean"].iloc[0] == pytest.approx((honest.predict(test[0]) == test[1]).mean())
    with pytest.raises(ValueError, match="one group for each of the 160 rows"):
        LinearProbe().fit(rows, labels, groups[:3])
