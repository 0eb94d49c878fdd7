"""What holds for every method of ours: listing one in a family's `__all__` tests it here."""

import inspect
from dataclasses import fields
from functools import cache

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

import made_methods
import replearn
from lanes import one_of_each
from made_methods import kind, quick
from replearn.encoders import GIN, ViT, text_encoder
from replearn.encoders.videos import FrameCNN
from replearn.engine.signals import Stopped
from replearn.methods import Trained, registry
from replearn.methods.exhibit import exhibit_of
from replearn.methods.needs import kinds_served
from replearn.methods.outline import Outline
from replearn.views import (
    Chain,
    Crop,
    DropWords,
    GreyOf,
    Hidden,
    MultiCrop,
    Pair,
    Rotate,
    Rotations,
    Same,
    Span,
    Tiles,
)
from replearn.views.directions import Directions
from replearn.views.members import Apart
from replearn.views.tracked import Tracked
from replearn.views.tuples import FrameTuples
from replearn.views.videos import AllFrames

OURS = [entry.cls for entry in registry().values() if issubclass(entry.cls, Trained)]
RATE = 2e-3
VIEWS = {
    "image": Pair(Chain(Crop(0.5, 1), Rotate(10)), Same()),
    "text": Pair(Chain(Span(0.5, 1), DropWords(0.1)), Same()),
    "pairs": Apart(("image", "text"), (Rotate(10), Same())),
    "video": Pair(AllFrames(Crop(0.5, 1)), Same()),
}
# Of methods that ask for more than views: by the split that they name.
SPLITS = {
    "cut": MultiCrop(Crop(0.6, 1), Same(), 0, 1),
    "directions": Directions(AllFrames(Crop(0.5, 1)), bars=False),
    "frame_order": FrameTuples(AllFrames(Crop(0.5, 1))),
    "grey_of": GreyOf(Crop(0.5, 1)),
    "plain": MultiCrop(Crop(0.5, 1), Same(), 0, 1),
    "hidden": Hidden("blocks", Crop(0.5, 1)),
    "rotations": Rotations(Crop(0.5, 1)),
    "tiles": Tiles(view=Crop(0.5, 1)),
    "tracked": Tracked(2, AllFrames(Crop(0.5, 1))),
    "weak_strong": Pair(Same(), Crop(0.5, 1)),
}


@pytest.fixture
def few(cls):
    return made_methods.few(cls)


@cache
def learned(cls):
    """One that has learned, which tests share: none may change it."""
    return quick(cls, learning_rate=RATE).fit(made_methods.few(cls))


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    return replearn.as_samples(rng.normal(size=(64, 12)).astype(np.float32), np.arange(64) % 2)


def weights(method):
    return {f"{a}.{b}": t for a, m in method.modules().items() for b, t in m.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("cls", OURS)
def test_file_has_drawing_and_paper(cls):
    assert "-->" in inspect.getmodule(cls).__doc__
    assert "http" in inspect.getmodule(cls).__doc__
    assert cls.paper.startswith("http")
    assert 1900 < cls.year < 2100


@pytest.mark.parametrize("cls", [cls for cls in OURS if cls.smallest_batch > 1])
def test_a_smallest_batch_has_a_reason_and_an_alternative(cls, few):
    size = cls.smallest_batch - 1
    with pytest.raises(ValueError, match=f"at least {size + 1} .*, since .*; got {size}. Use ") as error:
        cls(batch_size=size).prepare(few)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("cls", OURS)
def test_every_field_is_described(cls):
    described = "".join(base.__doc__ or "" for base in cls.__mro__ if issubclass(base, Outline))
    assert [
        field.name
        for field in fields(cls)
        if f"{field.name}:" not in described and f"{field.name}," not in described
    ] == []


@pytest.mark.parametrize("cls", one_of_each(OURS))
def test_same_seed_same_bits_and_another_seed_others(cls, few):
    again, other = (quick(cls, learning_rate=RATE, random_state=seed).fit(few) for seed in (0, 1))
    assert same(weights(learned(cls)), weights(again))
    assert not same(weights(again), weights(other))


@pytest.mark.parametrize("cls", one_of_each(OURS))
def test_save_and_load_give_the_same_representation(cls, few, tmp_path):
    method = learned(cls)
    method.save(tmp_path / "run")
    again = replearn.load(tmp_path / "run")
    assert type(again) is cls
    assert again.get_params() == method.get_params()
    np.testing.assert_array_equal(again.transform(few), method.transform(few))
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "method.json",
        "weights.safetensors",
    ]


@pytest.mark.parametrize("cls", one_of_each(cls for cls in OURS if "views" in cls.__dataclass_fields__))
def test_views_come_back_from_a_run(cls, few, tmp_path):
    views = SPLITS.get(cls.split, VIEWS[kind(cls)])
    quick(cls, views=views).fit(few).save(tmp_path / "run")
    assert replearn.load(tmp_path / "run").views == views


@pytest.mark.parametrize("cls", one_of_each(OURS))
def test_interrupted_and_resumed_ends_with_the_same_bits(cls, few, tmp_path, monkeypatch):
    method = quick(cls, learning_rate=RATE, checkpoint_minutes=0.0)
    after_step, steps = cls.after_step, []

    def stop_in_the_middle(self, progress):
        after_step(self, progress)
        steps.append(progress)
        if len(steps) == 4:
            raise Stopped("in the middle", 2)

    with monkeypatch.context() as patch:
        patch.setattr(cls, "after_step", stop_in_the_middle)
        with pytest.raises(Stopped):
            method.fit(few, run=tmp_path / "run")
    resumed = quick(cls, learning_rate=RATE).fit(few, run=tmp_path / "run", resume=True)
    assert same(weights(learned(cls)), weights(resumed))


