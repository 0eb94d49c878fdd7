"""Orders of episodes: few samples of few classes, as a function of the epoch."""

import numpy as np
import pytest

from replearn.engine.episodes import Episodes, different

LABELS = np.concatenate([np.arange(7).repeat(6), [7] * 3, [-1] * 9])  # class 7 has too few


def drawn(epoch=0, **given):
    settings = {"way": 4, "each": 5, "per_epoch": 50, "random_state": 3}
    order = Episodes(LABELS, **settings | given)
    return order(epoch).reshape(-1, order.each, order.way)


def test_classes_and_samples_are_drawn_without_replacement():
    labels = LABELS[drawn()]
    assert (labels == labels[:, :1]).all()  # a column is a class
    assert all(len(set(row)) == 4 for row in labels[:, 0].tolist())
    assert all(len(set(episode.ravel().tolist())) == 20 for episode in drawn())
    assert set(labels.ravel().tolist()) == set(range(7))  # neither unknown ones nor those of few samples
    assert Episodes(LABELS, 4, 5).left_out == 1


def test_a_function_of_seed_and_epoch():
    assert np.array_equal(drawn(2), drawn(2))
    assert not np.array_equal(drawn(2), drawn(3))
    assert not np.array_equal(drawn(2), drawn(2, random_state=4))


def test_every_sample_is_as_likely_in_every_place():
    places = drawn(per_epoch=20_000)
    for role in (places[:, 0], places[:, -1]):  # the first are shots, the last queries
        counts = np.bincount(role.ravel(), minlength=42)[:42]
        assert np.abs(counts / counts.mean() - 1).max() < 0.1


def test_every_set_and_order_is_as_likely():
    found = different(np.random.default_rng(0), np.full(60_000, 4), 3)
    _, counts = np.unique(found, axis=0, return_counts=True)
    assert len(counts) == 24
    assert np.abs(counts / counts.mean() - 1).max() < 0.1


def test_too_few_classes_are_told():
    with pytest.raises(ValueError, match="8 classes must have at least 5 labelled samples; 7 have"):
        drawn(way=8)
