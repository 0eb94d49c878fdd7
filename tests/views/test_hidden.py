"""Holes in images: three masks, what they are filled with, and what counts."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from replearn import as_samples
from replearn.data.samples import Batch
from replearn.views import Hidden, default_views
from replearn.views.choose import make_views
from replearn.views.hidden import weights_of


def images(n=64, size=32):
    return torch.from_numpy(np.random.default_rng(0).random((n, 3, size, size), dtype=np.float32))


def views(mask, x, **given):
    torch.manual_seed(0)
    n = len(x)
    return Hidden(mask, **given)(Batch(x, torch.zeros(n).long(), torch.arange(n)))


def holes(mask):
    return views(mask, images())[2].x == 1


def test_the_centre_is_half_as_high_and_wide():
    hole = holes("centre")
    assert hole[:, :, 8:24, 8:24].all()
    assert (hole.flatten(1).sum(1) == 16 * 16).all()


def test_blocks_are_squares_and_cover_a_quarter_at_most():
    hole = holes("blocks")
    areas = hole.flatten(1).float().mean(1)
    assert 1 / 16 <= areas.min() < areas.max() <= 1 / 4
    eroded = -F.max_pool2d(-hole.float(), 8, stride=1)  # where a whole block begins
    opened = F.max_pool2d(F.pad(eroded, (7, 7, 7, 7)), 8, stride=1)
    assert torch.equal(opened.bool(), hole)
    assert hole.any(0).float().mean() > 0.95  # they may lie anywhere


def test_a_region_is_a_fifth_to_three_tenths_in_few_pieces():
    hole = holes("region")
    areas = hole.flatten(1).float().mean(1)
    assert 0.195 <= areas.min() < areas.max() <= 0.305
    assert areas.std() > 0.015
    edges = (hole[..., 1:] != hole[..., :-1]).float().mean()
    assert edges < 0.1  # scattered pixels would have .37
    assert not any(torch.equal(hole[0], other) for other in hole[1:])
    shares = (views("region", images(600, 16))[2].x == 1).float().mean((0, 1))
    assert abs(shares[0].mean() - shares[8].mean()) < 0.06  # at the border as in the middle


def test_the_hole_is_filled_and_all_else_stays():
    x = images(8)
    seen, target, weights = views("region", x, fill=(0.1, 0.2, 0.3))
    assert torch.equal(target.x, x)
    fill = torch.tensor([0.1, 0.2, 0.3]).view(1, 3, 1, 1)
    torch.testing.assert_close(seen.x, torch.where(weights.x == 1, fill, x))


def test_the_fill_is_the_mean_colour_of_the_samples():
    samples = as_samples((images(20) * torch.tensor([0.2, 0.5, 1.0]).view(1, 3, 1, 1)).numpy())
    mean = samples.statistics[0].tolist()
    assert make_views(Hidden("blocks"), samples).fill == pytest.approx(mean)
    assert make_views(None, samples, "hidden").fill == pytest.approx(mean)
    assert default_views(samples, "hidden").fill is None
    assert make_views(Hidden("blocks", fill=(1.0,)), samples).fill == (1.0,)


def test_border_pixels_count_ten_times_and_are_visible():
    hole = torch.zeros(1, 1, 32, 32, dtype=torch.bool)
    hole[..., 10:20, 12:18] = True
    weights = weights_of(hole)
    expected = torch.zeros(1, 1, 32, 32)
    expected[..., 8:22, 10:20] = 10  # 7 of 128 pixels are 2 of 32
    expected[hole] = 1
    assert torch.equal(weights, expected)


def test_other_masks_are_refused():
    with pytest.raises(ValueError, match="must be centre, blocks or region; got 'middle'"):
        Hidden("middle")
