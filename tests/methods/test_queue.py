"""The queue: the last rows, in order, alike after a restart."""

import pytest
import torch

from replearn.methods.state.queue import Queue


def numbered(first, last):
    """Rows whose entries are `first` to `last - 1`."""
    return torch.arange(first, last, dtype=torch.float32)[:, None].expand(-1, 2)


@pytest.mark.parametrize("sizes", [[3, 3], [1] * 9, [5, 2, 4], [7], [2, 7, 1], [16], [3, 15, 2]])
def test_holds_the_last_rows_each_at_its_turns_place(sizes):
    queue, pushed = Queue(7, 2), 0
    for size in sizes:
        queue.push(numbered(pushed, pushed + size))
        pushed += size
    rows = queue.rows()[:, 0]
    for turn in range(max(0, pushed - 7), pushed):
        assert rows[turn % 7] == turn
    assert queue.is_full() == (pushed >= 7)


def test_starts_with_random_rows_of_length_one():
    queue = Queue(50, 8)
    torch.testing.assert_close(queue.rows().norm(dim=1), torch.ones(50))
    assert queue.rows().std() > 0.2
    assert not queue.is_full()


def test_a_push_changes_no_rows_that_were_read_and_takes_no_gradient():
    queue = Queue(4, 2)
    rows = queue.rows()
    before = rows.clone()
    queue.push(numbered(0, 4).clone().requires_grad_())
    assert torch.equal(rows, before)
    assert not queue.rows().requires_grad


def test_rows_of_less_precision_are_taken():
    queue = Queue(4, 2)
    queue.push(numbered(1, 3).bfloat16())
    assert queue.rows().dtype == torch.float32
    assert queue.rows()[:2, 0].tolist() == [1, 2]


@pytest.mark.parametrize("size", [0, -3])
def test_one_without_rows_is_refused(size):
    with pytest.raises(ValueError, match=f"queue must be at least 1; got {size}"):
        Queue(size, 2)


def test_state_goes_on_where_it_was():
    queue, other = Queue(5, 2), Queue(5, 2)
    queue.push(numbered(0, 7))
    other.load_state_dict(queue.state_dict())
    for each in (queue, other):
        each.push(numbered(7, 9))
    assert torch.equal(queue.rows(), other.rows())
    assert list(queue.parameters()) == []
