"""Jigsaw: embeddings of tiles in one of a set of orders that are far from each other."""

import itertools
import math

import numpy as np
import pytest
import torch

import replearn
from replearn.methods.pretext.permutations import far_permutations
from replearn.views import Same, Tiles


@pytest.fixture(scope="module")
def few():
    return replearn.load_data("digits", split="train").subset(np.arange(40))


def prepared(few, **fields):
    given = {"encoder": "cnn", "batch_size": 8, "device": "cpu"} | fields
    return replearn.Jigsaw(**given).prepare(few)


def distances(orders):
    return (orders[:, None] != orders[None]).sum(2)


@pytest.mark.parametrize(("places", "number"), [(2, 2), (4, 24), (9, 40), (9, 1), (16, 30)])
def test_orders_are_orders_and_no_two_are_alike(places, number):
    orders = far_permutations(places, number)
    assert orders.shape == (number, places)
    assert torch.equal(orders.sort(1).values, torch.arange(places).expand(number, places))
    assert len({tuple(order) for order in orders.tolist()}) == number
    assert torch.equal(orders, far_permutations(places, number))
    if places > 4:
        assert not torch.equal(orders, far_permutations(places, number, random_state=1))


def test_each_order_is_as_far_as_can_be_from_those_before_it():
    every = torch.tensor(list(itertools.permutations(range(5))))
    orders = far_permutations(5, 30)
    for k in range(1, 30):
        to_chosen = (every[:, None] != orders[None, :k]).sum(2)  # (120, k)
        nearest = to_chosen.min(1).values
        own = (orders[k] != orders[:k]).sum(1)
        assert own.min() == nearest.max()
        assert own.sum() == to_chosen[nearest == nearest.max()].sum(1).max()


def test_orders_of_nine_are_further_apart_than_drawn_ones():
    near = distances(far_permutations(9, 64)) + 9 * torch.eye(64)
    drawn = torch.from_numpy(np.random.default_rng(0).permuted(np.tile(np.arange(9), (64, 1)), axis=1))
    assert near.min() >= 7
    assert near.mean() > (distances(drawn) + 9 * torch.eye(64)).mean()
    assert (distances(far_permutations(9, 9)) + 9 * torch.eye(9)).min() == 9  # a Latin square


@pytest.mark.parametrize("number", [0, 25])
def test_there_are_no_more_orders_than_there_are(few, number):
    with pytest.raises(
        ValueError, match="permutations must be from 1 to 24, of the 24 orders of 4 tiles; got"
    ) as told:
        far_permutations(4, number)
    assert len(str(told.value).splitlines()) == 1
    with pytest.raises(ValueError, match="permutations must be"):
        prepared(few, views=Tiles(2), permutations=number)


def test_one_network_embeds_tiles_in_any_order_alike(few, monkeypatch):
    """So that embeddings may be put in order in place of tiles."""
    method = prepared(few, views=Tiles(3, view=Same()), draws=3)
    for module in method.modules().values():
        module.double().eval()
    seen = []
    read = method.encoder_.read
    monkeypatch.setattr(method.encoder_, "read", lambda batch: seen.append(len(batch)) or read(batch))
    batch = few[np.arange(6)].floats()
    batch = batch.with_x(batch.x.double())
    torch.manual_seed(0)
    (tiles,) = method.views_(batch)
    torch.manual_seed(0)
    logits, right = method.guess(batch)
    assert seen == [6 * 9]
    assert logits.shape == (18, 64)
    x = tiles.x.view(6, 9, *tiles.x.shape[1:])
    for row in range(18):
        shuffled = x[row // 3, method.orders_[right[row]]]  # the puzzle itself
        expected = method.head_(method.tile_(method.encoder_(shuffled)).view(1, -1))[0]
        torch.testing.assert_close(logits[row], expected, rtol=1e-6, atol=1e-8)


def test_the_loss_is_that_of_a_slow_loop(few):
    method = prepared(few, permutations=5)
    for module in method.modules().values():
        module.double().eval()
    batch = few[np.arange(6)].floats()
    batch = batch.with_x(batch.x.double())
    torch.manual_seed(0)
    logits, right = method.guess(batch)
    torch.manual_seed(0)
    loss = method.loss(batch)
    slow = [
        math.log(sum(map(math.exp, row))) - row[k]
        for row, k in zip(logits.tolist(), right.tolist(), strict=True)
    ]
    assert loss.item() == pytest.approx(sum(slow) / len(slow), rel=1e-6)
    assert method.loss_at_collapse() == pytest.approx(math.log(5))


def test_orders_are_drawn_for_each_sample_and_draw(few):
    method = prepared(few, draws=20)
    _, right = method.guess(few[np.arange(40)])
    assert len(right.view(40, 20).unique(dim=0)) == 40
    assert right.unique().tolist() == list(range(64))


def test_what_is_shown_is_what_was_said(few):
    method = prepared(few, permutations=4)
    shown = method.exhibit(few[np.arange(12)])
    puzzle, solved, true = shown.pictures.values()
    (tiles,) = method.parts_.parts(few[np.arange(12)])
    whole = method.parts_.lay(tiles.x, torch.arange(9).expand(12, 9))
    assert torch.equal(true, whole)
    assert not torch.equal(puzzle, whole)
    assert [bool(torch.equal(a, b)) for a, b in zip(solved, true, strict=True)] == list(shown.right)
    assert all(
        (said == "9 of 9 in place") == right for said, right in zip(shown.said, shown.right, strict=True)
    )


def test_tiles_of_a_pixel_are_told_of(caplog):
    replearn.Jigsaw(encoder="cnn", device="cpu").prepare(replearn.load_data("digits8x8"))
    assert "tiles are 1 x 1, too small to tell much by" in caplog.text
