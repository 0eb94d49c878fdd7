"""What `evaluate` tells of a language model, beside its representation."""

import json
import shutil

import numpy as np
import pytest
from rich.cells import cell_len

pytest.importorskip("tokenizers")

from made_folders import folder as saved_folder
from replearn.cli import main
from replearn.cli.language import language_facts, print_language
from replearn.data import as_samples
from replearn.methods import NGram


def sentences(n, seed):
    rng = np.random.default_rng(seed)
    words = [f"word{i}" for i in range(40)]
    return as_samples([" ".join(rng.choice(words, size=60)) for _ in range(n)])


@pytest.mark.all
def test_facts_of_a_language_model(capsys):
    train, test = sentences(30, 0), sentences(10, 1)
    model = NGram(tokenizer="words", order=4).fit(train)
    facts = language_facts(model, train, test)
    assert facts["held out"]
    assert facts["bits per character"] == pytest.approx(model.bits_per_character(test.texts))
    parts = {(row["part"], row["prefix"]): row["exact"] for row in facts["memorization"]}
    assert parts["training", 32] > 0.5 > parts["held out", 32] + 0.4
    assert [row["length"] for row in facts["overlap"]] == [8, 13]
    assert facts["written"]["texts"] == model.generate(n=3, tokens=40)
    json.dumps(facts)
    print_language(facts)
    printed = capsys.readouterr().out
    assert "bits per character" in printed
    assert "10 test texts, which are held out" in printed
    assert "13-grams of words also occur in the training texts" in printed
    assert printed.splitlines()[-1].startswith(f"  {facts['written']['texts'][-1][:30]}")
    others = language_facts(model, test, train, random_state=1)
    assert not others["held out"]
    assert others["written"]["texts"] != facts["written"]["texts"]
    print_language(others)
    assert "may have seen" in capsys.readouterr().out


@pytest.mark.parametrize("letter", ["w", "wide ", "全", "\x1b", "\u202e", "\n"])
def test_what_is_printed_fits_a_terminal(letter, capsys):
    row = {"part": "held out", "prefix": 32, "exact": 1.0, "tokens right": 1.0}
    print_language(
        {"held out": False, "texts": 123_456, "bits per character": 12.345, "perplexity": 123456.7}
        | {"memorization": [row], "overlap": [{"length": 13, "seen": 1.0, "n-grams": 9}]}
        | {"written": {"tokens": 40, "texts": [200 * letter]}}
    )
    printed = capsys.readouterr().out
    assert max(map(cell_len, printed.splitlines())) <= 80
    assert not {"\x1b", "\u202e"} & set(printed)
    assert letter != "wide " or printed.endswith(" wide…\n")


def test_no_runs_of_words_are_no_share(capsys):
    train, test = as_samples(["a b c d e f " * 9] * 20), as_samples(["a b c"] * 5)
    facts = language_facts(NGram(tokenizer="words", order=2).fit(train), train, test)
    print_language(facts)
    printed = capsys.readouterr().out
    assert "nan" not in printed
    assert "grams" not in printed


@pytest.mark.all
def test_evaluation_and_page_tell_the_same(command, tmp_path):
    rng = np.random.default_rng(0)
    lines = [" ".join(rng.choice(list("abcdefgh"), size=60)) for _ in range(60)]
    (tmp_path / "notes.txt").write_text("\n".join(lines))
    command("fit", "ngram", "notes.txt", "--tokenizer", "words", "--run", "x")
    answer = command("evaluate", "x", "notes.txt")
    assert answer.code == 0
    assert max(map(len, answer.out.splitlines())) <= 80
    assert command("report", "x").code == 0
    page = (tmp_path / "x" / "report.html").read_text(encoding="utf-8")
    section = page[page.index('<section id="language">') :]
    facts = json.loads((tmp_path / "x" / "evaluation.json").read_text())["facts"]["language"]
    assert f"<b>{facts['bits per character']:.3f}</b>" in section
    assert f"{facts['bits per character']:.3f} bits per character" in answer.out
    assert all(text[:60] in section for text in facts["written"]["texts"])
    assert "memorization" not in section


def test_short_texts_are_asked_for_less():
    train, test = as_samples(["a b c d e f " * 3] * 20), as_samples(["a b c d e f " * 3] * 5)
    facts = language_facts(NGram(tokenizer="words", order=2).fit(train), train, test)
    assert facts["memorization"] == [] or max(row["prefix"] for row in facts["memorization"]) <= 2


def test_no_facts_of_other_methods(capsys):
    assert language_facts(object(), sentences(3, 0), sentences(3, 1)) == {}
    print_language({})
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("method", ["word2vec", "glove"])
def test_vectors_of_words_are_fitted_by_the_command(method, capsys, tmp_path):
    pytest.importorskip("numba")
    texts = tmp_path / "texts.txt"
    texts.write_text("the cat sat on the mat\nthe dog sat on the rug\n" * 20)
    assert main(["fit", method, str(texts), "--epochs", "2", "--run", str(tmp_path / "run")]) == 0
    assert f"saved in {tmp_path / 'run'}" in " ".join(capsys.readouterr().out.split())


@pytest.mark.all
def test_a_run_is_judged_and_told_when_its_folder_is_gone(command, tmp_path, caplog):
    pytest.importorskip("transformers")
    saved_folder(tmp_path / "given")
    animals, tools = ("cat", "dog", "cow"), ("saw", "axe", "file")
    lines = [f"the {name} of {place},{name in tools:d}" for name in animals + tools for place in "abcdefghij"]
    (tmp_path / "texts.csv").write_text("\n".join(["text,label", *lines]) + "\n")
    fit = (
        "fit",
        "simcse",
        "texts.csv",
        "--encoder",
        "hf:given",
        "--epochs",
        "1",
        "--batch-size",
        "8",
        "--run",
        "x",
    )
    assert command(*fit).code == 0
    assert "encoder as given" in command("evaluate", "x", "texts.csv").out
    shutil.rmtree(tmp_path / "given")
    caplog.clear()
    answer = command("evaluate", "x", "texts.csv")
    assert answer.code == 0
    assert "SimCSE" in answer.out
    assert "encoder as given" not in answer.out
    assert "no row encoder as given: hf: must name a local folder" in caplog.text
    assert command("report", "x").code == 0
