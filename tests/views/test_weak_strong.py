"""A weak and a strong view of every kind, by every preset."""

import numpy as np
import pytest
import torch

from made_texts import made_texts
from replearn.data import Batch
from replearn.data.samples import ArraySamples, Samples
from replearn.data.series import SeriesSamples
from replearn.data.sound import SoundSamples
from replearn.data.text import TextSamples
from replearn.views import Flip, Pair, RandAugment, Same, default_views, split_to_json, view_from_json
from replearn.views.choose import make_views
from replearn.views.kinds import OWN


def samples_of(kind: str, channels: int = 3) -> Samples:
    rng = np.random.default_rng(0)
    if kind == "text":
        return TextSamples(made_texts(20))
    if kind == "table":
        return ArraySamples(rng.normal(size=(20, 6)).astype(np.float32))
    if kind == "sound":
        return SoundSamples(
            0.5 * np.sin(np.arange(800) * rng.uniform(0.1, 1, (20, 1))).astype(np.float32), rate=8000
        )
    if kind == "series":
        waves = np.sin(np.arange(60) * rng.uniform(0.02, 0.1, (20, channels, 1)))
        return SeriesSamples(waves.astype(np.float32))
    places = np.linspace(0, 2, 16)
    waves = rng.uniform(0, 2, (3, 20, channels, 1, 1))
    smooth = 0.5 + 0.5 * np.sin(waves[0] * places + waves[1] * places[:, None] + 3 * waves[2])
    return ArraySamples((255 * smooth).astype(np.uint8))


CASES = [(kind, preset) for kind, room in OWN.items() for preset in room.presets]


@pytest.mark.parametrize(("kind", "preset"), CASES)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_preset_has_a_weak_and_a_strong_view(kind: str, preset: str, channels: int) -> None:
    samples = samples_of(kind, channels)
    split = make_views(preset, samples, "weak_strong")
    batch = samples[np.arange(20)]
    torch.manual_seed(0)
    weak, strong = split(batch)
    assert isinstance(split, Pair)
    assert distance(strong, batch) > distance(weak, batch) >= 0
    assert view_from_json(split_to_json(split)) == split
    torch.manual_seed(0)
    # Strong views of tables and sounds take from other rows.
    part = split(batch.rows(3, 9)) if kind not in ("table", "sound") else None
    for own, whole in zip(part or (), (weak, strong), strict=part is not None):
        assert distance(own, whole.rows(3, 9)) < 1e-5


def distance(a: Batch, b: Batch) -> float:
    """How much two views of the same samples differ, of which one may be flipped."""
    if isinstance(a.x, tuple):
        return float(np.mean([one != other for one, other in zip(a.x, b.x, strict=True)]))
    one, other = a.floats().x, b.floats().x
    apart = [(one - seen).abs().flatten(1).mean(1) for seen in (other, other.flip(-1))]
    return float((torch.minimum(*apart) if one.ndim == 4 else apart[0]).mean())


def test_what_they_hold() -> None:
    for preset, flipped in (("photo", True), ("grey", True), ("directed", False), ("drawing", False)):
        weak, strong = whole(preset)
        assert (Flip in [type(view) for view in weak]) == flipped
        assert (RandAugment in [type(view) for view in strong]) == (preset != "drawing")


def whole(preset: str) -> tuple[tuple[object, ...], tuple[object, ...]]:
    split = make_views(preset, samples_of("image"), "weak_strong")
    assert isinstance(split, Pair)
    return split.view.views, split.other.views  # type: ignore[attr-defined, union-attr]


def test_samples_without_places_are_shown_as_they_are() -> None:
    for kind in ("table", "text"):
        split = default_views(samples_of(kind), "weak_strong")
        assert isinstance(split, Pair)
        assert split.view == Same()
