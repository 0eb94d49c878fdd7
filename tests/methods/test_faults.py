"""Planted faults are noticed within 200 steps and the cause is named; healthy trainings raise no alarm."""

import re
from dataclasses import fields

import numpy as np
import pytest

import replearn
from lanes import one_of_each
from replearn.encoders.vit import ViT
from replearn.engine.health import NotFinite
from replearn.methods import registry
from replearn.methods.base import JointEmbedding
from replearn.views import Pair, Same

METHODS = {
    name: entry.cls
    for name, entry in registry().items()
    if issubclass(entry.cls, JointEmbedding) and "image" in entry.kinds  # of texts: see test_simcse
}
# Their parts of a sample differ by construction.
OF_PARTS = {"cpc", "cmc"}
STEPS = 200


@pytest.fixture(scope="module")
def digits():
    whole = replearn.load_data("digits", split="train").subset(np.arange(256))
    x = whole[np.arange(256)].x.numpy()[:, :, 2:26:2, 2:26:2]  # 12 pixels
    return replearn.as_samples(np.ascontiguousarray(x), whole.labels)


def has(cls, name):
    return name in {field.name for field in fields(cls)}


def trained(name, digits, *, steps=STEPS, **given):
    """A method with its defaults but for what is given, after some steps of 32."""
    cls = METHODS[name]
    encoder = ViT(digits.shape, width=32, depth=2) if "patches" in cls.needs else "cnn"
    given = {
        "encoder": encoder,
        "batch_size": 32,
        "epochs": steps * 32 // len(digits),
        "device": "cpu",
    } | given
    method = cls(**given)
    try:
        method.fit(digits)
    except NotFinite as error:
        return [str(error)]
    return [str(alarm) for alarm in method.history_.alarms]


def named(alarms, cause):
    return any(re.search(cause, alarm) for alarm in alarms)


@pytest.mark.all
@pytest.mark.parametrize("name", one_of_each(METHODS, ["simclr", "byol"]))
def test_a_healthy_training_raises_no_alarm(name, digits):
    assert trained(name, digits) == []


@pytest.mark.parametrize("name", one_of_each(sorted(METHODS.keys() - OF_PARTS)))
def test_identical_views(name, digits):
    assert named(trained(name, digits, steps=16, views=Pair(Same())), "views of every sample are identical")


@pytest.mark.parametrize("name", one_of_each(METHODS, ["simclr"]))
def test_a_learning_rate_a_hundred_times_too_large(name, digits):
    rate = 100 * METHODS[name]().learning_rate
    assert named(
        trained(name, digits, steps=64, learning_rate=rate),
        "learning rate of .* is too large|learning rate was",
    )


@pytest.mark.all
@pytest.mark.parametrize("name", one_of_each(name for name in METHODS if has(METHODS[name], "temperature")))
def test_a_temperature_far_too_small(name, digits):
    assert named(trained(name, digits, steps=64, temperature=0.001), "temperature is too small")


@pytest.mark.all
@pytest.mark.parametrize("name", one_of_each(name for name in METHODS if has(METHODS[name], "prototypes")))
def test_one_prototype(name, digits):
    assert named(trained(name, digits, steps=64, prototypes=1), "all samples go to 1.00 prototypes")


@pytest.mark.all
def test_no_centring(digits):
    assert named(trained("dino", digits, centre_momentum=1.0), "prototypes. .*centring")


@pytest.mark.all
def test_no_stop_gradient(digits):
    """At a rate at which all of six seeds collapsed in 120 steps, and none that stopped the gradient."""
    assert named(
        trained("simsiam", digits, learning_rate=1e-2, stop_gradient=False), "collapsed.*stop_gradient"
    )
    assert trained("simsiam", digits, learning_rate=1e-2) == []


@pytest.mark.parametrize("name", METHODS)
def test_a_batch_of_two_is_refused(name, digits):
    with pytest.raises(ValueError, match=r"batch_size must be at least .* since .*; got 2\. Use "):
        METHODS[name](batch_size=2).fit(digits)
