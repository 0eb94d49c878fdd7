"""Questions that have one answer are no questions: each method says so before it learns."""

import numpy as np
import pytest

from replearn import as_samples
from replearn.methods import IBOT, IJEPA, MAE, Exemplar, ImageGPT, Jigsaw, SimMIM

SMALL = {"epochs": 1, "batch_size": 8, "device": "cpu"}


def images(side=16, n=12):
    return as_samples(np.random.default_rng(0).integers(0, 256, (n, 3, side, side), dtype=np.uint8))


@pytest.mark.parametrize(
    ("method", "told"),
    [
        (Jigsaw(permutations=1, **SMALL), "there is 1. Raise permutations to 2"),
        (Exemplar(classes=1, **SMALL), "there is 1. Raise classes to 2"),
    ],
)
def test_a_single_answer(method, told):
    with pytest.raises(ValueError, match=told):
        method.fit(images())


@pytest.mark.parametrize("cls", [MAE, SimMIM, IJEPA, IBOT])
def test_a_single_patch(cls):
    with pytest.raises(ValueError, match=r"at least two patches.* have 1"):
        cls(**SMALL).fit(images(side=1))


def test_a_single_pixel():
    pytest.importorskip("transformers", reason="needs replearn[text]")
    with pytest.raises(ValueError, match=r"read as one pixel\. Raise side"):
        ImageGPT(side=1, **SMALL).fit(images())


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"epochs": 1.5}, "epochs must be a whole number; got 1.5"),
        ({"epochs": "3"}, "epochs must be a number; got '3'"),
        ({"epochs": None}, "epochs must be a number; got None"),
        ({"share": "a"}, "share must be a number; got 'a'"),
        ({"share": None}, "share must be a number"),
        ({"batch_size": True}, "batch_size must be a number; got True"),
    ],
)
def test_numbers_that_are_none(given, told):
    with pytest.raises(ValueError, match=told):
        MAE(**SMALL).set_params(**given).fit(images())


def test_numbers_of_numpy_are_numbers():
    few = images()
    one = MAE(**SMALL).set_params(epochs=np.int64(1), share=np.float64(0.5)).fit(few)
    assert (one.transform(few) == MAE(**SMALL, share=0.5).fit(few).transform(few)).all()


def test_temperatures_that_choose_nothing():
    from replearn.methods.language.generation import Choice

    for temperature in (float("nan"), float("inf"), -1):
        with pytest.raises(ValueError, match="temperature must be a finite number from 0 on"):
            Choice(temperature=temperature)
