"""What every view promises. Listing a view in `__all__` tests it here."""

import ast
import dataclasses
import json
from pathlib import Path

import pytest
import torch

from replearn import views
from replearn.data.samples import Batch
from replearn.views import (
    Chain,
    Colour,
    Crop,
    DropNodes,
    Flip,
    GreyOf,
    Grid,
    Groups,
    Jigsaw,
    Maybe,
    MultiCrop,
    OneOf,
    Pair,
    Rotations,
    Same,
    Split,
    Stroke,
    Subgraph,
    Tiles,
    View,
)
from replearn.views.store import NotStored, known_views

NEEDS_ARGUMENTS = {
    "Chain": Chain(Crop(0.2, 1.0), Flip(), Colour(0.5, 0.8), Stroke(1.0, 0.5)),
    "Maybe": Maybe(Flip(1.0), 0.5),
    "GreyOf": GreyOf(Crop(0.2, 1.0)),
    "Grid": Grid(3, 1, 0.5, Crop(0.2, 1.0), Flip()),
    "Groups": Groups(Crop(0.2, 1.0)),
    "Jigsaw": Jigsaw(2, view=Crop(0.2, 1.0)),
    "Rotations": Rotations(Crop(0.2, 1.0)),
    "Tiles": Tiles(2, view=Crop(0.2, 1.0)),
    "OneOf": OneOf((DropNodes(), Subgraph())),
    "Pair": Pair(Chain(Crop(0.2, 1.0), Colour(0.5, 0.8)), Same()),
    "MultiCrop": MultiCrop(Crop(0.5, 1.0), Crop(0.1, 0.5, size=6), 3),
}
CLASSES = {
    name: getattr(views, name)
    for name in views.__all__
    if isinstance(getattr(views, name), type) and getattr(views, name) not in (View, Split)
}
OF_OTHERS = (
    "replearn.views.graphs",
    "replearn.views.replace_words",
    "replearn.views.text",
    "replearn.views.tokens",
    "replearn.views.segments",
)  # see test_graphs, test_text, test_tokens
MADE = [NEEDS_ARGUMENTS.get(name) or CLASSES[name]() for name in sorted(CLASSES)]
ALL = [view for view in MADE if type(view).__module__ not in OF_OTHERS]
OF_TABLES = ("Jitter", "FeatureDrop", "Swap")
CUT = (
    "GreyOf",
    "Grid",
    "Groups",
    "Hidden",
    "Jigsaw",
    "Rotations",
    "Salient",
    "Tiles",
)  # parts have shapes of their own: see test_parts
SEVERAL = {"Rotations": 4, "Tiles": 4}  # rows of a sample
OF_COLOURS = ("GreyOf",)
LOCAL = ("Swap",)  # takes values from the rows of all processes; where they are not there, of its own part
SHAPES = [(5, 3, 12, 12), (1, 1, 1, 1), (4, 1, 9, 14), (3, 2, 8, 5), (2, 4, 6, 6), (2, 7, 5, 6), (3, 3, 2, 1)]


def name_of(view: View | Split) -> str:
    return type(view).__name__


every = pytest.mark.parametrize("view", ALL, ids=name_of)
really_every = pytest.mark.parametrize("view", MADE, ids=name_of)


def shape_for(view: View | Split) -> tuple[int, ...]:
    return (10, 6) if name_of(view) in OF_TABLES else (10, 3, 12, 10)


def run(view: View | Split, batch: Batch, seed: int = 0) -> tuple[Batch, ...]:
    torch.manual_seed(seed)
    seen = view(batch)
    return (seen,) if isinstance(seen, Batch) else seen


def test_every_class_can_be_stored():
    known = known_views()
    assert known.items() >= CLASSES.items()
    assert not {View.__name__, Split.__name__, NotStored.__name__} & known.keys()


def test_no_two_classes_have_one_name():
    files = list(Path(views.__file__).parent.glob("*.py"))
    found = [
        node.name
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ClassDef)
    ]
    assert [name for name in known_views() if found.count(name) > 1] == []


@every
def test_same_seed_same_bits_and_other_seed_other_bits(view, make_batch):
    batch = make_batch(*shape_for(view))
    first, again, other = run(view, batch), run(view, batch), run(view, batch, seed=1)
    assert all(torch.equal(a.x, b.x) for a, b in zip(first, again, strict=True))
    fixed = ("Salient", "Same", "Sobel", "Resize")
    assert (name_of(view) in fixed) == all(torch.equal(a.x, b.x) for a, b in zip(first, other, strict=True))


@every
def test_rows_are_drawn_apart(view, make_batch):
    batch = make_batch(*shape_for(view))
    equal_rows = batch.with_x(batch.x[:1].expand_as(batch.x).contiguous())
    seen = run(view, equal_rows)[0].x
    fixed = ("Salient", "Same", "Sobel", "Resize", "Swap")
    assert (name_of(view) in fixed) == bool((seen == seen[:1]).all())


