"""Lab and back, grey, and the bins of colours."""

import numpy as np
import pytest
import torch

from replearn.data.samples import Batch
from replearn.views import GreyOf
from replearn.views.lab import OFFSET, SPAN, WIDTH, colour_bins, grey, lab, rgb


def images(n=3, size=8):
    return torch.from_numpy(np.random.default_rng(0).random((n, 3, size, size), dtype=np.float32))


def test_known_colours():
    """Of the literature, for sRGB red, green and blue."""
    found = lab(torch.eye(3)[:, :, None, None])[..., 0, 0].double()
    found = torch.stack([100 * found[:, 0], SPAN * found[:, 1] - OFFSET, SPAN * found[:, 2] - OFFSET], 1)
    expected = torch.tensor([[53.24, 80.09, 67.20], [87.73, -86.18, 83.18], [32.30, 79.19, -107.86]]).double()
    torch.testing.assert_close(found, expected, atol=0.1, rtol=0)


def test_there_and_back():
    x = torch.cat([images(), torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 8, 8)])
    torch.testing.assert_close(rgb(lab(x)), x, atol=1e-4, rtol=0)


def test_grey_has_the_lightness_and_no_colour():
    x = images()
    found = lab(grey(x))
    torch.testing.assert_close(found[:, 0], lab(x)[:, 0], atol=1e-4, rtol=0)
    torch.testing.assert_close(found[:, 1:], torch.full_like(found[:, 1:], OFFSET / SPAN), atol=1e-3, rtol=0)
    torch.testing.assert_close(grey(grey(x)), grey(x), atol=1e-4, rtol=0)


def test_bins_are_those_that_colours_are_rounded_to():
    bins = colour_bins()
    assert len(bins) == 261
    assert bins.remainder(WIDTH).abs().max() == 0
    known = {tuple(row) for row in bins.tolist()}
    colours = (SPAN * lab(images(16))[:, 1:] - OFFSET).movedim(1, 3).reshape(-1, 2)
    assert {tuple(row) for row in ((colours / WIDTH).round() * WIDTH + 0.0).tolist()} <= known
    assert (0.0, 0.0) in known
    assert (100.0, 100.0) not in known  # no colour of sRGB


def test_colours_are_at_a_quarter_of_the_size_and_grey_knows_none():
    x = images(2, 8)
    batch = Batch(x, torch.zeros(2).long(), torch.arange(2))
    seen, colours = GreyOf().parts(batch)
    assert colours.x.shape == (2, 2, 2, 2)
    torch.testing.assert_close(colours.x[:, :, 0, 1], lab(x)[:, 1:, :4, 4:].mean((2, 3)))
    assert torch.equal(seen.x[:, 0], seen.x[:, 1]) or (seen.x[:, 0] - seen.x[:, 1]).abs().max() < 1e-4
    swapped = rgb(torch.cat([lab(x)[:, :1], torch.full((2, 2, 8, 8), OFFSET / SPAN)], 1))
    torch.testing.assert_close(GreyOf().parts(batch.with_x(swapped))[0].x, seen.x, atol=1e-4, rtol=0)


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_other_channels_are_refused(channels):
    batch = Batch(torch.zeros(1, channels, 4, 4), torch.zeros(1).long(), torch.zeros(1).long())
    with pytest.raises(ValueError, match=f"three channels; got {channels}. Give colour images"):
        GreyOf()(batch)
