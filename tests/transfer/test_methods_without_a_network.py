"""A method without a network is put to a task as it is, frozen: in memory, from its run, and when the run is gone."""

import shutil

import numpy as np
import pytest

import replearn
from lanes import one_of_each
from made_methods import few, quick
from replearn.encoders import Encoder
from replearn.methods import (
    CMC,
    RBM,
    BagOfVisualWords,
    Concatenation,
    DeepBelief,
    FisherVectors,
    GloVe,
    PatchCodes,
    SimCLR,
    Word2Vec,
)
from replearn.transfer import FineTune

WITHOUT = (BagOfVisualWords, FisherVectors, PatchCodes, Concatenation, RBM, DeepBelief, CMC, GloVe, Word2Vec)
FROZEN = {"trained": "frozen", "epochs": 2, "device": "cpu"}


@pytest.fixture(params=one_of_each(WITHOUT), ids=lambda cls: cls.__name__)
def fitted(request):
    """A fitted method without an encoder of its own, and its samples with two classes."""
    samples = few(request.param)
    return quick(request.param).fit(samples), samples, np.arange(len(samples)) % 2


def rows(model, samples):
    """What the head reads, before it is scaled."""
    return model.transform(samples) * model.head_.size.numpy() + model.head_.mean.numpy()


def test_the_head_reads_what_the_method_tells(fitted):
    method, samples, labels = fitted
    assert not isinstance(getattr(method, "encoder_", None), Encoder)
    before = method.transform(samples)
    model = FineTune(encoder=method, **FROZEN).fit(samples, labels)
    np.testing.assert_allclose(rows(model, samples), before, atol=1e-4)
    np.testing.assert_array_equal(method.transform(samples), before)  # it is copied, and does not learn


def test_a_run_does_the_same_and_may_be_gone(fitted, tmp_path):
    method, samples, labels = fitted
    method.save(tmp_path / "method")
    expected = FineTune(encoder=method, **FROZEN).fit(samples, labels).predict_proba(samples)
    first = FineTune(encoder=str(tmp_path / "method"), **FROZEN).fit(samples, labels, run=tmp_path / "first")
    shutil.rmtree(tmp_path / "method")
    again = replearn.load(tmp_path / "first")
    np.testing.assert_allclose(first.predict_proba(samples), expected, atol=1e-5)
    np.testing.assert_array_equal(again.predict_proba(samples), first.predict_proba(samples))
    second = FineTune(encoder=str(tmp_path / "first"), **FROZEN).fit(samples, labels, run=tmp_path / "second")
    shutil.rmtree(tmp_path / "first")
    np.testing.assert_allclose(second.predict_proba(samples), expected, atol=1e-5)
    np.testing.assert_allclose(replearn.load(tmp_path / "second").predict_proba(samples), expected, atol=1e-5)


def test_of_few_samples_the_width_is_what_was_learned(tmp_path):
    samples = few(PatchCodes).subset(np.arange(12))
    PatchCodes(drawn=100, device="cpu").fit(samples, run=tmp_path / "codes")
    labels = np.arange(12) % 2
    model = FineTune(encoder=str(tmp_path / "codes"), **FROZEN).fit(samples, labels, run=tmp_path / "task")
    found = replearn.load(tmp_path / "task")
    assert found.encoder_.dim == replearn.load(tmp_path / "codes").representation_dim
    np.testing.assert_array_equal(found.predict(samples), model.predict(samples))


def test_what_can_not_learn_is_not_trained(tmp_path):
    samples = few(BagOfVisualWords)
    labels = np.arange(len(samples)) % 2
    words = quick(BagOfVisualWords).fit(samples, run=tmp_path / "words")
    for spec in (words, str(tmp_path / "words")):
        with pytest.raises(
            ValueError, match="an encoder that learns must be a network; BagOfVisualWords has none"
        ):
            FineTune(encoder=spec).fit(samples, labels)
    with pytest.raises(ValueError, match="an encoder that learns must be a network"):
        SimCLR(encoder=str(tmp_path / "words")).fit(samples)
    with pytest.raises(ValueError, match=r"must be a fitted method; BagOfVisualWords is not fitted"):
        FineTune(encoder=BagOfVisualWords(), **FROZEN).fit(samples, labels)
