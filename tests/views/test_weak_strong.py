"""A weak and a strong view of every kind, by every preset."""

import numpy as np
import pytest
import torch

from made_texts import made_texts
from replearn.data import Batch, as_samples
from replearn.data.samples import ArraySamples, Samples
from replearn.data.text import TextSamples
from replearn.views import Flip, Pair, RandAugment, Same, default_views, split_to_json, view_from_json
from replearn.views.choose import make_views
from replearn.views.kinds import OWN


def samples_of(kind: str, channels: int = 3) -> Samples:
    rng = np.random.default_rng(0)
    if kind == "text":
        return TextSamples(made_texts(20))
    if kind == "sequence":
        return as_samples(["ACGTTGCANN" * 6] * 20, kind="sequence:alphabet=dna")
    if kind == "table":
        return ArraySamples(rng.normal(size=(20, 6)).astype(np.float32))
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
    part = split(batch.rows(3, 9)) if kind != "table" else None  # whose strong view takes from other rows
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
