"""Train and test parts."""

import numpy as np
import pytest

from replearn.data import as_samples, load_data, split


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
    samples = as_samples(np.zeros((20, 1)), [0] * 10 + list(range(1, 11)))
    _, test = split(samples, stratify=False)
    assert len(test) == 4


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, 2.0])
def test_bad_share(share):
    with pytest.raises(ValueError, match="test must lie between"):
        split(load_data("digits8x8"), test=share)


def test_too_few():
    with pytest.raises(ValueError, match="leave one empty"):
        split(as_samples(np.zeros((1, 3))))
