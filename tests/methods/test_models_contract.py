"""What holds for every model that is not trained by the engine: listing one in a family's `__all__` tests it here."""

import inspect
from dataclasses import fields

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import made_methods
import replearn
from made_methods import quick
from replearn.engine.run import WEIGHTS
from replearn.methods import Model, Trained, registry
from replearn.methods.needs import kinds_served
from replearn.methods.outline import Outline

MODELS = [e.cls for e in registry().values() if issubclass(e.cls, Model) and not issubclass(e.cls, Trained)]
DRAWS_NOTHING = ("NGram",)  # counts are counts


@pytest.fixture
def few(cls):
    return made_methods.few(cls)


def weights(model):
    return {f"{a}.{b}": t for a, m in model.modules().items() for b, t in m.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_there_are_some():
    assert {"BagOfVisualWords", "FisherVectors", "PatchCodes"} <= {cls.__name__ for cls in MODELS}


@pytest.mark.parametrize("cls", MODELS)
def test_file_has_drawing_and_paper(cls):
    assert "-->" in inspect.getmodule(cls).__doc__
    assert "http" in inspect.getmodule(cls).__doc__
    assert cls.paper.startswith("http")
    assert 1900 < cls.year < 2100


@pytest.mark.parametrize("cls", MODELS)
def test_every_field_is_described(cls):
    described = "".join(base.__doc__ or "" for base in cls.__mro__ if issubclass(base, Outline))
    assert [field.name for field in fields(cls) if f"{field.name}:" not in described] == []


@pytest.mark.parametrize("cls", MODELS)
def test_same_seed_same_bits_and_another_seed_others(cls, few):
    a, b, c = (quick(cls, random_state=seed).fit(few) for seed in (1, 1, 2))
    assert same(weights(a), weights(b))
    assert same(weights(a), weights(c)) == (cls.__name__ in DRAWS_NOTHING)


@pytest.mark.parametrize("cls", MODELS)
def test_one_row_per_sample_whatever_lies_beside_it(cls, few):
    model = quick(cls).fit(few)
    h = model.transform(few)
    assert h.shape == (len(few), model.representation_dim)
    assert h.dtype == np.float32
    assert np.isfinite(h).all()
    assert len(model.get_feature_names_out()) == h.shape[1]
    np.testing.assert_allclose(model.transform(few.subset([5, 40])), h[[5, 40]], atol=1e-5)
    np.testing.assert_allclose(np.concatenate(list(model.transform_parts(few, rows=7))), h, atol=1e-5)


@pytest.mark.parametrize("cls", MODELS)
def test_clone_and_parameters(cls, few):
    model = quick(cls, random_state=3)
    copy = clone(model)
    assert copy is not model
    assert copy.get_params() == model.get_params()
    assert set(model.get_params()) == {field.name for field in fields(cls)}
    with pytest.raises(NotFittedError, match="fit"):
        model.transform(few)
    before = model.get_params()
    assert model.fit(few).get_params() == before


@pytest.mark.parametrize("cls", MODELS)
def test_save_and_load_give_the_same_representation(cls, few, tmp_path):
    model = quick(cls).fit(few)
    model.save(tmp_path / "run")
    again = replearn.load(tmp_path / "run")
    assert type(again) is cls
    assert again.get_params() == model.get_params()
    np.testing.assert_array_equal(again.transform(few), model.transform(few))


@pytest.mark.parametrize("cls", MODELS)
def test_a_run_is_taken_as_it_is_or_begun_again(cls, few, tmp_path, monkeypatch):
    whole = quick(cls).fit(few, run=tmp_path / "run")
    with monkeypatch.context() as patch:
        patch.setattr(cls, "learn", lambda *_, **__: pytest.fail("it had ended"))
        resumed = quick(cls).fit(few, run=tmp_path / "run", resume=True)
    assert same(weights(whole), weights(resumed))
    with pytest.raises(ValueError, match="holds a run already"):
        quick(cls).fit(few, run=tmp_path / "run")
    with pytest.raises(ValueError, match="fields it began with"):
        quick(cls, random_state=7).fit(few, run=tmp_path / "run", resume=True)
    (tmp_path / "run" / WEIGHTS).unlink()  # as after a kill
    again = quick(cls).fit(few, run=tmp_path / "run", resume=True)
    assert same(weights(whole), weights(again))
    assert same(weights(whole), weights(replearn.load(tmp_path / "run")))


@pytest.mark.parametrize("cls", MODELS)
def test_the_world_is_left_as_found(cls, few):
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 - the old global state is what must be left alone
    states = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    threads = torch.get_num_threads()
    quick(cls).fit(few).transform(few)
    assert torch.equal(states[0], torch.get_rng_state())
    np.testing.assert_array_equal(states[1], np.random.get_state()[1])  # noqa: NPY002
    assert torch.get_num_threads() == threads
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("cls", MODELS)
@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("random_state", -1, "not be negative"),
        ("device", "cdua", "auto, cpu"),
        ("precision", "bf16", "bf16-mixed|must be left out"),
    ],
)
def test_bad_fields_are_told_in_one_line(cls, field, value, says, few):
    with pytest.raises(ValueError, match=says) as error:
        quick(cls, **{field: value}).fit(few)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("cls", MODELS)
def test_samples_of_another_shape_or_kind_are_refused(cls, few):
    model = quick(cls).fit(few)
    with pytest.raises(ValueError, match="like those of fit"):
        model.transform(np.zeros((3, 20, 20), np.uint8))
    if "table" not in kinds_served(cls):
        with pytest.raises(ValueError, match="learns from samples of kind"):
            quick(cls).fit(np.zeros((30, 5), np.float32))
