"""Entities, words and their tokens, states of words."""

import numpy as np
import pytest
from made_up import frozen, tags

from replearn.data import train_tokenizer
from replearn.encoders import Vocabulary
from replearn.transfer import entities, entity_scores, word_states
from replearn.transfer.ragged import ragged
from replearn.transfer.reading import PairTexts, WordTexts, token_samples
from replearn.transfer.tag import first_tokens

SENTENCES = [["unbelievable", "cat", "sat", "."], ["a", "", "dog's", "house"], []]


@pytest.mark.parametrize("kind", ["bpe", "wordpiece", "unigram", "words", "characters"])
@pytest.mark.filterwarnings("ignore")
def test_each_word_has_its_first_token(kind):
    raw = WordTexts(SENTENCES)
    tokenizer = train_tokenizer([*raw.texts, "unbe lie vable dog ' s"] * 3, kind, size=300)
    samples = token_samples(raw, Vocabulary(tokenizer), 64)
    for position, words in enumerate(SENTENCES):
        first = first_tokens(samples, position)
        spans = samples.spans.row(position)
        assert len(first) == len(words)
        assert (first[[bool(word) for word in words]] >= 0).all()
        for word, token in zip(words, first, strict=True):
            if word:
                start, end = spans[token]
                assert raw.texts[position][start:end].strip()
                assert word.startswith(raw.texts[position][start:end].strip())
            else:
                assert token == -1


def test_an_entity_is_right_only_as_a_whole():
    truth = ["B-a", "I-a", "O", "B-b", "B-b", "I-b"]
    assert entities(truth) == [(0, 2, "a"), (3, 4, "b"), (4, 6, "b")]
    cut = ["B-a", "O", "O", "B-b", "B-b", "I-b"]
    assert entity_scores([truth], [cut])["entity_f1"] == pytest.approx(2 / 3)
    kind = ["B-b", "I-b", "O", "B-b", "B-b", "I-b"]
    assert entity_scores([truth], [kind])["entity_precision"] == pytest.approx(2 / 3)
    more = [*truth[:2], "B-b", *truth[3:]]
    assert entity_scores([truth], [more])["entity_recall"] == 1.0
    assert entity_scores([["O"]], [["O"]])["entity_f1"] == 0.0
    assert entity_scores([truth], [truth])["entity_f1"] == 1.0
    assert entities(["I-a", "I-b", "O", "I-b"]) == [(0, 1, "a"), (1, 2, "b"), (3, 4, "b")]


@pytest.mark.filterwarnings("ignore::replearn.data.DataWarning")
def test_pairs_are_read_in_one_row_or_apart():
    raw = PairTexts(["to be", "or"], ["not", "to be or"])
    tokenizer = train_tokenizer([*raw.texts, *raw.second], "words")
    joined = token_samples(raw, Vocabulary(tokenizer), 64, joined=True)[np.arange(2)].x
    assert joined.ids.shape == (2, 7)  # [CLS] or [SEP] to be or [SEP]
    assert joined.types[1].tolist() == [0, 0, 0, 1, 1, 1, 1]
    apart = token_samples(raw, Vocabulary(tokenizer), 64)[np.arange(2)].x
    assert apart.ids.shape == (2, 2, 5)
    assert apart.types is None
    assert apart.mask.sum(2).tolist() == [[4, 3], [3, 5]]
    cut = token_samples(raw, Vocabulary(tokenizer), 5, joined=True)
    assert max(cut.lengths) == 5


def test_rows_of_unequal_length():
    rows = ragged([np.array([[1, 2]]), np.zeros((0, 2), dtype=int), np.array([[3, 4], [5, 6]])], fill=-1)
    assert rows[np.array([2, 1])].tolist() == [[[3, 4], [5, 6]], [[-1, -1], [-1, -1]]]
    assert rows.mask(np.array([0, 2])).tolist() == [[True, False], [True, True]]
    assert rows.row(2).tolist() == [[3, 4], [5, 6]]


@pytest.mark.filterwarnings("ignore::replearn.data.DataWarning")
def test_states_of_words_are_those_of_their_first_tokens():
    X, y = tags(20)
    found = frozen(task="tag", epochs=1).fit(X, y)
    layers, seen = word_states(found.encoder_, [*X, ["tree"] * 40], precision="32-true")
    assert [layer.shape[1] for layer in layers] == [128] * 3
    assert len(seen) == 20 * 6 + 40
    assert len(layers[0]) == seen.sum() < len(seen)
    alone = word_states(found.encoder_, X[3:4], precision="32-true")[0]
    np.testing.assert_allclose(alone[2], layers[2][18:24], atol=1e-5)
