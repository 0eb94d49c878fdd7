"""`replearn finetune`: from files of each task to a folder that answers, and one line on what can't be."""

import json

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("tokenizers")
pytest.importorskip("transformers")

from replearn.transfer import FineTune

WORDS = ["red", "blue", "tree", "house", "run", "walk", "sky", "cat"]
FAST = ("--trained", "frozen", "--epochs", 20, "--batch-size", 8, "--learning-rate", 0.02)


def texts(n: int) -> list[list[str]]:
    draw = np.random.default_rng(0)
    return [[*draw.choice(WORDS, 4).tolist(), ("bad", "good")[i % 2]] for i in range(n)]


@pytest.fixture
def data(tmp_path):
    """A file for each task."""
    rows, labels = texts(60), ["neg", "pos"] * 30
    joined = [" ".join(row) for row in rows]
    numbers = [1.5 if label == "pos" else -0.5 for label in labels]
    pd.DataFrame({"text": joined, "label": labels}).to_csv(tmp_path / "classes.csv", index=False)
    pd.DataFrame({"text": joined, "size": numbers}).to_csv(tmp_path / "sizes.csv", index=False)
    frame = pd.DataFrame({"a": joined, "b": joined[::-1], "score": numbers})
    frame.to_csv(tmp_path / "pairs.csv", index=False)
    tags = [[f"{word}\t{'B-x' if word in ('good', 'bad') else 'O'}" for word in row] for row in rows]
    (tmp_path / "tags.conll").write_text("\n\n".join("\n".join(row) for row in tags) + "\n")
    spans = [
        {"text": text, "spans": [{"start": text.rfind(" ") + 1, "end": len(text), "label": "x"}]}
        for text in joined
    ]
    (tmp_path / "spans.jsonl").write_text("\n".join(map(json.dumps, spans)))
    return tmp_path


@pytest.mark.parametrize(
    ("file", "more", "told"),
    [
        ("classes.csv", (), "accuracy"),
        ("sizes.csv", ("--task", "regress", "--target", "size"), "r2"),
        ("pairs.csv", ("--task", "pair"), "spearman"),
        ("tags.conll", ("--task", "tag"), "entity f1"),
        ("spans.jsonl", ("--task", "span"), "precision"),
    ],
)
def test_each_task_from_its_file(command, data, file, more, told):
    answer = command("finetune", "words", file, *FAST, *more)
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    assert "48 samples" in lines[0]
    assert any(line.strip().startswith(told) for line in lines)
    assert all(len(line) <= 80 for line in lines)
    folder = data / "runs" / f"finetune-{file.partition('.')[0]}"
    assert f'replearn.load("{folder.relative_to(data)}")' in answer.out
    assert FineTune.load(folder).modules()
    value = float(lines[1].split()[-1])
    assert value > 0.9 or "pair" in more


def test_a_run_of_fit_is_the_start(command, data):
    assert (
        command("fit", "simclr", "digits8x8", "--epochs", 1, "--encoder", "cnn", "--run", "simclr").code == 0
    )
    answer = command("finetune", "simclr", "digits8x8", "--to", "fine", "--epochs", 2, "--trained", 1)
    assert answer.code == 0, answer.err
    assert "accuracy" in answer.out
    assert FineTune.load(data / "fine").classes_.tolist() == [str(i) for i in range(10)]


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("words", "classes.csv", "--task", "tagg"), "--task must be one of"),
        (("words", "classes.csv", "--traind", "full"), "Did you mean --trained"),
        (("words", "classes.csv", "--trained", "half"), "trained must be full, frozen or a number"),
        (("words", "classes.csv", "--trained", "9"), "trained must be at most 1"),
        (("wrods", "classes.csv"), "Nearest: words"),
        (("words", "nowhere.csv"), "must be a path that exists"),
        (("words", "sizes.csv", "--task", "regress"), "--target must name the column"),
        (
            ("words", "sizes.csv", "--task", "regress", "--target", "sise"),
            "must be a column of sizes.csv; got 'sise'",
        ),
        (("words", "classes.csv", "--task", "pair"), "must have a column a"),
        (("words", "pairs.csv", "--task", "pair", "--groups", "a"), "--groups is for --task classify"),
        (("words", "classes.csv", "--task", "span"), "must exist and end in .jsonl"),
        (("words", "nowhere.conll", "--task", "tag"), "file of tags must exist"),
    ],
)
def test_one_line_on_bad_input_and_no_trace(command, data, args, told):
    assert told in command("finetune", *args).line
    assert not (data / "runs").exists() or not any((data / "runs").iterdir())


def test_help_fits_80_columns(command):
    answer = command("finetune", "--help")
    assert answer.code == 0
    assert all(len(line) <= 80 for line in answer.out.splitlines())
    assert "--layer-decay FLOAT" in answer.out


def test_numbers_are_learned_from_the_column_that_is_named(command, data):
    table = pd.read_csv(data / "sizes.csv").rename(columns={"text": "note"})
    table.assign(text="always the same").to_csv(data / "two.csv", index=False)
    told = command(
        "finetune", "words", "two.csv", *FAST, "--task", "regress", "--target", "size", "--text", "note"
    ).out
    r2 = float(next(line for line in told.splitlines() if line.strip().startswith("r2")).split()[1])
    assert r2 > 0.5
