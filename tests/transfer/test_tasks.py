"""Each task is learned, from all of an encoder and from its features alone."""

import numpy as np
import pytest
from made_up import frozen, model, pairs, spans, tags, texts

from replearn.data import load_data
from replearn.transfer import FineTune

LEARNED = 0.9  # where chance is a half, or less


@pytest.mark.parametrize("make", [model, frozen])
def test_classify(make):
    found = make().fit(*texts(128))
    X, y = texts(60, seed=1)
    assert found.score(X, y) > LEARNED
    assert found.classes_.tolist() == ["neg", "pos"]
    chances = found.predict_proba(X)
    assert chances.shape == (60, 2)
    np.testing.assert_allclose(chances.sum(1), 1, rtol=1e-5)
    assert (found.classes_[chances.argmax(1)] == found.predict(X)).all()
    assert found.transform(X).shape == (60, found.representation_dim)


def test_a_shuffled_truth_is_not_learned():
    X, y = texts(128)
    shuffled = np.random.default_rng(0).permutation(y).tolist()
    assert 0.2 < model().fit(X, shuffled).score(*texts(60, seed=1)) < 0.8


@pytest.mark.parametrize("make", [model, frozen])
def test_tag(make):
    found = make(task="tag").fit(*tags(128))
    X, y = tags(60, seed=1)
    scores = found.scores(X, y)
    assert scores["entity_f1"] == found.score(X, y) > LEARNED
    assert scores["accuracy"] > LEARNED
    assert [table.shape for table in found.predict_proba(X[:2])] == [(6, 3), (6, 3)]


@pytest.mark.parametrize("make", [model, frozen])
def test_span(make):
    found = make(task="span").fit(*spans(128))
    X, y = spans(60, seed=1)
    assert found.score(X, y) > LEARNED
    assert found.predict(X)[0] == []  # none is allowed
    with pytest.raises(ValueError, match="predict_proba is of classes"):
        found.predict_proba(X)


@pytest.mark.parametrize("reading", ["joined", "apart"])
def test_pair(reading):
    found = model(task="pair", pairs=reading, epochs=6).fit(*pairs(128))
    assert found.head_.apart == (reading == "apart")
    assert found.score(*pairs(60, seed=5)) > LEARNED


def test_pair_tells_the_second_text_by_its_type():
    X, y = pairs(160)
    found = model(task="pair", epochs=1).fit(X, y)
    there, back = found.transform(X), found.transform([(b, a) for a, b in X])
    assert np.abs(there - back).max() > 1e-3  # and not for the order alone:
    types = found.encoder_.body.net.net.embeddings.token_type_embeddings.weight
    types.data.copy_(types.data.flip(0))
    assert np.abs(found.transform(X) - there).max() > 1e-3


def test_pairs_with_floats_are_numbers():
    X, y = pairs(160)
    found = frozen(task="pair", pairs="apart").fit(X, [1.5 + label for label in y])
    scores = found.scores(X, [1.5 + label for label in y])
    assert set(scores) == {"r2", "pearson", "spearman"}
    assert scores["r2"] == found.score(X, [1.5 + label for label in y]) > 0.7


def test_regress_learns_several_numbers_in_their_own_units():
    X, y = texts(128)
    numbers = np.array([(1000.0, -3.0) if label == "pos" else (3000.0, 5.0) for label in y])
    found = frozen(task="regress").fit(X, numbers)
    assert found.predict(X).shape == (128, 2)
    assert found.score(X, numbers) > LEARNED
    one = frozen(task="regress").fit(X, numbers[:, 0])
    assert one.predict(X).shape == (128,)


@pytest.mark.parametrize("encoder", ["words", "lstm", "gpt_tiny", "modernbert_tiny"])
def test_any_encoder_of_texts_will_do(encoder):
    found = frozen(encoder=encoder, task="tag", pooling="mixture").fit(*tags(80))
    assert found.score(*tags(40, seed=1)) > LEARNED


def test_images_are_fine_tuned_by_the_same_class():
    digits = load_data("digits8x8").subset(np.arange(300))
    found = FineTune(encoder="cnn", epochs=4, encoder_rate=1.0, learning_rate=5e-3).fit(digits)
    assert found.score(digits) > LEARNED
    assert found.predict(digits)[0] in digits.classes
    rows = digits[np.arange(300)].x.numpy()
    fixed = FineTune(encoder=found.encoder_, trained="frozen", task="regress", epochs=40).fit(
        rows, digits.labels.astype(float)
    )
    assert fixed.score(rows, digits.labels.astype(float)) > 0.7


def test_unlabelled_samples_are_passed_over():
    X, y = texts(160)
    known = frozen().fit(X[:80], y[:80])
    some = frozen().fit(X, [*y[:80], *[None] * 80])
    assert (some.predict(X) == known.predict(X)).mean() > LEARNED
    numbers = [1 if label == "pos" else 0 for label in y[:80]] + [-1] * 80
    found = frozen().fit(X, numbers)
    assert found.classes_.tolist() == [0, 1]
    assert found.score(X, numbers) == found.score(X[:80], numbers[:80])
