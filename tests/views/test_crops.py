"""Large and small crops: their sizes, their number, and what they keep of a preset's views."""

import numpy as np
import pytest

from replearn.data import TextSamples
from replearn.data.samples import ArraySamples
from replearn.views import (
    Chain,
    Crop,
    MultiCrop,
    Swap,
    default_views,
    named_views,
    view_from_json,
    view_to_json,
)
from replearn.views.crops import small_side
from replearn.views.kinds import VIEWS


def images(*shape: int, n: int = 6) -> ArraySamples:
    return ArraySamples(np.random.default_rng(0).integers(0, 256, (n, *shape), dtype=np.uint8))


def sides(split: MultiCrop, samples: ArraySamples) -> list[tuple[int, ...]]:
    return [tuple(view.x.shape[2:]) for view in split(samples[np.arange(len(samples))])]


def test_little_images_have_few_small_crops_of_half_the_side() -> None:
    for shape, small in (((1, 28, 28), (16, 16)), ((3, 32, 32), (16, 16)), ((3, 32, 20), (16, 12))):
        samples = images(*shape)
        split = default_views(samples, "crops")
        assert sides(split, samples) == [shape[1:]] * 2 + [small] * 2


def test_small_crops_of_drawings_show_most_of_them() -> None:
    samples = images(1, 28, 28)
    split = named_views("drawing", samples, "crops")
    assert sides(split, samples) == [(28, 28)] * 2 + [(20, 20)] * 2
    assert (split.small.views[0].scale_low, split.small.views[0].scale_high) == (0.5, 0.9)


def test_large_images_have_the_papers() -> None:
    samples = images(3, 224, 224, n=2)
    split = default_views(samples, "crops")
    assert sides(split, samples) == [(224, 224)] * 2 + [(96, 96)] * 6
    large, small = split.large.views[0], split.small.views[0]
    assert isinstance(large, Crop)
    assert isinstance(small, Crop)
    assert (large.scale_low, large.scale_high, small.scale_low, small.scale_high) == (0.4, 1.0, 0.05, 0.4)


@pytest.mark.parametrize("name", [*VIEWS["image"].presets, "table", "text"])
def test_crops_differ_from_a_pair_in_the_crop_only(name: str) -> None:
    samples = {
        "table": ArraySamples(np.zeros((6, 4), dtype=np.float32)),
        "text": TextSamples(["some words of a text"] * 6),
    }.get(name) or images(3, 64, 48)
    split, pair = named_views(name, samples, "crops"), named_views(name, samples)
    assert isinstance(split, MultiCrop)
    assert view_from_json(view_to_json(split)) == split
    if name == "table":
        return
    for view in (split.large, split.small):
        assert isinstance(view, Chain)
        assert view.views[1:] == pair.view.views[1:]


def test_small_views_of_tables_swap_more() -> None:
    samples = ArraySamples(np.random.default_rng(0).normal(size=(2000, 4)).astype(np.float32))
    split = default_views(samples, "crops")
    assert isinstance(split.large, Swap)
    batch = samples[np.arange(2000)]
    kept = [float((view.x == batch.x).float().mean()) for view in split(batch)]
    assert kept == pytest.approx([0.7, 0.7, 0.4, 0.4], abs=0.03)


@pytest.mark.parametrize("side", range(1, 70))
def test_a_small_side_is_never_larger_nor_tiny(side: int) -> None:
    small = small_side(side, 0.5)
    assert min(side, 8) <= small <= side
    assert side < 16 or small < side
