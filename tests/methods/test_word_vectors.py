"""word2vec and GloVe learn which words mean alike, repeat bit by bit, and say what is wrong."""

import csv
import os
import signal

import numpy as np
import pytest
import torch

pytest.importorskip("numba")
pytest.importorskip("tokenizers")

import replearn
from replearn.encoders.word_files import read_word2vec, write_word2vec
from replearn.engine.signals import Stopped
from replearn.engine.words import epochs
from replearn.evaluate import knn_probe
from replearn.methods.language import GloVe, Word2Vec

TOPICS, EACH = 8, 12  # words of a topic stand together
KINDS = [
    (Word2Vec, {}),
    (Word2Vec, {"model": "cbow", "learning_rate": 0.1}),
    (Word2Vec, {"negatives": 0}),
    (Word2Vec, {"subwords": 500}),
    (GloVe, {}),
]
QUICK = {"dim": 20, "least": 1, "sample": 0.0, "epochs": 8, "held_out": 0.1}


def make(cls, **given):
    fields = {name: value for name, value in QUICK.items() if hasattr(cls, name)}
    return cls(**fields | given)


@pytest.fixture(scope="module")
def texts():
    """Texts on a topic each: its words, and words of all texts between them. Names tell nothing of topics."""
    random = np.random.default_rng(0)
    names = random.permutation(TOPICS * EACH + 10)
    topics = random.integers(TOPICS, size=600)
    found = []
    for topic in topics:
        own = topic * EACH + random.integers(EACH, size=25)
        rest = TOPICS * EACH + random.integers(10, size=25)
        found.append(" ".join(f"w{names[i]}x" for i in np.where(random.random(25) < 0.6, own, rest)))
    spelled = [f"w{names[i]}x" for i in range(TOPICS * EACH)]
    return found, topics, spelled


