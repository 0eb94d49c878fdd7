"""Orders in which a training goes through its samples."""

import numpy as np
import pytest

from replearn.engine.orders import Mixed, Moved, Shuffled, again_and_again


def mixed(**given):
    settings = {"batch_size": 8, "few_in_batch": 2, "per_epoch": 3, "random_state": 5}
    return Mixed(np.array([0, 1, 2]), np.arange(3, 40), **settings | given)


def test_shuffled_is_every_sample_once():
    orders = [Shuffled(50, 1)(epoch) for epoch in (0, 1)]
    assert all(np.array_equal(np.sort(order), np.arange(50)) for order in orders)
    assert not np.array_equal(*orders)


def test_windows_are_cut_elsewhere_in_each_epoch():
    orders = [Moved(50, 1, moves=7)(epoch) for epoch in range(40)]
    assert all(np.array_equal(np.sort(order % 50), np.arange(50)) for order in orders)
    assert all(len(set(order // 50)) == 1 for order in orders)
    assert {int(order[0]) // 50 for order in orders} == set(range(7))


@pytest.mark.parametrize("few", [1, 2, 3, 8])
def test_each_batch_and_each_half_of_it_has_its_share_of_few(few):
    rows = mixed(few_in_batch=few)(epoch=2).reshape(3, 8) < 3
    assert (rows.sum(1) == few).all()
    assert (np.abs(rows[:, :4].sum(1) - few / 2) <= 0.5).all()  # a process holds half of it


def test_all_are_seen_before_any_is_seen_again():
    order = np.concatenate([mixed()(epoch) for epoch in range(8)])
    few, others = order[order < 3], order[order >= 3]
    for rows, of in ((few, 3), (others, 37)):
        for start in range(0, len(rows) - of + 1, of):
            assert len(set(rows[start : start + of])) == of
    assert len(set(map(tuple, few.reshape(-1, 3)))) > 1  # shuffled anew


def test_what_is_left_out_or_repeated_is_told():
    assert Shuffled(50).told(8) == "each epoch leaves out 2 of 50 samples, drawn anew"
    assert not Shuffled(48).told(8)
    order = mixed()
    seen = np.bincount(np.concatenate([order(epoch) for epoch in range(4)]), minlength=40)[:3].mean() / 4
    assert seen == 2
    assert (
        order.told(8) == "2 of each batch are labelled: each of 3 labelled samples is seen 2 times an epoch"
    )


def test_one_group_may_be_empty():
    every = Mixed(np.arange(4), np.arange(0), batch_size=6, few_in_batch=6, per_epoch=1)
    assert np.bincount(every(0)).tolist() in (
        [2, 2, 1, 1],
        [1, 2, 2, 1],
        [1, 1, 2, 2],
        [2, 1, 1, 2],
        [2, 1, 2, 1],
        [1, 2, 1, 2],
    )


def test_a_sequence_goes_on_where_it_was():
    rows = np.arange(7)
    whole = again_and_again(rows, 0, 40, [3])
    parts = [again_and_again(rows, first, 10, [3]) for first in range(0, 40, 10)]
    assert np.array_equal(whole, np.concatenate(parts))
