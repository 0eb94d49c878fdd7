"""Which views samples get when a method is given none."""

import numpy as np
import pytest

from replearn.data.samples import ArraySamples
from replearn.views import Blur, Chain, Flip, Pair, Stroke, Swap, default_views, named_views
from replearn.views.defaults import PRESETS, is_drawing, preset_for


def photos(n: int, c: int, h: int, w: int) -> np.ndarray:
    """Smooth random pictures that use the whole range, as photographs do."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0 : 1 : h * 1j, 0 : 1 : w * 1j]
    waves = rng.normal(size=(4, n, c, 1, 1))
    z = waves[0] * x + waves[1] * y + waves[2] * np.sin(5 * x + 3 * waves[3]) + waves[3] * np.cos(6 * y)
    low, high = z.min((2, 3), keepdims=True), z.max((2, 3), keepdims=True)
    return (255 * (z - low) / (high - low)).astype(np.uint8)


def test_drawings_have_one_channel_and_a_flat_background(drawings):
    assert is_drawing(ArraySamples(drawings))
    assert is_drawing(ArraySamples(255 - drawings))
    assert is_drawing(ArraySamples((drawings / 255).astype(np.float32)))
    assert is_drawing(ArraySamples(drawings[:1]))
    assert not is_drawing(ArraySamples(drawings.repeat(3, axis=1)))
    assert not is_drawing(ArraySamples(photos(40, 1, 28, 28)))
    assert not is_drawing(ArraySamples(np.random.default_rng(0).random((20, 1, 28, 28), dtype=np.float32)))


def test_the_preset_follows_the_samples(drawings):
    assert preset_for(ArraySamples(drawings)) == "drawing"
    assert preset_for(ArraySamples(photos(20, 1, 28, 28))) == "grey"
    assert preset_for(ArraySamples(photos(20, 3, 28, 28))) == "photo"
    assert preset_for(ArraySamples(photos(20, 5, 28, 28))) == "grey"
    assert preset_for(ArraySamples(np.zeros((5, 7), dtype=np.float32))) == "table"


def test_what_presets_hold(drawings):
    drawing = default_views(ArraySamples(drawings))
    assert isinstance(drawing, Pair)
    assert isinstance(drawing.view, Chain)
    kinds = [type(view) for view in drawing.view.views]
    assert Stroke in kinds
    assert Flip not in kinds
    small = named_views("photo", ArraySamples(photos(4, 3, 32, 32)))
    large = named_views("photo", ArraySamples(photos(4, 3, 64, 64)))
    assert Blur not in [type(view) for view in small.view.views]
    assert Blur in [type(view) for view in large.view.views]
    assert isinstance(default_views(ArraySamples(np.zeros((5, 7), dtype=np.float32))).view, Swap)


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "text"])  # see test_text
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (3, 64, 48), (4, 5, 9), (7, 40, 40)], ids=str)
def test_every_preset_runs_on_every_shape(name, shape):
    samples = ArraySamples(np.zeros((6, 4), dtype=np.float32) if name == "table" else photos(6, *shape))
    batch = samples[np.arange(6)]
    for seen in named_views(name, samples)(batch):
        assert seen.x.shape == batch.x.shape


def test_unknown_names_and_kinds(drawings):
    samples = ArraySamples(drawings)
    with pytest.raises(
        ValueError, match=r"photo, grey, drawing, table, text; got 'drawin'. Did you mean 'drawing'\?"
    ):
        named_views("drawin", samples)
    with pytest.raises(ValueError, match=r"not for samples of kind 'image'; use 'drawing'"):
        named_views("table", samples)
    samples.kind = "sound"
    with pytest.raises(ValueError, match=r"got samples of kind 'sound'. Give views."):
        default_views(samples)
