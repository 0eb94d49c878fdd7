"""What is cut off of texts is told in one line, by everything that reads texts."""

import re
import warnings

import numpy as np
import pytest

pytest.importorskip("tokenizers")
pytest.importorskip("transformers")

from lanes import one_of_each
from made_methods import labelled_for
from replearn.data import DataWarning, TextSamples, as_samples, train_tokenizer
from replearn.encoders import TextEncoder, Vocabulary
from replearn.encoders.long_texts import LOOKED_AT, warn_of_long_texts
from replearn.methods import Model, registry
from replearn.transfer import FineTune

TEXTS = [*["the cat sat on the mat"] * 20, *["the dog ran " * 400] * 4]
SMALL = {
    "tokenizer": "words",
    "vocabulary": 300,
    "window": 8,
    "length": 8,
    "epochs": 1,
    "batch_size": 8,
    "min_count": 1,
}
VOCABULARY = Vocabulary(train_tokenizer(TEXTS, "words"))


def told(work) -> list[str]:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        work()
    return [str(line.message) for line in found if issubclass(line.category, DataWarning)]


def test_the_line_counts_texts_and_what_is_lost():
    (line,) = told(lambda: warn_of_long_texts(TEXTS, VOCABULARY, 100))
    assert line.startswith("4 of 24 texts are longer than the 100 tokens")
    assert "92% of these texts (the longest has 1,202 tokens)" in line
    assert told(lambda: warn_of_long_texts(TEXTS, VOCABULARY, 1202)) == []
    assert told(lambda: warn_of_long_texts([], VOCABULARY, 10)) == []


def test_of_many_some_are_looked_at_and_the_line_says_about():
    texts = ["the cat " * 30, "the"] * (4 * LOOKED_AT)
    (line,) = told(lambda: warn_of_long_texts(texts, VOCABULARY, 10))
    count, n = re.fullmatch(r"about ([\d,]+) of ([\d,]+) texts are longer .*", line).groups()
    assert int(n.replace(",", "")) == len(texts)
    assert int(count.replace(",", "")) == pytest.approx(len(texts) / 2, rel=0.1)
    assert told(lambda: warn_of_long_texts(texts, VOCABULARY, 10)) == [line]


def test_a_text_of_one_endless_word_is_cut_too():
    assert "1 of 1 texts" in told(lambda: warn_of_long_texts([" " * 9999 + "the"], VOCABULARY, 4))[0]


@pytest.mark.parametrize("name", one_of_each(n for n, entry in registry().items() if "text" in entry.kinds))
def test_every_method_tells_what_it_cuts(name):
    """What an encoder of texts reads of these is cut; what reads all of a text says nothing."""
    cls = registry()[name].cls
    if not issubclass(cls, Model):
        pytest.skip("counts words, all of them")
    known = {field: value for field, value in SMALL.items() if field in cls.__dataclass_fields__}
    if "encoder" in cls.__dataclass_fields__ and cls.__dataclass_fields__["encoder"].default == "auto":
        known["encoder"] = "bert_tiny"
    if "least" in cls.__dataclass_fields__:
        known |= {"least": 1}
    if name == "distill":
        known |= {"teacher": "words"}
    samples = labelled_for(cls, as_samples(TEXTS, np.arange(24) % 2))
    method = cls(**known).prepare(samples)
    encoder = getattr(method, "encoder_", None)
    cuts = isinstance(encoder, TextEncoder) and encoder.length < 1202
    lines = told(lambda: method.transform(TEXTS))
    assert len(lines) == cuts
    assert all(line.startswith("4 of 24 texts are longer") for line in lines)


@pytest.mark.parametrize("name", ["textvae", "simcse", "bert"])
def test_fit_tells_what_is_cut_in_training(name):
    cls = registry()[name].cls
    known = {field: value for field, value in SMALL.items() if field in cls.__dataclass_fields__}
    lines = told(lambda: cls(**known, encoder="bert_tiny" if name != "textvae" else "lstm").fit(TEXTS))
    assert [line[:7] for line in lines] == ([] if name == "bert" else ["4 of 24"])


WORDS = [text.split() for text in TEXTS]
TASKS = {
    "classify": (TEXTS, [0, 1] * 12),
    "regress": (TEXTS, [0.0, 1.0] * 12),
    "pair": (list(zip(TEXTS, TEXTS[::-1], strict=True)), [0, 1] * 12),
    "tag": (WORDS, [["x" if word == "cat" else "O" for word in words] for words in WORDS]),
    "span": (TEXTS, [[(0, 3, "x")] for _ in TEXTS]),
}


@pytest.mark.parametrize("task", TASKS)
def test_every_task_tells_what_it_cuts(task):
    X, y = TASKS[task]
    model = FineTune(encoder="words", task=task, epochs=1, batch_size=8, length=32)
    number = "8 of 48" if task == "pair" else "4 of 24"
    assert [line[:7] for line in told(lambda: model.fit(X, y))] == [number]
    assert [line[:7] for line in told(lambda: model.predict(X))] == [number]
    assert told(lambda: model.predict(X[:10])) == (
        [] if task != "pair" else told(lambda: model.predict(X[:10]))
    )


@pytest.mark.all
def test_commands_tell_it(tmp_path, capfd, monkeypatch):
    from replearn.cli import main

    monkeypatch.chdir(tmp_path)
    rows = [f'"{text}",{i % 2}' for i, text in enumerate(TEXTS)]
    (tmp_path / "t.csv").write_text("text,label\n" + "\n".join(rows))
    common = ["--encoder", "bert_tiny", "--epochs", "1", "--batch-size", "8", "--run", "r"]
    for args in (
        ["fit", "simcse", "t.csv", *common],
        ["embed", "r", "t.csv"],
        ["evaluate", "r", "t.csv", "--test", "t.csv"],
        ["compare", "frozen", "--data", "t.csv", "--test", "t.csv", "--encoder", "bert_tiny", "--run", "c"],
        ["finetune", "r", "t.csv", "--test", "t.csv", "--epochs", "1", "--batch-size", "8"],
    ):
        capfd.readouterr()
        assert main(args) == 0
        lines = [line for line in capfd.readouterr().err.splitlines() if "longer than" in line]
        assert lines == [lines[0]], args
        assert lines[0].startswith("warning: 4 of 24 texts")
    assert TextSamples(TEXTS)
