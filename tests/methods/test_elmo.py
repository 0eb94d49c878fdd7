"""ELMo: letters, two directions that do not peep, the mixture of layers."""

import string

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import replearn
from made_texts import made_texts
from replearn.data.samples import Batch
from replearn.data.text import Texts
from replearn.data.tokenizer import UNKNOWN
from replearn.encoders import LayerMixture
from replearn.encoders.characters import BEGIN, END, LETTERS, Highway, spelled
from replearn.methods import ELMo

pytest.importorskip("tokenizers")

SMALL = {"window": 12, "batch_size": 8, "epochs": 1, "device": "cpu"}


def texts(n: int = 60) -> list[str]:
    return made_texts(n, least=12, most=12)


def prepared(**fields):
    method = ELMo(**SMALL | fields)
    samples = method.reading(replearn.as_samples(texts()))
    method.prepare(samples)
    for module in method.modules().values():
        module.eval()
    return method, method.training_samples(samples)


def read(method: ELMo, *given: str) -> Batch:
    return Batch(Texts(given), torch.full((len(given),), -1), torch.arange(len(given)))


def test_words_are_spelled_as_bytes() -> None:
    rows = spelled(["to", "é", "", "x" * 40])
    assert rows.shape == (4, LETTERS)
    assert rows[0, :5].tolist() == [BEGIN, ord("t") + 1, ord("o") + 1, END, 0]
    assert rows[1, :5].tolist() == [BEGIN, 0xC3 + 1, 0xA9 + 1, END, 0]
    assert rows[2, :3].tolist() == [BEGIN, END, 0]
    assert rows[3].tolist() == [BEGIN, *[ord("x") + 1] * (LETTERS - 2), END]


def test_windows_and_texts_are_read_alike() -> None:
    method, _ = prepared()
    text = "the cat sat on the mat"
    ids = torch.tensor(method.encoder_.vocabulary.tokenizer.encode([text], framed=True))
    with torch.no_grad():
        torch.testing.assert_close(
            method.encoder_.tokens(read(method, text)), method.encoder_.tokens(read(method, text).with_x(ids))
        )


def test_unknown_words_are_told_apart_by_their_letters() -> None:
    method, _ = prepared()
    unknown = method.encoder_.vocabulary.tokenizer.special(UNKNOWN)
    tokens = method.encoder_.standardise(read(method, "the zebra sat", "a gnu , the zebra", "the cat"))
    assert (tokens.ids == unknown).sum() == 4  # zebra, gnu, the comma, zebra
    word = {
        name: tokens.letters[tokens.which[i, j]]
        for i, j, name in ((0, 2, "zebra"), (1, 2, "gnu"), (1, 3, ","))
    }
    for name, letters in word.items():
        assert torch.equal(letters, spelled([name])[0].long())
    assert tokens.which[0, 2] == tokens.which[1, 5]
    with torch.no_grad():
        one, other = method.encoder_(read(method, "the zebra sat", "the gnu sat"))
    assert (one - other).abs().max() > 1e-4


def test_each_distinct_word_is_spelled_once() -> None:
    method, windows = prepared()
    tokens = method.encoder_.standardise(windows[np.arange(8)])
    assert len(tokens.letters) == len(tokens.ids.unique()) < tokens.ids.numel()


def test_neither_direction_sees_what_it_tells() -> None:
    """A change of the word at 5 reaches the first halves from 5 on, the second halves up to 5, in every layer."""
    method, windows = prepared()
    batch = windows[np.arange(4)]
    changed = batch.x.clone()
    changed[:, 5] = torch.where(changed[:, 5] == 6, 7, 6)
    body = method.encoder_.body
    with torch.no_grad():
        before = body.states(method.encoder_.standardise(batch))
        after = body.states(method.encoder_.standardise(batch.with_x(changed)))
    for layer in (1, 2):
        past, future = (before[layer] != after[layer]).chunk(2, 2)
        seen_past, seen_future = past.any(2).any(0), future.any(2).any(0)
        assert seen_past.tolist() == [False] * 5 + [True] * 7
        assert seen_future.tolist() == [True] * 6 + [False] * 6