@every
def test_keeps_labels_index_and_input(view, make_batch):
    batch = make_batch(*shape_for(view))
    before = batch.x.clone()
    for seen in run(view, batch):
        times = SEVERAL.get(name_of(view), 1)
        assert torch.equal(seen.labels, batch.labels.repeat_interleave(times))
        assert torch.equal(seen.index, batch.index.repeat_interleave(times))
        assert (seen.start, seen.total) == (times * batch.start, batch.total and times * batch.total)
    assert torch.equal(batch.x, before)


@every
@pytest.mark.parametrize("bytes_", [True, False], ids=["bytes", "floats"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_images_of_every_shape_stay_images(view, shape, bytes_, make_batch):
    batch = make_batch(*shape, bytes_=bytes_)
    if name_of(view) in OF_COLOURS and shape[1] != 3:
        with pytest.raises(ValueError, match=r"of images of three channels; got \d\. Give colour images"):
            view(batch)
        return
    for seen in run(view, batch):
        assert seen.x.dtype == torch.float32
        assert len(seen.x) == shape[0] * SEVERAL.get(name_of(view), 1)
        if name_of(view) not in CUT:
            assert seen.x.shape[1] == shape[1]
        if name_of(view) not in ("Resize", "MultiCrop", *CUT):
            assert seen.x.shape == shape
        if name_of(view) not in ("Jitter", "Hidden"):  # which has weights of up to 10
            assert seen.x.min() >= -1e-6
            assert seen.x.max() <= 1 + 1e-6


@every
def test_bytes_and_floats_are_seen_alike(view, make_batch):
    n, *shape = (10, 3, 12, 10)
    batch = make_batch(n, *shape, bytes_=True)
    floats = batch.with_x(batch.x / 255)
    for a, b in zip(run(view, batch), run(view, floats), strict=True):
        torch.testing.assert_close(a.x, b.x)


@every
@pytest.mark.parametrize("cut", [1, 4, 5])
def test_parts_of_a_batch_see_what_the_whole_sees(view, cut, make_batch):
    if name_of(view) in LOCAL:
        pytest.skip("takes values from other rows of its own part, by its documentation")
    whole = make_batch(*shape_for(view))
    expected = run(view, whole)
    for rows in (slice(0, cut), slice(cut, 10)):
        part = Batch(whole.x[rows], whole.labels[rows], whole.index[rows], start=rows.start, total=10)
        for a, b in zip(run(view, part), expected, strict=True):
            times = SEVERAL.get(name_of(view), 1)
            own = b.x.unflatten(0, (10, times))[rows].flatten(0, 1)
            torch.testing.assert_close(a.x, own, atol=1e-6, rtol=0)


@every
def test_a_part_leaves_the_generator_as_the_whole_does(view, make_batch):
    whole = make_batch(*shape_for(view))
    run(view, whole)
    expected = torch.rand(1)
    run(view, Batch(whole.x[3:5], whole.labels[3:5], whole.index[3:5], start=3, total=10))
    assert torch.equal(torch.rand(1), expected)


@every
def test_works_on_the_device_of_the_batch(view, make_batch):
    if isinstance(view, views.Blur | views.RandAugment):
        pytest.skip(
            "it works on the samples that it draws, and a tensor on the meta device has no numbers to draw"
        )
    # Tensors on the meta device have shapes only; mixing in one of the processor's raises.
    batch = make_batch(*shape_for(view))
    for here, there in zip(run(view, batch), run(view, batch.to("meta")), strict=True):
        assert there.x.device.type == "meta"
        assert there.x.shape == here.x.shape


@every
def test_autocast_changes_nothing(view, make_batch):
    batch = make_batch(*shape_for(view))
    plain = run(view, batch)
    with torch.autocast("cpu", torch.bfloat16):
        cast = run(view, batch)
    for a, b in zip(plain, cast, strict=True):
        assert a.x.dtype == b.x.dtype
        assert torch.equal(a.x, b.x)


@really_every
def test_stored_as_json_and_back(view):
    text = json.dumps(views.view_to_json(view), allow_nan=False)
    back = views.view_from_json(json.loads(text))
    assert back == view
    assert hash(back) == hash(view)


@really_every
def test_repr_is_the_constructor(view):
    assert eval(repr(view), dict(vars(views))) == view


@really_every
def test_fields_cannot_be_changed(view):
    for field in dataclasses.fields(view):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(view, field.name, 1)


@pytest.mark.parametrize(
    "view", [v for v in ALL if isinstance(v, View) and name_of(v) not in (*OF_TABLES, "Same")], ids=name_of
)
def test_tables_are_refused_by_views_of_images(view, make_batch):
    with pytest.raises(ValueError, match=r"is a view of images, \(n, c, h, w\); got \(10, 6\)"):
        view(make_batch(10, 6))
