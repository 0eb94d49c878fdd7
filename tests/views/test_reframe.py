"""Scenes, boxes and masks move together."""

import numpy as np
import pytest
import torch

from replearn.data.samples import Batch
from replearn.data.scene_samples import VOID
from replearn.views.reframe import Frames, Reframe


def batch(n=6, size=64):
    x = torch.zeros(n, 3, size, size)
    x[:, :, 20:36, 24:44] = 1
    unknown = torch.full((n,), -1)
    return Batch(x, unknown, torch.arange(n))


BOX, LABEL = torch.tensor([[24.0, 20, 44, 36]]), torch.tensor([3])


def test_boxes_and_masks_lie_where_the_images_are():
    torch.manual_seed(0)
    given = batch(40)
    frames = Reframe(zoom=0.3, shift=0.1).draw(given)
    seen = frames.images(given).x[:, 0]
    masks = frames.masks((given.x[:, 0] * 7).to(torch.uint8))
    for i in range(40):
        boxes, labels = frames.boxes(i, BOX, LABEL, (64, 64))
        rows, columns = torch.nonzero(seen[i] > 0.5, as_tuple=True)
        found = torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]).float()
        assert (boxes[0] - found).abs().max() <= 1.01
        assert labels.tolist() == [3]
        inside = masks[i] == 7
        assert ((seen[i] > 0.5) != inside).float().mean() < 0.02
        assert set(masks[i].unique().tolist()) <= {0, 7, VOID}


def test_closed_forms():
    still = Frames(torch.ones(1), torch.zeros(1, 2), torch.tensor([False]))
    flipped = Frames(torch.ones(1), torch.zeros(1, 2), torch.tensor([True]))
    one = batch(1)
    torch.testing.assert_close(still.images(one).x, one.x)
    torch.testing.assert_close(flipped.images(one).x, one.x.flip(3))
    assert flipped.boxes(0, BOX, LABEL, (64, 64))[0].tolist() == [[20, 20, 40, 36]]
    away = Frames(torch.ones(1), torch.tensor([[0.55, 0]]), torch.tensor([False]))
    assert away.boxes(0, BOX, LABEL, (64, 64))[0].tolist() == []  # a quarter is left
    shifted = away.masks(torch.zeros(1, 64, 64, dtype=torch.uint8))
    assert (shifted[0, :, :35] == VOID).all()
    assert (shifted[0, :, 36:] == 0).all()


def test_parts_of_a_batch_are_framed_as_the_whole_is():
    given = batch(6)
    torch.manual_seed(1)
    whole = Reframe().draw(given)
    torch.manual_seed(1)
    part = Reframe().draw(given.rows(2, 5))
    assert torch.equal(whole.scale[2:5], part.scale)
    assert torch.equal(whole.move[2:5], part.move)


def test_nothing_moves_where_nothing_is_asked_for():
    given = batch()
    frames = Reframe(flip=0, zoom=0, shift=0).draw(given)
    torch.testing.assert_close(frames.images(given).x, given.x)
    assert np.array_equal(frames.boxes(0, BOX, LABEL, (64, 64))[0].numpy(), BOX.numpy())


@pytest.mark.parametrize("fields", [{"flip": 2}, {"zoom": -1}, {"shift": -0.1}])
def test_fields_out_of_range_are_refused(fields):
    with pytest.raises(ValueError, match=next(iter(fields))):
        Reframe(**fields)