def test_the_loss_is_the_papers() -> None:
    """Section 3.1: the log-likelihoods of both directions, by one softmax; here their mean per word."""
    method, windows = prepared(vocabulary=12)
    batch = windows[np.arange(8)]
    with torch.no_grad():
        found = method.loss(batch)
        states = method.encoder_.tokens(batch)  # (n, t, 2 d)
    past, future = states.chunk(2, 2)
    unknown = method.encoder_.vocabulary.tokenizer.special(UNKNOWN)
    terms = []
    for i in range(8):
        for j in range(12):
            word = int(batch.x[i, j]) if batch.x[i, j] < 12 else unknown
            if j > 0:
                terms.append(-F.log_softmax(method.softmax_(past[i, j - 1]).double(), 0)[word])
            if j < 11:
                terms.append(-F.log_softmax(method.softmax_(future[i, j + 1]).double(), 0)[word])
    torch.testing.assert_close(found.double(), torch.stack(terms).mean(), rtol=1e-5, atol=1e-6)


def test_rare_words_count_as_one_in_loss_and_frequencies() -> None:
    method, windows = prepared(vocabulary=12)
    assert method.softmax_.out_features == 12
    told = method.told(torch.from_numpy(windows.stream.ids.astype(np.int64)))
    shares = torch.bincount(told).double() / len(told)
    shares = shares[shares > 0]
    assert method._frequencies == pytest.approx(float(-(shares * shares.log()).sum()))
    assert method._frequencies < windows.stream.entropy()


@pytest.mark.all
def test_words_are_told_by_both_sides() -> None:
    """Letters in their order, from a random one on: 2.8 nats without context."""
    rng = np.random.default_rng(0)
    letters = string.ascii_lowercase[:16]
    cycles = [" ".join(letters[(s + i) % 16] for i in range(24)) for s in rng.integers(16, size=64)]
    method = ELMo(window=16, batch_size=16, epochs=8, learning_rate=1e-2, device="cpu").fit(cycles)
    gains = [row["context_gain"] for row in method.history_.rows if "context_gain" in row]
    assert gains[-1] > 1.5


def test_the_representation_is_the_mean_of_the_layers() -> None:
    method, _ = prepared()
    batch = read(method, "the cat", "a dog sat on the mat")
    layers = method.encoder_.layers(batch)
    assert len(layers) == 3
    torch.testing.assert_close(method.represent(batch), sum(layers) / 3)


def test_highway_carries_on_or_changes() -> None:
    highway = Highway(3)
    x = torch.randn(4, 3)
    with torch.no_grad():
        highway.gate.bias.fill_(-50.0)
        torch.testing.assert_close(highway(x), x)
        highway.gate.bias.fill_(50.0)
        torch.testing.assert_close(highway(x), highway.change(x).relu())


@pytest.mark.parametrize("normalise", [False, True])
def test_the_mixture_is_equation_1(normalise: bool) -> None:
    mixture = LayerMixture(3, normalise=normalise)
    with torch.no_grad():
        mixture.weights.copy_(torch.tensor([0.3, -1.0, 2.0]))
        mixture.scale.fill_(1.7)
    layers = [torch.randn(4, 5, 6) * (i + 1) for i in range(3)]
    weights = np.exp([0.3, -1.0, 2.0])
    expected = torch.zeros(4, 5, 6, dtype=torch.float64)
    for share, h in zip(weights / weights.sum(), layers, strict=True):
        wide = h.double()
        if normalise:
            wide = (wide - wide.mean(-1, keepdim=True)) / (
                wide.var(-1, unbiased=False, keepdim=True) + 1e-5
            ).sqrt()
        expected += 1.7 * share * wide
    torch.testing.assert_close(mixture(layers).double(), expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(mixture.shares.sum(), torch.ones(()))
    mixture(layers).sum().backward()
    assert mixture.weights.grad is not None
    assert mixture.scale.grad is not None


def test_a_mixture_of_other_layers_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 layer"):
        LayerMixture(0)
    with pytest.raises(ValueError, match="3 layers; got 2"):
        LayerMixture(3)([torch.zeros(1, 2)] * 2)