def alike(table, spelled):
    """Share of words whose nearest word is of their topic."""
    place = {word: i // EACH for i, word in enumerate(spelled)}
    nearest = [table.most_similar(word, n=1)[0][0] for word in spelled]
    return np.mean([place.get(other) == place[word] for word, other in zip(spelled, nearest, strict=True)])


@pytest.mark.parametrize(("cls", "fields"), KINDS)
def test_it_learns_which_words_stand_together(cls, fields, texts):
    model = make(cls, **fields).fit(texts[0])
    assert alike(model.words_, texts[2]) > 0.9  # by chance 0.1
    rows = [row for row in model.history_.rows if "epoch_loss" in row]
    assert len(rows) == 8
    assert rows[-1]["epoch_loss"] < rows[0]["epoch_loss"]
    assert rows[-1]["validation_loss"] < rows[0]["validation_loss"]
    h = model.transform(texts[0])
    score = knn_probe(h[:400], texts[1][:400], h[400:], texts[1][400:])
    assert score > 0.95  # by chance 0.125


@pytest.mark.parametrize(("cls", "fields"), [KINDS[0], KINDS[1], KINDS[4]])
def test_one_worker_repeats_bit_by_bit_and_two_learn_as_well(cls, fields, texts):
    a, b, c = (make(cls, **fields, random_state=seed).fit(texts[0]) for seed in (3, 3, 4))
    assert torch.equal(a.words_.vectors, b.words_.vectors)
    assert not torch.equal(a.words_.vectors, c.words_.vectors)
    assert [row["loss"] for row in a.history_.rows] == [row["loss"] for row in b.history_.rows]
    two = make(cls, **fields, workers=2).fit(texts[0])
    assert alike(two.words_, texts[2]) > 0.9


class AtThirdRow:
    """A logger to which something happens."""

    def __init__(self, happens):
        self.happens, self.rows = happens, 0

    def log_metrics(self, metrics, step):
        self.rows += 1
        if self.rows == 3:
            self.happens()

    def finalize(self, status):
        pass


def break_off():
    raise OSError("no space left")


@pytest.mark.parametrize(("cls", "fields"), KINDS)
def test_a_training_that_broke_goes_on_with_the_same_bits(cls, fields, texts, tmp_path, monkeypatch):
    monkeypatch.setattr(epochs, "PORTION", 2**11)  # seven portions in an epoch: it breaks within one
    fields = fields | {"checkpoint_minutes": 0.0}
    whole = make(cls, **fields).fit(texts[0], run=tmp_path / "whole")
    with pytest.raises(OSError, match="no space"):
        make(cls, **fields).fit(texts[0], run=tmp_path / "run", loggers=[AtThirdRow(break_off)])
    assert len(list((tmp_path / "run" / "state").glob("step-*"))) == 2
    again = make(cls, **fields).fit(texts[0], run=tmp_path / "run", resume=True)
    assert torch.equal(again.words_.vectors, whole.words_.vectors)
    for name in ("loss", "epoch_loss", "validation_loss", "step", "learning_rate"):
        found, wanted = ([row.get(name) for row in model.history_.rows] for model in (again, whole))
        assert found == wanted, name
    (kept,) = (tmp_path / "run" / "state").iterdir()  # the last: an extension needs all tables
    assert int(kept.name.removeprefix("step-")) == again.history_.rows[-1]["step"]


@pytest.mark.parametrize("cls", [Word2Vec, GloVe])
def test_a_signal_ends_a_portion_and_saves(cls, texts, tmp_path):
    whole = make(cls).fit(texts[0])
    interrupting = [AtThirdRow(lambda: os.kill(os.getpid(), signal.SIGINT))]
    with pytest.raises(Stopped, match=r"stopped at step 4 of 8; all is saved\. .*--resume"):
        make(cls).fit(texts[0], run=tmp_path / "run", loggers=interrupting)
    again = make(cls).fit(texts[0], run=tmp_path / "run", resume=True)
    assert torch.equal(again.words_.vectors, whole.words_.vectors)


@pytest.mark.parametrize("cls", [Word2Vec, GloVe])
def test_a_run_keeps_words_vectors_and_history(cls, texts, tmp_path):
    model = make(cls).fit(texts[0], run=tmp_path / "run")
    again = replearn.load(tmp_path / "run")
    np.testing.assert_array_equal(again.transform(texts[0][:50]), model.transform(texts[0][:50]))
    word = texts[2][0]
    assert again.words_.most_similar(word) == model.words_.most_similar(word)
    assert again.history_.rows == model.history_.rows
    with (tmp_path / "run" / "history.csv").open(encoding="utf-8") as file:
        assert "validation_loss" in next(csv.reader(file))
    write_word2vec(model.words_, tmp_path / "file", binary=True)
    assert read_word2vec(tmp_path / "file").most_similar(word) == model.words_.most_similar(word)


def test_texts_without_known_words_are_zero_and_special_tokens_have_no_vector(texts):
    model = make(Word2Vec, epochs=1).fit(texts[0])
    h = model.transform(["", "never seen", f"{texts[2][0]} never {texts[2][1]}"])
    assert not h[:2].any()
    rows = model.words_.vectors[model.words_.rows(texts[2][:2])]
    np.testing.assert_allclose(h[2], rows.mean(0).numpy(), atol=1e-6)
    assert "[UNK]" not in model.words_


def test_the_loss_at_the_start_is_that_of_zero_outputs(texts):
    model = make(Word2Vec, epochs=1, learning_rate=1e-9, negatives=4).fit(texts[0])
    # Where a drawn word is the centre it is no noise, so there are a few decisions less than 5.
    assert 4.85 * np.log(2) < model.history_.rows[-1]["epoch_loss"] <= 5 * np.log(2) + 1e-6
    assert 4.85 * np.log(2) < model.history_.rows[-1]["validation_loss"] <= 5 * np.log(2) + 1e-6


@pytest.mark.parametrize("cls", [Word2Vec, GloVe])
@pytest.mark.parametrize(
    ("given", "texts", "says"),
    [
        ({"least": 4}, ["one two", "three"], "at least 4 times"),
        ({}, ["one", "two", "three"], "no text has two known words"),
        ({"dim": 0}, ["one two"], "dim must be at least 1"),
        ({"window": 0}, ["one two"], "window must be at least 1"),
        ({"workers": 0}, ["one two"], "workers must be at least 1"),
        ({"held_out": 0.9}, ["one two"], "from 0 to 0.5"),
        ({"learning_rate": 0.0}, ["one two"], "greater than 0"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(cls, given, texts, says):
    with pytest.raises(ValueError, match=says) as error:
        make(cls, **given).fit(texts)
    assert len(str(error.value).splitlines()) == 1


def test_fields_of_their_own_are_checked():
    for model, says in (
        (Word2Vec(negatives=-1), "negatives must not be negative"),
        (GloVe(most=0), "most must be greater than 0"),
    ):
        with pytest.raises(ValueError, match=says):
            model.fit(["one two"] * 9)
    with pytest.raises(ValueError, match="learns from samples of kind text"):
        Word2Vec().fit(np.zeros((9, 3), np.float32))
