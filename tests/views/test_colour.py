"""Colour views against torchvision's functions image by image, and fusion against one after another."""

import pytest
import torch
from torchvision.transforms import functional as tv

from replearn.data.samples import Batch
from replearn.views import Brightness, Chain, Colour, Contrast, Grey, Hue, Saturation
from replearn.views.colour import ColourView, grey_weights, recolour


def dim(make_batch, *shape: int) -> Batch:
    """Images so far from black and white that nothing is clamped."""
    batch = make_batch(*shape)
    return batch.with_x(batch.x * 0.2 + 0.4)


def drawn(n: int, strength: float, seed: int) -> torch.Tensor:
    torch.manual_seed(seed)
    return 1 - strength + 2 * strength * torch.rand(n)


@pytest.mark.parametrize(
    ("view", "function"),
    [
        (Brightness(0.5), tv.adjust_brightness),
        (Contrast(0.5), tv.adjust_contrast),
        (Saturation(0.5), tv.adjust_saturation),
    ],
    ids=["Brightness", "Contrast", "Saturation"],
)
def test_jitter_is_torchvisions(view, function, make_batch):
    batch = make_batch(6, 3, 9, 7)
    factors = drawn(6, 0.5, seed=4)
    torch.manual_seed(4)
    seen = view(batch).x
    expected = torch.stack([function(x, float(f)) for x, f in zip(batch.x, factors, strict=True)])
    # torchvision weighs red by .2989, not .299.
    torch.testing.assert_close(seen, expected, atol=2e-4, rtol=0)


def test_grey_is_torchvisions(make_batch):
    batch = make_batch(4, 3, 5, 5)
    expected = tv.rgb_to_grayscale(batch.x, num_output_channels=3)
    torch.testing.assert_close(Grey(1.0)(batch).x, expected, atol=2e-4, rtol=0)
    torch.testing.assert_close(Grey(0.0)(batch).x, batch.x)
    many = make_batch(1000, 3, 1, 1)
    changed = ((Grey(0.2)(many).x - many.x).abs().amax((1, 2, 3)) > 1e-3).float().mean()
    assert abs(changed - 0.2) < 0.05


def chroma(x: torch.Tensor) -> torch.Tensor:
    """I and Q of each pixel, `(n, 2, h, w)`."""
    parts = torch.tensor([[0.595716, -0.274453, -0.321263], [0.211456, -0.522591, 0.311135]])
    return torch.einsum("kc,nchw->nkhw", parts, x)


def test_hue_turns_chroma_as_torchvision_does_and_keeps_luma_and_grey(make_batch):
    batch = dim(make_batch, 16, 3, 6, 6)
    torch.manual_seed(1)
    seen = Hue(0.3)(batch).x
    torch.manual_seed(1)
    turns = torch.rand(16) * 0.6 - 0.3
    expected = torch.stack([tv.adjust_hue(x, float(t)) for x, t in zip(batch.x, turns, strict=True)])
    # Not turned, the similarity is .5; turned the wrong way, 0.
    assert torch.cosine_similarity(chroma(seen), chroma(expected), dim=1).mean() > 0.95
    weights = grey_weights(3, batch.x.device)
    torch.testing.assert_close(
        torch.einsum("nchw,c->nhw", seen, weights), torch.einsum("nchw,c->nhw", batch.x, weights)
    )
    grey = batch.with_x(batch.x[:, :1].repeat(1, 3, 1, 1))
    torch.testing.assert_close(Hue(0.5)(grey).x, grey.x)


def test_a_whole_turn_of_hue_is_nothing_and_thirds_move_red_towards_green(make_batch):
    batch = dim(make_batch, 1, 3, 1, 1)
    red = batch.with_x(torch.tensor([0.6, 0.4, 0.4]).view(1, 3, 1, 1).expand(400, -1, -1, -1).contiguous())
    red = Batch(red.x, torch.zeros(400, dtype=torch.long), torch.arange(400))
    torch.manual_seed(0)
    seen = Hue(0.5)(red).x[:, :, 0, 0]
    torch.manual_seed(0)
    turns = torch.rand(400) - 0.5
    third = seen[(turns - 1 / 3).abs().argmin()]
    assert third.argmax() == 1  # +1/3 of the circle is green, as in HSV
    torch.testing.assert_close(seen[turns.abs().argmin()], red.x[0, :, 0, 0], atol=5e-3, rtol=0)


