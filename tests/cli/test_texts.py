"""Texts on the command line: a column or a file of them, through fit, embed, evaluate, compare and report."""

import pandas as pd
import pytest

pytest.importorskip("tokenizers")

WORDS = {"animal": "cat dog cow hen", "colour": "red blue green grey"}
TINY = ("--encoder", "words", "--epochs", "1", "--batch-size", "16")


@pytest.fixture
def table(tmp_path):
    """Texts of two classes, told apart by their words, in a column of another name."""
    rows = [
        (f"the {words.split()[i % 4]} number {i} of {i % 7}", name)
        for name, words in WORDS.items()
        for i in range(40)
    ]
    pd.DataFrame(rows, columns=["said", "label"]).to_csv(tmp_path / "said.csv", index=False)
    return "said.csv"


def test_a_column_of_texts_is_learned_embedded_and_judged(command, table, tmp_path):
    answer = command("fit", "simclr", table, "--text", "said", *TINY, "--run", "x")
    assert "80 samples" in answer.out
    assert command("embed", "x", table, "--text", "said", "--out", "h.parquet").code == 0
    assert pd.read_parquet(tmp_path / "h.parquet").shape[0] == 80
    judged = command("evaluate", "x", table, "--text", "said")
    assert "raw input" in judged.out
    assert max(len(line) for line in judged.out.splitlines()) <= 80
    assert command("report", "x").code == 0
    assert (tmp_path / "x" / "report.html").stat().st_size > 10_000


def test_methods_of_views_and_of_numbers_are_compared_on_texts(command, table, tmp_path):
    answer = command(
        "compare", "simclr", "pca", "--data", table, "--text", "said", *TINY, "--choose", "--run", "c"
    )
    assert answer.code == 0
    assert "Kendall" in answer.out
    assert (tmp_path / "c" / "report.html").is_file()


def test_a_file_has_a_text_per_line(command, tmp_path):
    (tmp_path / "notes.txt").write_text("\n".join(f"line {i} says {i * i}" for i in range(200)))
    answer = command(
        "fit", "gpt", "notes.txt", "--encoder", "gpt_tiny", "--window", "16", *TINY[2:], "--vocabulary", "300"
    )
    assert "200 samples" in answer.out


def test_a_column_that_is_not_there_is_told_in_one_line(command, table):
    assert "said" in command("fit", "simclr", table, "--text", "sad", *TINY).line


def test_a_method_of_images_refuses_texts(command, table):
    assert "kind image" in command("fit", "vae", table, "--text", "said").line
