"""Text VAE: what its loss is, that its code is used, and that codes are read back as texts."""

import numpy as np
import pytest
import torch

pytest.importorskip("tokenizers")

import replearn
from replearn.encoders.sentence_decoder import SentenceDecoder
from replearn.objectives.elbo import unit_kl

NAMES, DEEDS = ("anna", "bert", "carl", "dora"), ("runs", "sleeps", "sings", "reads")
TEXTS = [f"{name} {deed} and {other}" for name in NAMES for deed in DEEDS for other in DEEDS]
QUICK = {
    "encoder": "words",
    "tokenizer": "words",
    "dim": 4,
    "length": 8,
    "batch_size": 16,
    "precision": "32-true",
}


@pytest.fixture(scope="module")
def trained():
    return replearn.TextVAE(**QUICK, epochs=40, learning_rate=1e-2, word_dropout=0.5, rise=0.9).fit(TEXTS)


def test_the_code_tells_of_the_text_and_is_read_back(trained):
    last = [row for row in trained.history_.rows if "rate" in row][-1]
    assert last["rate"] > 1.0
    read = trained.inverse_transform(trained.transform(TEXTS))
    words = [(a.split(), b.split()) for a, b in zip(TEXTS, read, strict=True)]
    assert np.mean([a[0] == b[0] for a, b in words if b]) > 0.8  # the name, of four
    assert len(set(read)) > 8
    assert len(trained.inverse_transform(np.zeros((3, 4), np.float32))) == 3


@torch.no_grad()
def test_the_loss_is_the_bound_with_its_weight_and_its_free_nats():
    method = replearn.TextVAE(**QUICK, word_dropout=0.0, free_nats=0.3).prepare(TEXTS)
    samples = method.reading(replearn.as_samples(TEXTS))
    batch = samples[np.arange(6)]
    for module in method.modules().values():
        module.eval()
    mean, log_variance = method.posterior(batch)
    losses = []
    for weight in (0.0, 1.0):
        method.weight_.value.fill_(weight)
        torch.manual_seed(0)
        losses.append(float(method.loss(batch)))
    slow = sum(max(0.3, float(unit)) for unit in unit_kl(mean, log_variance).mean(0))
    assert losses[1] - losses[0] == pytest.approx(slow, rel=1e-4)
    torch.manual_seed(0)
    z = mean + (0.5 * log_variance).exp() * torch.randn(6, 4)
    ids, total = method.ids(batch), 0.0
    logits = method.decoder_(ids, z).double().log_softmax(2)
    for row in range(6):
        for place in range(1, ids.shape[1]):
            if ids[row, place] != method.encoder_.pad:
                total -= float(logits[row, place - 1, ids[row, place]])
    assert losses[0] == pytest.approx(total / 6, rel=1e-4)


def test_the_weight_rises_to_one_and_stays():
    method = replearn.TextVAE(**QUICK, rise=0.5).prepare(TEXTS)
    found = []
    for progress in (0.0, 0.25, 0.5, 1.0):
        method.after_step(progress)
        found.append(float(method.weight_.value))
    assert found == [0.0, 0.125, 1.0, 1.0]


@torch.no_grad()
def test_all_words_are_hidden_where_it_is_asked_for():
    method = replearn.TextVAE(**QUICK, word_dropout=1.0).prepare(TEXTS)
    batch = method.reading(replearn.as_samples(TEXTS))[np.arange(6)]
    for module in method.modules().values():
        module.eval()
    torch.manual_seed(0)
    loss = float(method.loss(batch))  # the weight of the rate is 0 at first
    torch.manual_seed(0)
    mean, log_variance = method.posterior(batch)
    z = mean + (0.5 * log_variance).exp() * torch.randn(6, 4)
    ids = method.ids(batch)
    blank = torch.full_like(ids, method.encoder_.vocabulary.tokenizer.special("[UNK]"))
    expected = method.decoder_.nats(ids, blank, z, ignored=method.encoder_.pad).mean()
    assert loss == pytest.approx(float(expected), rel=1e-5)


@torch.no_grad()
def test_hidden_words_change_what_the_decoder_reads_and_not_what_it_tells():
    torch.manual_seed(0)
    decoder, z = SentenceDecoder(9, 3, hidden=8), torch.randn(2, 3)
    ids = torch.tensor([[2, 5, 6, 3], [2, 7, 3, 0]])
    seen = torch.where(ids == 5, 1, ids)
    plain, hidden = (decoder.nats(ids, given, z, ignored=0) for given in (ids, seen))
    assert plain[0] != hidden[0]
    assert plain[1] == hidden[1]
    longer = torch.nn.functional.pad(ids, (0, 2))  # filling up counts nothing
    torch.testing.assert_close(decoder.nats(longer, longer, z, ignored=0), plain)


@pytest.mark.all
def test_a_decoder_that_needs_no_code_is_told_of():
    method = replearn.TextVAE(
        **QUICK, epochs=60, rise=1e-6, word_dropout=0.0, free_nats=0.0, learning_rate=1e-2
    )
    alarms = [alarm.kind for alarm in method.fit(TEXTS).history_.alarms]
    assert "posterior collapse" in alarms
