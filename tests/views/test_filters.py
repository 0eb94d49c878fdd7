"""Blur, solarize, noise, cutout, Sobel and stroke against torchvision, direct formulas and scipy."""

import numpy as np
import pytest
import torch
from scipy import ndimage
from torchvision.transforms import functional as tv

from replearn.data.samples import Batch
from replearn.views import Blur, Cutout, Noise, Sobel, Solarize, Stroke


def test_blur_is_torchvisions_away_from_the_border(make_batch):
    batch = make_batch(4, 3, 24, 20)
    torch.manual_seed(4)
    seen = Blur(0.5, 2.0, 1.0)(batch).x
    torch.manual_seed(4)
    sigmas = (0.5 + 1.5 * torch.rand(4)).tolist()
    assert max(sigmas) - min(sigmas) > 0.5
    for n in range(4):
        expected = tv.gaussian_blur(batch.x[n], [13, 13], [sigmas[n]] * 2)  # reflects at the border
        torch.testing.assert_close(seen[n, :, 6:-6, 6:-6], expected[:, 6:-6, 6:-6], atol=1e-5, rtol=0)
        whole = ndimage.gaussian_filter(
            batch.x[n].numpy(), (0, sigmas[n], sigmas[n]), mode="nearest", radius=(0, 6, 6)
        )
        np.testing.assert_allclose(seen[n], whole, atol=1e-5)


def test_blur_with_no_chance_is_the_image(make_batch):
    batch = make_batch(5, 2, 6, 6)
    torch.testing.assert_close(Blur(0.1, 2.0, 0.0)(batch).x, batch.x)
    many = make_batch(600, 1, 2, 2)
    changed = ((Blur(1.0, 2.0, 0.3)(many).x - many.x).abs().amax((1, 2, 3)) > 1e-4).float().mean()
    assert abs(changed - 0.3) < 0.06


def test_solarize_is_torchvisions(make_batch):
    batch = make_batch(5, 3, 6, 6)
    torch.testing.assert_close(Solarize(0.4, 1.0)(batch).x, tv.solarize(batch.x, 0.4))
    torch.testing.assert_close(Solarize(0.4, 0.0)(batch).x, batch.x)


def test_noise_has_its_standard_deviation_and_is_clamped(make_batch):
    batch = make_batch(50, 3, 20, 20)
    added = Noise(0.05)(batch.with_x(torch.full_like(batch.x, 0.5))).x - 0.5
    torch.testing.assert_close(added.std(), torch.tensor(0.05), rtol=0.03, atol=0)
    # Channels and pixels get noise of their own.
    assert abs(torch.corrcoef(added.flatten(2).transpose(0, 1).flatten(1))[0, 1]) < 0.05
    loud = Noise(2.0)(batch).x
    assert loud.min() == 0
    assert loud.max() == 1


def test_cutout_fills_one_rectangle_with_the_mean(make_batch):
    batch = make_batch(300, 2, 40, 40)
    seen = Cutout(0.1, 0.3)(batch).x
    hole = (seen != batch.x).any(1)  # (n, h, w)
    area = hole.float().mean((1, 2))
    assert 0.07 < area.min() < 0.12
    assert 0.28 < area.max() < 0.33
    assert abs(area.mean() - 0.2) < 0.01
    rectangle = hole.any(2)[:, :, None] & hole.any(1)[:, None, :]
    assert torch.equal(hole, rectangle)
    means = batch.x.mean((2, 3))[:, :, None, None].expand_as(seen)
    torch.testing.assert_close(torch.where(hole[:, None], seen, means), means)
    top, left = hole.any(2).float().argmax(1), hole.any(1).float().argmax(1)
    assert max(top.min(), left.min()) == 0
    assert min(top.max(), left.max()) > 20
    assert abs(torch.corrcoef(torch.stack([top, left]).float())[0, 1]) < 0.25


def test_sobel_is_the_length_of_the_gradient(make_batch):
    batch = make_batch(3, 4, 11, 8)
    seen = Sobel()(batch).x.numpy()
    for n in range(3):
        for c in range(4):
            right = ndimage.sobel(batch.x[n, c].numpy(), axis=1, mode="nearest")
            down = ndimage.sobel(batch.x[n, c].numpy(), axis=0, mode="nearest")
            np.testing.assert_allclose(seen[n, c], np.minimum(np.hypot(right, down) / 4, 1), atol=1e-5)
    step = torch.zeros(1, 1, 6, 6)
    step[..., 3:] = 1
    edges = Sobel()(Batch(step, torch.zeros(1, dtype=torch.long), torch.zeros(1, dtype=torch.long))).x
    torch.testing.assert_close(edges[0, 0, 0], torch.tensor([0.0, 0, 1, 1, 0, 0]))


@pytest.mark.parametrize("largest", [0.6, 1.0, 2.5])
def test_stroke_mixes_maxima_or_minima_of_neighbours(largest, make_batch):
    batch = make_batch(12, 2, 9, 11)
    torch.manual_seed(8)
    seen = Stroke(largest, 1.0)(batch).x.numpy()
    torch.manual_seed(8)
    radii = (torch.rand(12) * 2 * largest - largest).tolist()
    assert min(radii) < 0 < max(radii)
    for n, radius in enumerate(radii):
        pool = ndimage.maximum_filter if radius > 0 else ndimage.minimum_filter
        whole, part = int(abs(radius)), abs(radius) % 1
        for c in range(2):
            image = batch.x[n, c].numpy()
            inner = pool(image, 2 * whole + 1, mode="nearest")
            outer = pool(image, 2 * whole + 3, mode="nearest")
            np.testing.assert_allclose(seen[n, c], (1 - part) * inner + part * outer, atol=1e-5)


def test_stroke_with_no_radius_or_chance_is_the_image(make_batch):
    batch = make_batch(5, 1, 6, 6)
    for view in (Stroke(0.0, 1.0), Stroke(1.0, 0.0)):
        torch.testing.assert_close(view(batch).x, batch.x)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Blur(2.0, 1.0), "sigma_low <= sigma_high of Blur"),
        (lambda: Blur(0.0, 1.0), "sigma_low <= sigma_high of Blur"),
        (lambda: Blur(0.1, 1.0, 1.5), "probability of Blur"),
        (lambda: Solarize(1.5), "threshold of Solarize must lie from 0 to 1; got 1.5"),
        (lambda: Solarize(0.5, -0.5), "probability of Solarize"),
        (lambda: Noise(-0.1), "std of Noise"),
        (lambda: Cutout(0.5, 0.2), "area_low <= area_high of Cutout"),
        (lambda: Stroke(-1.0), "radius of Stroke"),
        (lambda: Stroke(1.0, 3.0), "probability of Stroke"),
    ],
)
def test_bad_fields(make, message):
    with pytest.raises(ValueError, match=message):
        make()
