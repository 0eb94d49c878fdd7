"""It is a scikit-learn estimator, and lies in a run folder without a pickle."""

import json

import numpy as np
import pytest
import torch
from made_up import frozen, model, pairs, spans, tags, texts
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.model_selection import GridSearchCV

import replearn
from replearn.methods import SimCLR
from replearn.transfer import FineTune

MADE = {"classify": texts, "tag": tags, "span": spans, "pair": pairs}


@pytest.mark.parametrize("task", MADE)
def test_a_loaded_model_answers_as_the_saved_one(task, tmp_path):
    found = frozen(task=task, pooling="mixture", epochs=2).fit(*MADE[task](40), run=tmp_path / "run")
    again = replearn.load(tmp_path / "run")
    X, y = MADE[task](20, seed=1)
    assert list(again.predict(X)) == list(found.predict(X))
    assert again.scores(X, y) == found.scores(X, y)
    assert again.get_params() == found.get_params()
    assert not list(tmp_path.rglob("*.pkl"))
    assert not list(tmp_path.rglob("*.pt"))
    content = json.loads((tmp_path / "run" / "method.json").read_text())
    assert content["class"] == "FineTune"
    assert "values" in content["samples"]["task"]


def test_numbers_come_back_in_their_units(tmp_path):
    X, _ = texts(40)
    found = frozen(task="regress", epochs=2).fit(X, np.linspace(100, 200, 40))
    found.save(tmp_path / "run")
    np.testing.assert_array_equal(FineTune.load(tmp_path / "run").predict(X), found.predict(X))


def test_same_seed_same_bits():
    X, y = texts(48)
    a, b, other = (model(epochs=1, random_state=seed).fit(X, y).predict_proba(X) for seed in (0, 0, 1))
    assert (a == b).all()
    assert not (a == other).all()


def test_the_random_state_is_left_as_it_was():
    torch.manual_seed(7)
    wanted = torch.rand(3)
    torch.manual_seed(7)
    model(epochs=1, validation=0.25).fit(*texts(48))
    assert torch.equal(torch.rand(3), wanted)


@pytest.mark.parametrize("field", ["encoder_rate", "layer_decay"])
def test_rates_of_a_frozen_encoder_are_refused(field):
    with pytest.raises(ValueError, match=f"{field} must be left out .* layers that learn"):
        frozen(**{field: 0.5}).fit(*texts(16))


def test_clone_and_parameters():
    made = frozen(layer_decay=0.5)
    again = clone(made)
    assert again is not made
    assert again.get_params() == made.get_params()
    method = SimCLR(encoder="cnn", epochs=1, batch_size=32).fit(torch.rand(32, 1, 8, 8))
    assert clone(FineTune(encoder=method)).encoder is method
    assert is_classifier(FineTune())
    assert not is_classifier(FineTune(task="tag"))
    assert is_regressor(FineTune(task="regress"))


@pytest.mark.parametrize("task", ["classify", "tag"])
def test_grid_search(task):
    X, y = MADE[task](60)
    search = GridSearchCV(frozen(task=task, epochs=6), {"learning_rate": [1e-9, 1e-2]}, cv=2).fit(X, y)
    assert search.best_params_ == {"learning_rate": 1e-2}
    assert list(search.predict(X[:3])) == list(search.best_estimator_.predict(X[:3]))
