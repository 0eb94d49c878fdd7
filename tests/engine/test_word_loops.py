"""The compiled loops of word vectors, beside slow ones in double precision and the objectives' own gradients."""

import heapq
import math
from itertools import pairwise

import numpy as np
import pytest
import torch

pytest.importorskip("numba")

from replearn.engine.words import corpus, counts, draws, epochs, pieces, predict, tree
from replearn.engine.words.cooccurrence import Pair, count_pairs
from replearn.engine.words.lanes import table
from replearn.objectives import glove, hierarchical_softmax, negative_sampling

WORDS, DIM = 12, 20


def filled(rows, seed, scale=0.5):
    found = table(rows, DIM)
    found[:, :DIM] = np.random.default_rng(seed).normal(scale=scale, size=(rows, DIM))
    return found


def setting(*, together=False, negatives=3, buckets=0, window=3, sample=0.0, known=None):
    known = np.arange(1, WORDS + 1) if known is None else known
    return predict.Setting(
        *(window, negatives, together),
        kept=corpus.kept_chances(known, sample),
        pieces=pieces.subwords([f"w{i}" for i in range(WORDS)], buckets) if buckets else pieces.whole(WORDS),
        noise=draws.alias(corpus.noise_chances(known, 0.75)),
        tree=tree.no_tree() if negatives else tree.huffman(known),
        sigmoids=predict.sigmoid_table(),
    )


def targets_of(word, state, plan):
    """As the loop draws them."""
    if plan.negatives == 0:
        return plan.tree.nodes[plan.tree.starts[word] : plan.tree.starts[word + 1]].tolist()
    drawn = [draws.draw(state, plan.noise) for _ in range(plan.negatives)]
    return [word, *(other for other in drawn if other != word)]


def objective(h, own, word, plan):
    """The paper's, of one prediction."""
    if plan.negatives:
        return negative_sampling(h[None], own[:1], own[None, 1:])
    turns = torch.tensor(plan.tree.turns[plan.tree.starts[word] : plan.tree.starts[word + 1]])
    return hierarchical_softmax(h[None], own[None], turns[None].long())


def step_of(h, own, targets, u, rate):
    """Change the targets' rows of `u`; the gradient of h. One that was drawn twice has changed when seen again."""
    factors = own.grad @ h.detach() / (h @ h).item()  # own.grad is a multiple of h in each row
    gradient = torch.zeros_like(h)
    for factor, target in zip(factors.tolist(), targets, strict=True):
        gradient += factor * u[target]
        u[target] -= rate * factor * h.detach()
    if len(set(targets)) == len(targets):
        torch.testing.assert_close(gradient, h.grad)
    return gradient


def slow_words(texts, inputs, outputs, plan, rate, state):
    """One pass, a prediction at a time, in float64, by the objectives' gradients."""
    x, u = (torch.tensor(rows[:, :DIM], dtype=torch.float64) for rows in (inputs, outputs))
    losses = []
    rows_of = [plan.pieces.rows[start:stop].tolist() for start, stop in pairwise(plan.pieces.starts.tolist())]
    for text in texts:
        for centre, word in enumerate(text):
            reach = 1 + draws.below(state, plan.window)
            near = [
                i for i in range(max(0, centre - reach), min(len(text), centre + reach + 1)) if i != centre
            ]
            groups = [near] if plan.together and near else [[i] for i in near]
            rows = [[row for i in group for row in rows_of[text[i]]] for group in groups]
            drawn = [targets_of(word, state, plan) for _ in groups]  # all before the first is learned from
            for seen, targets in zip(rows, drawn, strict=True):
                h, own = x[seen].mean(0).requires_grad_(), u[targets].clone().requires_grad_()
                loss = objective(h, own, word, plan)
                loss.backward()
                losses.append(loss.item())
                change = -rate * step_of(h, own, targets, u, rate)
                x.index_add_(0, torch.tensor(seen), change.expand(len(seen), -1))
    return x.numpy(), u.numpy(), losses


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize(("negatives", "buckets"), [(3, 0), (0, 0), (2, 7)])
def test_a_pass_over_texts_is_the_papers(together, negatives, buckets):
    plan = setting(together=together, negatives=negatives, buckets=buckets)
    random = np.random.default_rng(0)
    texts = [random.integers(WORDS, size=n).tolist() for n in (9, 1, 2, 6)]
    ids = np.concatenate([[*text, 0] for text in texts]).astype(np.int32)
    ends = np.cumsum([len(text) + 1 for text in texts])
    inputs, outputs = filled(WORDS + buckets, 1), filled(WORDS, 2)
    before = inputs.copy(), outputs.copy()
    bench = epochs.Bench(ids, inputs, outputs, plan, epochs.Plan(1, 0.1, 1, 0.0, 3))
    loss, predictions = bench.share(corpus.spans_of(ends), np.array([0.1, 0.1]), (5,), 0)
    x, u, losses = slow_words(texts, *before, plan, 0.1, draws.seed_state(3, 5, 0))
    np.testing.assert_allclose(inputs[:, :DIM], x, atol=2e-5)
    np.testing.assert_allclose(outputs[:, :DIM], u, atol=2e-5)
    assert predictions == len(losses)
    assert loss == pytest.approx(sum(losses), rel=1e-5)
    assert not inputs[:, DIM:].any()  # what fills the rows up stays zero