@pytest.mark.parametrize("c", [1, 2, 3, 5])
def test_a_fused_chain_is_what_its_views_do_one_after_another(c, make_batch):
    batch = dim(make_batch, 7, c, 6, 4)
    views = (
        Contrast(0.3),
        Brightness(0.2),
        Grey(0.5),
        Contrast(0.4),
        Saturation(0.4),
        Hue(0.1),
        Contrast(0.2),
    )
    torch.manual_seed(2)
    fused = Chain(*views)(batch).x
    torch.manual_seed(2)
    one_by_one = batch
    for view in views:
        one_by_one = view(one_by_one)
    assert (fused - batch.x).abs().max() > 0.02
    torch.testing.assert_close(fused, one_by_one.x, atol=2e-6, rtol=0)


def test_maps_are_multiplied_in_order(make_batch):
    class Fixed(ColourView):
        def __init__(self, step):
            self.step = step

        def colour_map(self, batch, mean):
            return self.step

    batch = dim(make_batch, 2, 3, 4, 4)
    torch.manual_seed(0)
    first, second = torch.eye(3, 4) + 0.1 * torch.randn(2, 2, 3, 4)
    seen = recolour(batch, (Fixed(first), Fixed(second))).x
    for n in range(2):
        x = batch.x[n].flatten(1)
        for step in (first[n], second[n]):
            x = step[:, :3] @ x + step[:, 3:]
        torch.testing.assert_close(seen[n].flatten(1), x.clamp(0, 1))


def test_colour_is_its_four_views_with_some_probability(make_batch):
    batch = dim(make_batch, 9, 3, 4, 4)
    torch.manual_seed(6)
    seen = Colour(0.5, 1.0)(batch).x
    torch.manual_seed(6)
    expected = recolour(batch, (Brightness(0.4), Contrast(0.4), Saturation(0.4), Hue(0.1))).x
    torch.testing.assert_close(seen, expected)
    torch.testing.assert_close(Colour(1.0, 0.0)(batch).x, batch.x)
    many = dim(make_batch, 1000, 3, 2, 2)
    changed = ((Colour(0.5, 0.8)(many).x - many.x).abs().amax((1, 2, 3)) > 1e-4).float().mean()
    assert abs(changed - 0.8) < 0.05


@pytest.mark.parametrize("c", [1, 2, 4, 7])
def test_other_numbers_of_channels(c, make_batch):
    batch = make_batch(3, c, 4, 5)
    torch.testing.assert_close(Hue(0.5)(batch).x, batch.x)
    torch.testing.assert_close(Grey(1.0)(batch).x, batch.x.mean(1, keepdim=True).expand_as(batch.x))
    if c == 1:
        torch.testing.assert_close(Saturation(0.9)(batch).x, batch.x)


def test_a_factor_is_never_negative(make_batch):
    batch = make_batch(500, 1, 2, 2)
    assert (Brightness(3.0)(batch).x >= 0).all()
    factors = Brightness(3.0).colour_map(batch, batch.x.mean((2, 3)))[:, 0, 0]
    assert 0 <= factors.min() < 0.05
    assert 3.9 < factors.max() <= 4


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Brightness(-0.1), "strength of Brightness must be at least 0; got -0.1"),
        (lambda: Contrast(-0.1), "strength of Contrast"),
        (lambda: Saturation(float("inf")), "strength of Saturation"),
        (lambda: Hue(0.6), "turn of Hue must lie from 0 to 0.5; got 0.6"),
        (lambda: Grey(2.0), "probability of Grey"),
        (lambda: Colour(3.0), "strength of Colour must lie from 0 to 2.5; got 3.0"),
        (lambda: Colour(0.5, -1.0), "probability of Colour"),
    ],
)
def test_bad_fields(make, message):
    with pytest.raises(ValueError, match=message):
        make()
