"""What `evaluate` tells of a language model, beside its representation."""

import json

import numpy as np
import pytest

pytest.importorskip("tokenizers")

from replearn.cli.language import language_facts, print_language
from replearn.data import as_samples
from replearn.methods import NGram


def sentences(n, seed):
    rng = np.random.default_rng(seed)
    words = [f"word{i}" for i in range(40)]
    return as_samples([" ".join(rng.choice(words, size=60)) for _ in range(n)])


def test_facts_of_a_language_model(capsys):
    train, test = sentences(30, 0), sentences(10, 1)
    model = NGram(tokenizer="words", order=4).fit(train)
    facts = language_facts(model, train, test)
    assert facts["held out"]
    assert facts["bits per character"] == pytest.approx(model.bits_per_character(test.texts))
    parts = {(row["part"], row["prefix"]): row["exact"] for row in facts["memorization"]}
    assert parts["training", 32] > 0.5 > parts["held out", 32] + 0.4
    assert [row["length"] for row in facts["overlap"]] == [8, 13]
    json.dumps(facts)
    print_language(facts)
    printed = capsys.readouterr().out
    assert "bits per character" in printed
    assert "held-out texts" in printed
    assert "13-grams of words stand in the training texts" in printed
    assert not language_facts(model, test, train)["held out"]


def test_short_texts_are_asked_for_less():
    train, test = as_samples(["a b c d e f " * 3] * 20), as_samples(["a b c d e f " * 3] * 5)
    facts = language_facts(NGram(tokenizer="words", order=2).fit(train), train, test)
    assert facts["memorization"] == [] or max(row["prefix"] for row in facts["memorization"]) <= 2


def test_no_facts_of_other_methods(capsys):
    assert language_facts(object(), sentences(3, 0), sentences(3, 1)) == {}
    print_language({})
    assert capsys.readouterr().out == ""
