"""The check of memory, on models of which it is known what they have by heart."""

import numpy as np
import pytest

pytest.importorskip("tokenizers")

from replearn.evaluate import memorization, overlap
from replearn.methods import NGram


class Parrot:
    """Knows some rows of numbers by heart from their first `needs` numbers on, and else says 0."""

    context = 64

    def __init__(self, texts, needs):
        self.rows = [self.read(text) for text in texts]
        self.needs = needs

    @staticmethod
    def read(text):
        return [int(word) for word in text.split()]

    @property
    def own_tokenizer(self):
        return self

    def encode(self, texts):
        return [self.read(text) for text in texts]

    def continue_tokens(self, prompts, *, tokens):
        found = []
        for prompt in prompts:
            same = [row for row in self.rows if row[: len(prompt)] == list(prompt)]
            known = bool(same) and len(prompt) >= self.needs
            found.append(same[0][len(prompt) :][:tokens] if known else [0] * tokens)
        return found


def numbers(n, seed, low=1):
    rng = np.random.default_rng(seed)
    return [" ".join(map(str, rng.integers(low, 10**6, size=40))) for _ in range(n)]


def test_what_is_known_by_heart_shows_from_the_prefix_on_that_it_needs():
    train, other = numbers(30, 0), numbers(30, 1)
    table = memorization(Parrot(train, needs=8), train, other, prefixes=(4, 8, 16), length=10, texts=20)
    exact = table.set_index(["part", "prefix"])["exact"]
    assert exact["training"].to_dict() == {4: 0.0, 8: 1.0, 16: 1.0}
    assert exact["held out"].to_dict() == {4: 0.0, 8: 0.0, 16: 0.0}
    assert (table["texts"] == 20).all()
    assert (table["tokens right"] == table["exact"]).all()
    assert ((table["low"] <= table["exact"]) & (table["exact"] <= table["high"])).all()


def test_half_of_it_known_is_half():
    train = numbers(40, 0)
    table = memorization(Parrot(train[:20], needs=1), train, train[20:], prefixes=(4,), length=5, texts=40)
    assert table["exact"].tolist() == [0.5, 0.0]


def test_a_text_that_ends_early_is_not_exact():
    short = Parrot([" ".join(map(str, range(1, 12)))], needs=1)
    table = memorization(short, numbers(1, 0), [" ".join(map(str, range(1, 20)))], prefixes=(4,), length=10)
    assert table["exact"].tolist() == [0.0, 0.0]
    assert table["tokens right"].tolist() == [0.0, 0.7]


def test_short_texts_and_long_prefixes_are_told():
    parrot = Parrot(numbers(2, 0), needs=1)
    with pytest.raises(ValueError, match="held out text must have at least 20 tokens; none of 1 has"):
        memorization(parrot, numbers(2, 0), ["1 2 3"], prefixes=(4,), length=16)
    for prefixes in ((60,), (), (0,)):
        with pytest.raises(ValueError, match="context of 64 tokens"):
            memorization(parrot, numbers(2, 0), numbers(2, 1), prefixes=prefixes, length=10)


def test_a_model_of_long_n_grams_has_its_texts_by_heart():
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcdefghij"), size=5)) for _ in range(300)]
    train, other = ([" ".join(rng.choice(words, size=30)) for _ in range(40)] for _ in range(2))
    model = NGram(tokenizer="words", order=4).fit(train)
    table = memorization(model, train, other, prefixes=(4,), length=8).set_index("part")
    assert table["exact"]["training"] > 0.7
    assert table["exact"]["held out"] < 0.1


def test_overlap_is_counted_as_by_hand():
    train = ["A b c d e.", "x y z"]
    test = ["a B c, d", "c d e f g", "x y", "e x y z"]
    table = overlap(train, test, lengths=(2, 3, 4)).set_index("length")
    # of 2: ab bc cd | cd de ef fg | xy | ex xy yz
    assert table["n-grams"].to_dict() == {2: 11, 3: 7, 4: 4}
    assert table["seen"].to_dict() == pytest.approx({2: 8 / 11, 3: 4 / 7, 4: 1 / 4})
    assert table["texts"].to_dict() == pytest.approx({2: 1.0, 3: 3 / 4, 4: 1 / 4})


def test_overlap_of_nothing():
    table = overlap(["a b"], ["", "c"], lengths=(8,))
    assert table["n-grams"].tolist() == [0]
    assert np.isnan(table["seen"][0])


def test_overlap_agrees_with_sets_on_many_texts():
    rng = np.random.default_rng(0)
    train, test = ([" ".join(rng.choice(list("abcd"), size=20)) for _ in range(50)] for _ in range(2))
    grams = [[tuple(text.split()[i : i + 6]) for i in range(15)] for text in train]
    known = {gram for row in grams for gram in row}
    wanted = [tuple(text.split()[i : i + 6]) in known for text in test for i in range(15)]
    assert overlap(train, test, lengths=(6,))["seen"][0] == pytest.approx(np.mean(wanted))
