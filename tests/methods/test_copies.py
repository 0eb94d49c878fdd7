"""A fitted method is a value: it can be pickled, copied and put through joblib, for every member of the registry."""

import pickle
from copy import deepcopy
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from lanes import one_of_each
from made_methods import CLASSES, few, few_images, fitted, quick
from replearn.methods import SimCLR


def by_joblib(method: Any, path: Path) -> Any:
    joblib.dump(method, path)
    return joblib.load(path)


def rows(method: Any) -> np.ndarray:
    """What it makes of samples; t-SNE makes nothing of others than it has learned from."""
    if not hasattr(method, "transform"):
        return method.embedding_
    samples = few(type(method))
    return method.transform(samples if hasattr(method, "samples_") else samples.flat())


@pytest.mark.parametrize("cls", one_of_each(CLASSES))
def test_copies_are_what_the_method_is(cls: type[Any], tmp_path: Path) -> None:
    method = fitted(cls)
    h, told = rows(method), getattr(method, "history_", None)
    pickled = pickle.loads(pickle.dumps(method))
    for again in (pickled, deepcopy(method), by_joblib(method, tmp_path / "method")):
        assert type(again) is cls
        assert repr(again.get_params()) == repr(method.get_params())
        assert getattr(again, "history_", None) == told
        np.testing.assert_array_equal(rows(again), h)
    if hasattr(method, "save"):
        pickled.save(tmp_path / "run")
    if hasattr(method, "modules"):  # a copy shares nothing with the method
        for module in pickled.modules().values():
            for weight in module.state_dict().values():
                weight.zero_()
        np.testing.assert_array_equal(rows(method), h)


@pytest.mark.all
def test_joblib_fits_in_other_processes() -> None:
    samples = few_images()
    pipeline = make_pipeline(quick(SimCLR, encoder="mlp"), LogisticRegression())
    here, there = (
        cross_val_score(pipeline, samples.flat(), samples.labels, cv=2, n_jobs=jobs) for jobs in (None, 2)
    )
    np.testing.assert_array_equal(here, there)
