"""Numbers of content that equal samples of a batch share, in parts as in the whole."""

import pytest
import torch

from replearn.data import Batch, Texts


def batch(x):
    return Batch(x, torch.full((len(x),), -1), torch.arange(len(x)))


@pytest.mark.parametrize(
    "x",
    [
        torch.randint(0, 256, (9, 3, 5, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)),
        torch.randn(9, 7, generator=torch.Generator().manual_seed(0)),
        torch.randn(9, 3, generator=torch.Generator().manual_seed(0)).double(),
        torch.arange(9 * 4).view(9, 4),
        torch.eye(9),
        Texts(["", "a", "b", "A", "a ", "é", "e", "c", "\ud800"]),
    ],
    ids=["images", "table", "doubles", "tokens", "one-hot", "texts"],
)
def test_equal_samples_and_no_others_share_a_number(x):
    ids = batch(x).ids()
    assert len(set(ids.tolist())) == 9
    twice = Texts([*x, x[4], x[0]]) if isinstance(x, Texts) else torch.cat([x, x[[4, 0]]])
    found = batch(twice).ids()
    assert found.tolist() == [*ids.tolist(), ids[4].item(), ids[0].item()]
    parts = [batch(twice).rows(start, stop).ids() for start, stop in ((0, 5), (5, 11))]
    assert torch.equal(torch.cat(parts), found)


def test_zeros_of_either_sign_are_equal():
    ids = batch(torch.tensor([[0.0, 1.0], [-0.0, 1.0], [0.0, -1.0]])).ids()
    assert (ids[0] == ids[1]).item()
    assert (ids[0] != ids[2]).item()
