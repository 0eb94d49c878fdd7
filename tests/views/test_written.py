"""Views in writing: what they mean, what is refused, and that a method takes them and a run keeps them."""

import numpy as np
import pytest

import replearn
from replearn.views import Blur, Chain, Crop, Flip, Grey, Hidden, MultiCrop, Pair, RandAugment, Same, Tiles
from replearn.views.written import views_as_written


@pytest.mark.parametrize(
    "views",
    [
        Pair(Chain(Crop(0.4, 1.0), Flip(), Grey(0.2), Blur())),
        Pair(RandAugment(), Same()),
        MultiCrop(Crop(0.4, 1.0), Crop(0.1, 0.4, size=16), n_small=3),
        Tiles(grid=2, levelled=False, each=Grey(0.5)),
        Hidden("blocks"),
    ],
)
def test_what_is_printed_can_be_written(views) -> None:
    assert views_as_written(repr(views)) == views


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Tiles(2", "written as in Python.*Mind brackets"),
        ("(" * 3000 + ")" * 3000, "written as in Python"),
        ("Flip(" * 2000 + ")" * 2000, "written as in Python"),
        ("Tiels(2)", r"got 'Tiels'. Did you mean 'Tiles'\?"),
        ("Tiles(gird=2)", r"Tiles has no field 'gird'.*Did you mean 'grid'\?"),
        ("Tiles(**{'grid': 2})", "Tiles has no field None"),
        ("Tiles(*[1])", "must be a number, a text in quotes, a tuple or a view; got"),
        ("Tiles(2, grid=3)", "at most one value for each of grid"),
        ("Tiles(2) + 1", "must be one call"),
        ("Flip({[]: 1})", "must be a number"),
        ("Tiles(grid=9**9)", "must be a number"),
        ("Tiles(grid=0)", "grid of Tiles must be a whole number, at least 1; got 0"),
        ("__import__('os').system('true')", r"must be made of replearn's; got \"__import__\('os'\).system\""),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        views_as_written(text)


def test_a_method_learns_by_written_views_as_by_the_views_themselves(tmp_path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (24, 1, 8, 8), dtype=np.uint8)
    settings = {"encoder": "cnn", "dim": 4, "epochs": 1, "batch_size": 12}
    written = replearn.SimCLR(views="Pair(Chain(Crop(0.5, 1.0), Flip()))", **settings).fit(
        images, run=tmp_path / "run"
    )
    given = replearn.SimCLR(views=Pair(Chain(Crop(0.5, 1.0), Flip())), **settings).fit(images)
    assert np.array_equal(written.transform(images), given.transform(images))
    again = replearn.load(tmp_path / "run")
    assert np.array_equal(again.transform(images), given.transform(images))


def test_a_method_of_parts_takes_written_ones() -> None:
    images = np.random.default_rng(0).integers(0, 256, (24, 1, 16, 16), dtype=np.uint8)
    settings = {"encoder": "cnn", "dim": 4, "epochs": 1, "batch_size": 12}
    assert replearn.Jigsaw(views="Tiles(grid=2)", permutations=10, **settings).fit(images).views_ == Tiles(
        grid=2
    )


def test_a_view_in_writing_is_no_split() -> None:
    images = np.random.default_rng(0).integers(0, 256, (24, 1, 8, 8), dtype=np.uint8)
    with pytest.raises(ValueError, match="Flip is a view, of which a split is made"):
        replearn.SimCLR(views="Flip()", encoder="cnn", dim=4, epochs=1, batch_size=12).fit(images)


@pytest.mark.parametrize("name", ["Rotation", "Colorization", "ContextEncoder", "S4L"])
def test_written_views_are_checked_as_given_ones_are(name: str) -> None:
    images = np.random.default_rng(0).integers(0, 256, (24, 3, 16, 16), dtype=np.uint8)
    method = getattr(replearn, name)(views="Tiles(grid=2)", encoder="cnn", epochs=1, batch_size=12)
    labels = [0, 1, -1] * 8 if name == "S4L" else [0, 1] * 12
    with pytest.raises(ValueError, match=rf"{name} needs views .*; got 'Tiles\(grid=2\)'"):
        method.fit(images, labels)