def test_without_a_learning_rate_nothing_changes_and_the_loss_is_told():
    plan = setting()
    inputs, outputs = filled(WORDS, 1), filled(WORDS, 2)
    before = inputs.copy(), outputs.copy()
    ids = np.random.default_rng(0).integers(WORDS, size=400).astype(np.int32)
    bench = epochs.Bench(ids, inputs, outputs, plan, epochs.Plan(1, 0.1, 1, 0.0, 3))
    held = np.array([[0, 400]])
    assert bench.validation(held) == bench.validation(held)
    np.testing.assert_array_equal(inputs, before[0])
    np.testing.assert_array_equal(outputs, before[1])
    assert bench.validation(np.array([[0, 1]])) == {}  # one word has no neighbour


def test_losses_are_those_of_all_predictions_also_extreme_ones():
    x = np.linspace(-40, 40, 4001)
    found = np.array([predict.sigmoid(np.float32(value), predict.sigmoid_table()) for value in x])
    exact = 1 / (1 + np.exp(-x))
    np.testing.assert_allclose(found, exact, atol=4e-6)
    np.testing.assert_allclose(found[x < -16], exact[x < -16], rtol=1e-4)


def test_frequent_words_are_dropped_as_often_as_the_formula_says():
    kept = corpus.kept_chances(np.array([0, 10, 990]), 0.05)
    state, words = draws.seed_state(0), np.empty(10_000, np.int32)
    left = [predict.keep_words(np.full(10_000, i, np.int32), kept, words, state) / 10_000 for i in range(3)]
    share = 0.99
    chance = math.sqrt(0.05 / share) + 0.05 / share
    assert left[:2] == [0, 1]
    assert left[2] == pytest.approx(chance, abs=4 * math.sqrt(chance * (1 - chance) / 10_000))


def test_draws_follow_the_distribution():
    chances = np.array([0.0, 1.0, 5.0, 0.5, 3.5])
    known = draws.alias(chances)
    state = draws.seed_state(1, 2)
    found = np.bincount([draws.draw(state, known) for _ in range(40_000)], minlength=5) / 40_000
    np.testing.assert_allclose(found, chances / 10, atol=0.012)
    assert found[0] == 0


def test_the_tree_is_huffmans_and_its_leaves_chances_add_up_to_one():
    known = np.random.default_rng(0).integers(1, 100, size=WORDS)
    found = tree.huffman(known)
    heap = known.tolist()
    heapq.heapify(heap)
    best = 0
    while len(heap) > 1:
        joined = heapq.heappop(heap) + heapq.heappop(heap)
        best += joined
        heapq.heappush(heap, joined)
    assert (known * np.diff(found.starts)).sum() == best
    h, nodes = torch.randn(5, dtype=torch.float64), torch.randn(WORDS, 5, dtype=torch.float64)
    total = 0.0
    for start, stop in pairwise(found.starts.tolist()):
        turns = torch.tensor(found.turns[start:stop]).long()
        total += math.exp(-hierarchical_softmax(h[None], nodes[found.nodes[start:stop]][None], turns[None]))
    assert total == pytest.approx(1)


def fnv(text):
    value = 2166136261
    for byte in text.encode():
        value = (value ^ byte) * 16777619 % 2**32
    return value


