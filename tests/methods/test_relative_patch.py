"""RelativePatch: the grid is encoded once, and all pairs of neighbours are asked for."""

import math

import numpy as np
import pytest
import torch

import replearn
from replearn.methods.pretext.relative_patch import neighbours
from replearn.views import Pair, Same, Tiles


@pytest.fixture(scope="module")
def few():
    return replearn.load_data("digits", split="train").subset(np.arange(40))


def prepared(few, **fields):
    given = {"encoder": "cnn", "batch_size": 8, "device": "cpu"} | fields
    return replearn.RelativePatch(**given).prepare(few)


def test_all_pairs_of_neighbours_and_their_directions():
    places = Tiles(3).places
    pairs, number, steps = neighbours(places)
    expected = {
        (i, j): (j // 3 - i // 3, j % 3 - i % 3)
        for i in range(9)
        for j in range(9)
        if i != j and abs(j // 3 - i // 3) <= 1 and abs(j % 3 - i % 3) <= 1
    }
    assert len(pairs) == len(expected) == 40
    found = {tuple(pair.tolist()): tuple(steps[k].tolist()) for pair, k in zip(pairs, number, strict=True)}
    assert found == expected
    assert len(steps) == 8


def test_the_grid_is_encoded_once_and_by_one_network(few, monkeypatch):
    method = prepared(few)
    seen = []
    read = method.encoder_.read
    monkeypatch.setattr(method.encoder_, "read", lambda batch: seen.append(len(batch)) or read(batch))
    logits, right = method.guess(few[np.arange(8)])
    assert seen == [8 * 9]
    assert logits.shape == (8 * 40, 8)
    assert right.view(8, 40).eq(method.direction_).all()


def test_the_loss_is_that_of_a_slow_loop(few):
    method = prepared(few)
    for module in method.modules().values():
        module.double().eval()
    batch = few[np.arange(5)]
    torch.manual_seed(0)
    loss = method.loss(batch.with_x(batch.x.double() / 255))
    torch.manual_seed(0)
    (tiles,) = method.views_(batch.with_x(batch.x.double() / 255))
    x, losses = tiles.x.view(5, 3, 3, *tiles.x.shape[1:]), []

    def embedded(sample, down, across):
        return method.tile_(method.encoder_(x[sample, down, across][None]))[0]

    for sample in range(5):
        for down in range(3):
            for across in range(3):
                for step, (i, j) in enumerate(
                    sorted((i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j)
                ):
                    if not (0 <= down + i < 3 and 0 <= across + j < 3):
                        continue
                    both = [embedded(sample, down, across), embedded(sample, down + i, across + j)]
                    logits = method.head_(torch.cat(both)[None])[0].tolist()
                    losses.append(math.log(sum(map(math.exp, logits))) - logits[step])
    assert len(losses) == 200
    assert loss.item() == pytest.approx(sum(losses) / len(losses), rel=1e-5)


def test_chance_is_the_most_frequent_direction(few):
    method = prepared(few)
    assert sorted(method.frequencies.tolist()) == pytest.approx([4 / 40] * 4 + [6 / 40] * 4)
    assert method.loss_at_collapse() == pytest.approx(
        -4 * (0.1 * math.log(0.1) + 0.15 * math.log(0.15)), rel=1e-6
    )
    assert method.measures(few[np.arange(8)])["chance"].item() == pytest.approx(0.15)


def test_what_is_shown_is_what_was_said(few):
    method = prepared(few, views=Tiles(3, levelled=False))
    batch = few[np.arange(12)]
    shown = method.exhibit(batch)
    told, true = shown.pictures.values()
    for i, right in enumerate(shown.right):
        assert torch.equal(told[i], true[i]) == right
    (tiles,) = method.parts_.parts(batch)
    rows = tiles.x.view(12, 9, *tiles.x.shape[1:])
    high, step = rows.shape[3], rows.shape[3] + rows.shape[3] // 4
    for i, place in enumerate([0, 1, 2, 3, 5, 6, 7, 8, 0, 1, 2, 3]):
        for k in (4, place):
            y, x = k // 3 * step, k % 3 * step
            assert torch.equal(true[i, :, y : y + high, x : x + high], rows[i, k])
    assert set(shown.said) <= {
        *("above", "below", "left", "right"),
        *("upper left", "upper right", "lower left", "lower right"),
    }


@pytest.mark.parametrize("views", [Pair(Same()), Tiles(1)])
def test_a_sample_must_be_cut(few, views):
    with pytest.raises(ValueError, match="RelativePatch needs views that cut samples at 2 places or more"):
        prepared(few, views=views)