def a_module(cls, samples):
    if "patches" in cls.needs:
        return ViT((1, 14, 14), width=32, depth=1)
    if kind(cls) == "graph":
        return GIN(*samples.shape)
    if kind(cls) == "video":
        return FrameCNN(samples.shape[0], samples.shape[2])
    if kind(cls) == "pairs":
        return nn.ModuleDict({"image": nn.Conv2d(1, 8, 3)})
    if kind(cls) == "image":
        return nn.Conv2d(samples.shape[0], 8, 3)  # for patches too, whatever their size
    return text_encoder("words", replearn.data.describe(quick(cls).reading(samples)))


@pytest.mark.parametrize("cls", one_of_each(OURS))
def test_the_world_is_left_as_found(cls, few):
    encoder = a_module(cls, few)
    before = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 - the old global state is what must be left alone
    states = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    own = {"vocabulary": cls.vocabulary} if hasattr(cls, "vocabulary") else {}  # the encoder brings its words
    method = quick(cls, encoder=encoder, **own)
    method.fit(few).transform(few)
    if "encoder" in method.get_params():
        assert method.encoder is encoder
    assert same(before, encoder.state_dict())
    assert encoder.training
    assert torch.equal(states[0], torch.get_rng_state())
    np.testing.assert_array_equal(states[1], np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize("cls", OURS)
def test_scikit_learns_protocol(cls, few, table):
    method = quick(cls, weight_decay=0.5)
    copy = clone(method)
    assert copy is not method
    assert copy.get_params() == method.get_params()
    assert set(method.get_params()) == {field.name for field in fields(cls)}
    with pytest.raises(NotFittedError, match="fit"):
        method.transform(few)
    if "table" not in kinds_served(cls):
        return
    small = {"dim": 4} if "dim" in method.get_params() else {}
    pipeline = make_pipeline(StandardScaler(), quick(cls, encoder="mlp", **small))
    x = table.flat()
    h = pipeline.fit(x, made_methods.labelled_for(cls, table).labels).transform(x)
    assert h.shape == (64, pipeline[-1].representation_dim)
    assert len(pipeline[-1].get_feature_names_out()) == h.shape[1]
    assert h.dtype == np.float32


@pytest.mark.parametrize("cls", OURS)
@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("epochs", 0, "at least 1"),
        ("learning_rate", -1.0, "greater than 0"),
        ("warmup", 1.5, r"\[0, 1\)"),
        ("optimizer", "adam", "adamw"),
        ("batch_size", 0, "at least"),
        ("encoder", "resnet_smal", "resnet_small|bert_small|for each member"),
        ("max_minutes", 0.0, "greater than 0"),
        ("device", "cdua", "auto, cpu, cuda or mps"),
        ("precision", "bf16", "bf16-mixed|must be left out"),
    ],
)
def test_bad_fields_are_told_in_one_line(cls, field, value, says, few):
    if field not in quick(cls).get_params():
        pytest.skip(f"it has no {field}")
    with pytest.raises(ValueError, match=says) as error:
        quick(cls).set_params(**{field: value}).fit(few)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("cls", one_of_each(OURS))
def test_samples_of_another_shape_are_refused(cls, table):
    with pytest.raises(ValueError, match="like those of fit"):
        learned(cls).transform(table)


@pytest.mark.parametrize(
    "cls", one_of_each(cls for cls in OURS if kind(cls) != "text" and "text" in kinds_served(cls))
)
def test_methods_of_views_learn_from_texts_without_a_line_about_them(cls, tmp_path):
    texts = made_methods.labelled_for(cls, made_methods.few_texts())
    method = quick(cls, encoder="words", batch_size=16).fit(texts)
    h = method.transform(texts)
    assert h.shape == (96, method.representation_dim)
    assert np.isfinite(h).all()
    method.save(tmp_path / "run")
    np.testing.assert_array_equal(replearn.load(tmp_path / "run").transform(texts), h)
    assert "oken" not in inspect.getsource(inspect.getmodule(cls))


@pytest.mark.parametrize("cls", [cls for cls in OURS if cls.exhibit is not Outline.exhibit])
def test_pictures_that_are_shown_are_floats(cls, few):
    """Bytes beside floats would be drawn white. Of a run that was loaded, too, which has no views."""
    method = quick(cls).prepare(few)
    vars(method).pop("views_", None)
    shown = exhibit_of(method, few[np.arange(min(8, len(few)))])
    assert len(shown.pictures) > 0
    assert all(
        x.is_floating_point() and x.min() > -2 and x.max() < 3
        for x in shown.pictures.values()
        if isinstance(x, torch.Tensor)
    )


@pytest.mark.parametrize("cls", [cls for cls in OURS if cls.needs_labels])
def test_labels_are_asked_for(cls, few):
    with pytest.raises(ValueError, match="at least two classes"):
        quick(cls).fit(replearn.as_samples(np.zeros((64, 1, 8, 8), np.uint8)))