def test_subwords_are_the_n_grams_between_signs_for_begin_and_end():
    words = ["where", "é"]
    found = pieces.subwords(words, 1000)
    for i, word in enumerate(words):
        framed = f"<{word}>"
        grams = [framed[a : a + n] for a in range(len(framed)) for n in range(3, 7) if a + n <= len(framed)]
        rows = found.rows[found.starts[i] : found.starts[i + 1]].tolist()
        assert rows == [i, *(2 + fnv(gram) % 1000 for gram in grams)]
    rows = np.random.default_rng(0).normal(size=(1002, 3))
    np.testing.assert_allclose(pieces.composed(found, rows)[1], rows[found.rows[found.starts[1] :]].mean(0))


def test_spans_hold_every_token_once_and_shares_are_even():
    random = np.random.default_rng(0)
    lengths = np.append(random.integers(1, 60, size=300), 25_001)
    spans = corpus.spans_of(lengths.cumsum())
    assert (spans[:, 1] - spans[:, 0]).sum() == (lengths - 1).sum()
    assert (spans[:, 1] - spans[:, 0]).max() == 10_000
    parts = corpus.portions(spans, 500)
    np.testing.assert_array_equal(np.concatenate(parts), spans)
    own = corpus.shares(spans[:250], 3)
    np.testing.assert_array_equal(np.concatenate(own), spans[:250])
    tokens = [(part[:, 1] - part[:, 0]).sum() for part in own]
    assert max(tokens) - min(tokens) <= 2 * 60


@pytest.mark.parametrize("slots", [2**9, 2**14])
def test_pairs_are_counted_as_by_a_slow_loop_also_through_files(slots, tmp_path):
    random = np.random.default_rng(0)
    ids = random.integers(1, 40, size=1500).astype(np.int32)
    ends = np.sort(random.choice(np.arange(1, 1500), 200, replace=False))
    known = np.arange(40) % 7  # some are no words
    spans = corpus.spans_of(np.append(ends, 1500))
    wanted = {}
    for begin, end in spans.tolist():
        text = [i for i in ids[begin:end].tolist() if known[i]]
        for i, a in enumerate(text):
            for distance in range(1, 4):
                if i >= distance:
                    key = (min(a, text[i - distance]), max(a, text[i - distance]))
                    wanted[key] = wanted.get(key, 0) + 1 / distance
    files = count_pairs(ids, spans, known, 3, tmp_path, random_state=0, slots=slots)
    found = np.concatenate([np.fromfile(file, Pair) for file in files])
    assert len(found) == len(wanted)
    for first, second, count in found.tolist():
        assert count == pytest.approx(wanted[first, second], rel=1e-6)


def test_a_step_of_glove_is_adagrads_on_the_papers_loss():
    """Its sums are of squared steps, as those of the authors' program."""
    tables = counts.counted_tables(WORDS, DIM, 0.05, np.random.default_rng(0))
    tables.words[:, :DIM] *= 20
    pairs = np.array([(2, 5, 7.0), (5, 5, 300.0), (2, 3, 0.4)], dtype=Pair)
    w, c, b = (
        torch.tensor(rows, dtype=torch.float64)
        for rows in (tables.words[:, :DIM], tables.contexts[:, :DIM], tables.biases)
    )
    sums = [torch.ones_like(rows) for rows in (w, c, b)]
    total = 0.0
    for first, second, count in pairs.tolist():
        for i, j in ((first, second), (second, first)):
            for rows in (w, c, b):
                rows.requires_grad_().grad = None
            value = torch.tensor([count], dtype=torch.float64)
            loss = glove(w[[i]], c[[j]], b[0, [i]], b[1, [j]], value, most=50.0, power=0.6)
            loss.backward()
            total += loss.item() / 2
            with torch.no_grad():
                for rows, squares in zip((w, c, b), sums, strict=True):
                    step = 0.05 * rows.grad
                    rows.sub_(step / squares.sqrt())
                    squares.add_(step.square())
    found = counts._learn_pairs(pairs, *counts._arrays(tables), 50.0, 0.6, counts.WHOLE)
    assert found == pytest.approx(total, rel=1e-5)
    np.testing.assert_allclose(tables.words[:, :DIM], w.detach(), atol=1e-5)
    np.testing.assert_allclose(tables.contexts[:, :DIM], c.detach(), atol=1e-5)
    np.testing.assert_allclose(tables.biases, b.detach(), atol=1e-5)
