"""Train and test parts."""

import numpy as np
import pytest

from replearn.data import as_samples, load_data, split
from replearn.data.copies import content_hashes
from replearn.data.splits import stratified_test


def test_parts_are_apart_and_whole():
    emoji = load_data("emoji")
    train, test = split(emoji, test=0.3, random_state=1)
    assert sorted([*train.index, *test.index]) == list(range(len(emoji)))
    for label in range(9):
        share = (test.labels == label).sum() / (emoji.labels == label).sum()
        assert share == pytest.approx(0.3, abs=0.01)
    assert test.names[0] == emoji.names[test.index[0]]


def test_seeds():
    samples = as_samples(np.arange(100.0).reshape(50, 2))
    first, again, other = (split(samples, random_state=seed)[1].index.tolist() for seed in (0, 0, 1))
    assert first == again != other
    assert len(first) == 10


def test_without_stratification_classes_may_be_missed():
    samples = as_samples(np.arange(20.0)[:, None], [0] * 10 + list(range(1, 11)))
    _, test = split(samples, stratify=False)
    assert len(test) == 4


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, 2.0])
def test_bad_share(share):
    with pytest.raises(ValueError, match="test must lie between"):
        split(load_data("digits8x8"), test=share)


def test_too_few():
    with pytest.raises(ValueError, match="leave one empty"):
        split(as_samples(np.zeros((1, 3))))


def images(n):
    return np.random.default_rng(0).integers(0, 256, (n, 1, 4, 4), dtype=np.uint8)


def rows(n):
    return np.random.default_rng(0).normal(size=(n, 3)).astype(np.float32)


def texts(n):
    return np.array([f"text {i}" for i in range(n)], dtype=object)


@pytest.mark.parametrize("make", [images, rows, texts])
def test_copies_stay_on_one_side(make, caplog):
    """Whatever the kind: 30 of 100 samples come twice, under other labels."""
    once = make(100)
    twice = np.concatenate([once, once[:30]])
    labels = np.random.default_rng(1).integers(0, 3, len(twice))
    samples = as_samples(twice.tolist() if make is texts else twice, labels)
    for seed in range(5):
        caplog.clear()
        train, test = split(samples, random_state=seed)
        assert not set(content_hashes(train).tolist()) & set(content_hashes(test).tolist())
        assert len(train) + len(test) == 130
        assert abs(len(test) - 26) <= 3
        assert "30 samples are exact copies of others" in caplog.text


def test_a_copy_of_zero_may_be_negative():
    samples = as_samples(np.array([[0.0, 1.0], [-0.0, 1.0]], dtype=np.float32))
    assert len(set(content_hashes(samples).tolist())) == 1


def test_groups_stay_on_one_side_with_copies_of_their_members():
    samples = as_samples(rows(60)[np.r_[:60, 0]], [0, 1] * 30 + [0])
    samples.groups = np.array([f"g{i // 6}" for i in range(60)] + [""])
    for seed in range(5):
        train, test = split(samples, random_state=seed)
        assert set(train.groups.tolist()) & set(test.groups.tolist()) <= {""}
        assert (60 in train.index) == (0 in train.index)
        assert 6 <= len(test) <= 19
        assert test.subset([0]).groups.tolist() == [test.groups[0]]


def test_a_class_of_one_group_leaves_no_part_empty():
    samples = as_samples(rows(40), [0] * 20 + [1] * 20)
    samples.groups = np.array(["a"] * 20 + ["b"] * 20)
    train, test = split(samples, test=0.4)
    assert len(train) == len(test) == 20


def test_without_copies_and_groups_the_draw_is_that_of_single_samples():
    labels = np.random.default_rng(0).integers(0, 3, 50)
    alone = stratified_test(labels, test=0.3, random_state=4)
    assert alone.tolist() == stratified_test(labels, test=0.3, random_state=4, units=np.arange(50)).tolist()
    assert split(as_samples(rows(50), labels), test=0.3, random_state=4)[1].index.tolist() == alone.tolist()


def test_what_samples_show_of_themselves():
    samples = as_samples(images(4), ["b", "a", None, "a"])
    assert (
        repr(samples)
        == "<ArraySamples: 4 samples of kind image, 1 x 4 x 4 each; 2 classes ('a', 'b'); 1 unlabelled>"
    )
    assert repr(as_samples(["a", "b"])) == "<TextSamples: 2 samples of kind text; 2 unlabelled>"
