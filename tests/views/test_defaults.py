"""Which views samples get when a method is given none."""

import re

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from replearn.data import as_samples
from replearn.data.samples import ArraySamples
from replearn.views import Blur, Chain, Flip, Pair, Stroke, Swap, default_views, named_views
from replearn.views.defaults import preset_for
from replearn.views.evidence import evidence_of
from replearn.views.kinds import VIEWS


def photos(n: int, c: int, h: int, w: int) -> np.ndarray:
    """Smooth random pictures that use the whole range, as photographs do."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0 : 1 : h * 1j, 0 : 1 : w * 1j]
    waves = rng.normal(size=(4, n, c, 1, 1))
    z = waves[0] * x + waves[1] * y + waves[2] * np.sin(5 * x + 3 * waves[3]) + waves[3] * np.cos(6 * y)
    low, high = z.min((2, 3), keepdims=True), z.max((2, 3), keepdims=True)
    return (255 * (z - low) / (high - low)).astype(np.uint8)


def blobs(n: int, side: int = 28) -> np.ndarray:
    """Filled silhouettes on black, which point to either side: clothes, cells, leaves."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    wide, high, lean = (
        rng.uniform(low, high, (n, 1, 1)) for low, high in ((0.4, 0.8), (0.4, 0.8), (-0.4, 0.4))
    )
    return (
        (np.abs((x - lean * y) / wide) ** 3 + np.abs(y / high) ** 3 < 1) * rng.uniform(90, 255, (n, 1, 1))
    ).astype(np.uint8)[:, None]


def arrows(n: int, side: int = 28) -> np.ndarray:
    """Thick things with a head that is always to the right."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    place, high = rng.uniform(-0.2, 0.2, (n, 1, 1)), rng.uniform(0.6, 0.9, (n, 1, 1))
    return ((np.abs(y) < high * (0.8 - (x - place)) / 1.6) & (np.abs(x - place) < 0.8)).astype(np.uint8)[
        :, None
    ] * 255


def letters() -> np.ndarray:
    """Printed letters in two weights, 28 x 28, by Pillow's own font."""
    font = ImageFont.load_default(22)
    images = []
    for weight in (0, 1):
        for letter in "abcdefghjkmnpqrstuvyzBCDEFGJKLNPQRSZ2345679":
            image = Image.new("L", (28, 28))
            ImageDraw.Draw(image).text((7, 1), letter, fill=255, font=font, stroke_width=weight)
            images.append(np.asarray(image))
    return np.stack(images)[:, None]


def other_ways(images: np.ndarray) -> list[np.ndarray]:
    """The same images dark on light, as floats, larger, and with all of a kind side by side."""
    return [
        images,
        255 - images,
        (images / 255).astype(np.float32),
        images.repeat(3, 2).repeat(3, 3),
        images[np.argsort(images.mean((1, 2, 3)), kind="stable")],
    ]


def test_presets_of_unlike_sets(drawings):
    """What is drawn decides, not that the ground is flat; nor polarity, depth, size or order."""
    digits = as_samples("digits:test")[np.arange(400)].x.numpy()
    sets = {
        "drawing": [drawings, digits, letters()],
        "grey": [blobs(200), photos(60, 1, 28, 28), photos(60, 1, 64, 40)],
        "directed": [arrows(200)],
    }
    for preset, several in sets.items():
        for images in several:
            for seen in other_ways(images):
                assert preset_for(ArraySamples(seen)) == preset, (preset, evidence_of(ArraySamples(seen)))


