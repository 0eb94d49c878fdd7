"""The n-gram model: Kneser-Ney as in the papers, by a slow second account of it; files, draws and texts."""

import math
from collections import Counter, defaultdict

import numpy as np
import pytest
import torch

pytest.importorskip("tokenizers")

import replearn
from replearn.methods import NGram
from replearn.methods.language.kneser_ney import KneserNey, discounts

END, SIZE = 0, 7


def some_texts(n=60, seed=0):
    """Rows of tokens 1 to 5 that repeat themselves, each with the end behind it."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(n):
        row, token = [], int(rng.integers(1, 6))
        for _ in range(int(rng.integers(1, 12))):
            row.append(token)
            token = token % 5 + 1 if rng.random() < 0.7 else int(rng.integers(1, 6))
        rows.append(row)
    return rows


class Slow:
    """Interpolated modified Kneser-Ney, equation by equation, by dictionaries."""

    def __init__(self, texts, order):
        self.order = order
        plain = [Counter() for _ in range(order + 1)]
        for text in texts:
            row = [END, *text, END]
            for i in range(1, len(row)):
                for n in range(1, min(order, i + 1) + 1):
                    plain[n][tuple(row[i - n + 1 : i + 1])] += 1
        self.counts = [None, *plain[1:]]
        for n in range(1, order):
            before = defaultdict(set)
            for gram in plain[n + 1]:
                before[gram[1:]].add(gram[0])
            self.counts[n] = Counter(
                {gram: len(before[gram]) if gram in before else count for gram, count in plain[n].items()}
            )
        self.discounts = [None] + [discounts(np.array([*c.values()])) for c in self.counts[1:]]

    def p(self, token, context):
        n = len(context) + 1
        lower = 1 / SIZE if n == 1 else self.p(token, context[1:])
        after = {g: c for g, c in self.counts[n].items() if g[:-1] == context}
        total = sum(after.values())
        if total == 0:
            return lower
        d = self.discounts[n]
        count = after.get((*context, token), 0)
        freed = sum(d[min(c, 3) - 1] for c in after.values())
        taken = d[min(count, 3) - 1] if count else 0
        return (count - taken) / total + freed / total * lower

    def ln(self, text):
        row = [END, *text, END]
        return [
            math.log(self.p(row[i], tuple(row[max(0, i - self.order + 1) : i]))) for i in range(1, len(row))
        ]


def fast(texts, order):
    model = KneserNey(order, SIZE)
    model.count(np.concatenate([[*text, END] for text in texts]).astype(np.int32), end=END)
    return model


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_probabilities_are_those_of_the_equations(order):
    texts = some_texts()
    slow, model = Slow(texts, order), fast(texts, order)
    others = [*some_texts(8, seed=1), [6, 1, 6], [], [1] * 9]  # 6 was never seen
    found = model.score_rows([np.array([END, *text, END]) for text in others])
    for text, told in zip(others, found, strict=True):
        np.testing.assert_allclose(told, slow.ln(text), rtol=1e-9)


@pytest.mark.parametrize("order", [1, 2, 4])
def test_next_tokens_have_the_same_probabilities_and_sum_to_one(order):
    model = fast(some_texts(), order)
    for begun in ([END], [END, 1], [END, 1, 2, 3, 4], [END, 6], [1, END, 2, 3]):
        shares = model.next_shares(np.array(begun))
        assert shares.sum() == pytest.approx(1, abs=1e-12)
        told = [model.score(np.array([*begun, token]))[-1] for token in range(SIZE)]
        np.testing.assert_allclose(np.log(shares), told, rtol=1e-9)


def test_discounts_are_chen_and_goodmans():
    counts = np.array([1] * 8 + [2] * 3 + [3] * 2 + [4] + [9])
    y = 8 / (8 + 2 * 3)
    assert discounts(counts) == pytest.approx((1 - 2 * y * 3 / 8, 2 - 3 * y * 2 / 3, 3 - 4 * y * 1 / 2))
    assert len(set(discounts(np.array([5, 6, 7])))) == 1  # too few n-grams: one discount


def test_counting_does_not_cross_texts():
    model = fast([[1, 2], [3, 4]] * 5, 2)
    after_two = model.next_shares(np.array([END, 2]))
    assert after_two.argmax() == END
    assert after_two[3] < 0.2


@pytest.fixture(scope="module")
def corpus():
    rng = np.random.default_rng(0)
    subjects, verbs, things = (
        ["the cat", "a dog", "my aunt"],
        ["sees", "wants", "eats"],
        ["fish", "a hat", "us"],
    )
    return [" ".join(str(rng.choice(part)) for part in (subjects, verbs, things)) + "." for _ in range(200)]


@pytest.mark.parametrize("tokenizer", ["characters", "words", "bpe"])
def test_it_learns_and_writes_what_it_learned(tokenizer, corpus):
    model = NGram(tokenizer=tokenizer, vocabulary=300, order=4).fit(corpus[:150])
    one = NGram(tokenizer=tokenizer, vocabulary=300, order=1).fit(corpus[:150])
    assert model.bits_per_character(corpus[150:]) < 0.5 * one.bits_per_character(corpus[150:])
    # ln 27 of a sentence's choices, over about 17 characters
    told = -model.log_likelihoods(corpus[150:]).mean()
    assert told < 1.6 * math.log(27)
    written = model.generate("the", tokens=40, n=3, random_state=1)
    assert all(text.startswith("the") for text in written)
    assert model.generate("the", tokens=40, n=3, random_state=1) == written
    known = {word for text in corpus for word in text.split()}
    assert set(" ".join(written).replace(" .", ".").split()) & known


def test_a_run_gives_the_same_probabilities(corpus, tmp_path):
    model = NGram(vocabulary=300, order=3).fit(corpus, run=tmp_path / "run")
    again = replearn.load(tmp_path / "run")
    np.testing.assert_array_equal(again.log_likelihoods(corpus[:9]), model.log_likelihoods(corpus[:9]))
    np.testing.assert_array_equal(again.transform(corpus[:9]), model.transform(corpus[:9]))
    assert again.generate("a", tokens=20) == model.generate("a", tokens=20)


def test_batches_of_one_and_of_many_agree(corpus):
    model = NGram(vocabulary=300, order=3).fit(corpus)
    texts = [*corpus[:5], "", "x" * 500]
    one_by_one = [model.log_likelihoods([text])[0] for text in texts]
    np.testing.assert_allclose(model.log_likelihoods(texts), one_by_one, rtol=1e-12)


def test_its_representation_is_a_bag_of_tokens(corpus):
    model = NGram(tokenizer="words", order=2).fit(corpus)
    h = torch.from_numpy(model.transform(["the cat sees us.", "us sees cat the."]))
    torch.testing.assert_close(h[0], h[1])
    torch.testing.assert_close(h.norm(dim=1), torch.ones(2))
    assert h.shape == (2, model.representation_dim)


def test_an_order_out_of_range_is_refused(corpus):
    with pytest.raises(ValueError, match="between 1 and 20"):
        NGram(order=0).fit(corpus)
