"""SimCSE: dropout is what makes two readings of a text differ, and faults are named."""

import numpy as np
import pytest
import torch

pytest.importorskip("tokenizers")

import replearn
from replearn.encoders.dropout import set_dropout

THINGS = ("cat", "dog", "cow", "hen", "red", "blue", "green", "grey")
TEXTS = [f"the {THINGS[i % 8]} of {i % 11} and {i % 5}" for i in range(96)]
QUICK = {"encoder": "lstm", "batch_size": 16, "device": "cpu"}


def trained(**given):
    return replearn.SimCSE(**QUICK | given).fit(TEXTS)


def kinds(method):
    return {alarm.kind for alarm in method.history_.alarms}


def test_readings_differ_in_training_and_not_after():
    pytest.importorskip("transformers")
    method = replearn.SimCSE(encoder="bert_tiny", batch_size=16, device="cpu").prepare(TEXTS)
    batch = replearn.as_samples(TEXTS)[np.arange(8)]
    a, b = method.views_(batch)
    assert a.x == b.x
    with torch.no_grad():
        assert not torch.equal(method.encoder_(a), method.encoder_(b))
        method.encoder_.eval()
        assert torch.equal(method.encoder_(a), method.encoder_(b))


@pytest.mark.all
def test_a_healthy_training_raises_no_alarm_and_the_loss_falls():
    method = trained(epochs=12, learning_rate=1e-3)
    losses = [row["loss"] for row in method.history_.rows]
    assert kinds(method) == set()
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:5])


def test_an_encoder_without_dropout_sees_the_same_twice():
    assert "views" in kinds(trained(encoder="words", epochs=4))
    method = replearn.SimCSE(encoder="lstm", batch_size=16).prepare(TEXTS)
    batch = replearn.as_samples(TEXTS)[np.arange(8)]
    assert not method.same_views(batch)
    set_dropout(method.encoder_, 0.0)
    assert method.same_views(batch)


def test_an_encoder_that_learned_without_dropout_gets_some():
    """As the encoder of a BERT that was trained on little text, where nothing is lost."""
    pytest.importorskip("transformers")
    bert = replearn.BERT(encoder="bert_tiny", dropout=0.0, window=16, batch_size=8, epochs=1, device="cpu")
    bert.fit(TEXTS)
    assert not any(part.p for part in bert.encoder_.modules() if isinstance(part, torch.nn.Dropout))
    method = replearn.SimCSE(encoder=bert.encoder_, batch_size=16, device="cpu").prepare(TEXTS)
    assert not method.same_views(replearn.as_samples(TEXTS)[np.arange(8)])


def test_a_dropout_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match=r"dropout must lie in \[0, 1\); got 1"):
        trained(dropout=1.0)


@pytest.mark.all
def test_a_temperature_far_too_small_is_named():
    assert "temperature" in kinds(trained(epochs=10, temperature=0.001))