def test_evidence_of_closed_forms():
    lines = np.zeros((50, 1, 40, 40), np.uint8)
    lines[:, :, 10:30, 18:21] = 255  # three pixels wide, twenty long
    found = evidence_of(ArraySamples(lines))
    assert found.flat == pytest.approx(1 - 60 / 1600)
    assert found.thickness == pytest.approx(3 / 20)
    squares = np.zeros((50, 1, 40, 40), np.uint8)
    squares[:, :, 10:31, 10:31] = 255
    assert evidence_of(ArraySamples(squares)).thickness == 1
    noise = np.random.default_rng(0).integers(0, 256, (1000, 1, 16, 16), dtype=np.uint8)
    assert abs(evidence_of(ArraySamples(noise)).mirrored - 0.5) < 0.1
    both = np.concatenate([arrows(200), arrows(200)[..., ::-1]])
    assert abs(evidence_of(ArraySamples(both)).mirrored - 0.5) < 0.2
    assert evidence_of(ArraySamples(arrows(200))).mirrored > 0.95


def test_little_is_known_of_few(drawings):
    assert preset_for(ArraySamples(drawings[:1])) == "drawing"
    assert evidence_of(ArraySamples(arrows(10))).mirrored == 0.5
    assert preset_for(ArraySamples(np.zeros((3, 1, 8, 8), np.uint8))) == "drawing"


def test_other_channels_and_kinds():
    assert preset_for(ArraySamples(photos(20, 3, 28, 28))) == "photo"
    assert preset_for(ArraySamples(photos(20, 5, 28, 28))) == "grey"
    assert preset_for(ArraySamples(np.zeros((5, 7), dtype=np.float32))) == "table"


def test_the_choice_is_said_with_its_numbers(drawings, caplog):
    for images, line in (
        (
            drawings,
            r"^views: drawing, since \d+% of the pixels are a flat ground and what is drawn is 0.\d\d as thick",
        ),
        (
            blobs(200),
            r"^views: grey, since what is drawn is 0.\d\d as thick as long .*choose others by --views or view",
        ),
        (
            arrows(200),
            r"^views: directed, since .* \d+% of the images look more like others than their mirror",
        ),
        (photos(20, 3, 28, 28), "^views: photo, since images have three channels"),
    ):
        caplog.clear()
        with caplog.at_level("INFO", logger="replearn"):
            default_views(ArraySamples(images))
        (record,) = caplog.records
        assert re.match(line, record.getMessage()), record.getMessage()


def test_what_presets_hold(drawings):
    drawing = default_views(ArraySamples(drawings))
    assert isinstance(drawing, Pair)
    assert isinstance(drawing.view, Chain)
    kinds = [type(view) for view in drawing.view.views]
    assert Stroke in kinds
    assert Flip not in kinds
    directed = named_views("directed", ArraySamples(drawings)).view
    grey = named_views("grey", ArraySamples(drawings)).view
    assert [view for view in grey.views if not isinstance(view, Flip)] == list(directed.views)
    assert len(grey.views) == len(directed.views) + 1
    small = named_views("photo", ArraySamples(photos(4, 3, 32, 32)))
    large = named_views("photo", ArraySamples(photos(4, 3, 64, 64)))
    assert Blur not in [type(view) for view in small.view.views]
    assert Blur in [type(view) for view in large.view.views]
    assert isinstance(default_views(ArraySamples(np.zeros((5, 7), dtype=np.float32))).view, Swap)


@pytest.mark.parametrize("name", [*VIEWS["image"].presets, "table"])
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (3, 64, 48), (4, 5, 9), (7, 40, 40)], ids=str)
def test_every_preset_runs_on_every_shape(name, shape):
    samples = ArraySamples(np.zeros((6, 4), dtype=np.float32) if name == "table" else photos(6, *shape))
    batch = samples[np.arange(6)]
    for seen in named_views(name, samples)(batch):
        assert seen.x.shape == batch.x.shape


def test_unknown_names_and_kinds(drawings):
    samples = ArraySamples(drawings)
    with pytest.raises(
        ValueError,
        match=r"photo, grey, directed, drawing, table, text, .*; got 'drawin'. Did you mean 'drawing'\?",
    ):
        named_views("drawin", samples)
    with pytest.raises(ValueError, match=r"not for samples of kind 'image'; use 'drawing'"):
        named_views("table", samples)
    samples.kind = "smell"
    with pytest.raises(ValueError, match=r"got samples of kind 'smell'. Give views."):
        default_views(samples)
