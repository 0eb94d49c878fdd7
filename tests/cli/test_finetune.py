"""`replearn finetune`: from files of each task to a folder that answers, and one line on what can't be."""

import json
import re
import shutil

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
    assert "48 samples, 1" in lines[0]
    assert "usual answer" in lines[1]
    assert "12 test samples" in lines[1]
    assert any(line.strip().startswith(told) for line in lines)
    assert all(len(line) <= 80 for line in lines)
    folder = data / "runs" / f"finetune-{file.partition('.')[0]}"
    once = f"replearn predict {folder.relative_to(data)} {file}"
    assert (once if file in ("classes.csv", "sizes.csv") else "replearn.load(") in answer.out
    assert FineTune.load(folder).modules()
    told_ = lines[2].replace("entity f1", "entity_f1").split()
    value, low, high, usual = (float(told_[i]) for i in (1, 2, 4, 5))
    assert value > 0.9 or "pair" in more
    assert low <= value <= high
    assert usual < 0.9


def test_samples_without_an_answer_are_not_counted_as_judged(command, data):
    frame = pd.read_csv("sizes.csv")
    frame.loc[frame.index % 4 == 0, "size"] = None
    frame.to_csv("gaps.csv", index=False)
    answer = command("finetune", "words", "gaps.csv", *FAST, "--task", "regress", "--target", "size")
    assert answer.code == 0, answer.err
    _, head, *rest = answer.out.splitlines()
    judged = int(head.split()[1])
    unknown = next(int(line.split()[0]) for line in rest if "no answer to compare with" in line)
    assert judged + unknown == 12
    learned = re.search(r"(\d+) of (\d+) samples", answer.out)  # in the first line
    assert learned, answer.out
    assert int(learned[1]) + judged == frame["size"].notna().sum()
    assert int(learned[2]) == 48
    assert unknown > 0


@pytest.mark.all
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
            "must have a column 'sise'; it has 'text', 'size'. Did you mean 'size'?",
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


def spoil(data, task: str, fault: str) -> None:
    """Write `train` and `test` files of a task, one of them with a fault."""
    rows = [" ".join(row) for row in texts(24)]
    train, test = data / f"train{ENDINGS[task]}", data / f"test{ENDINGS[task]}"
    for path in (train, test):
        spoiled = (path is test) == (fault != "unreadable")
        answers = ANSWERS[task] if not spoiled else FAULTS[fault][task]
        write(task, path, rows, [answers[i % 2] for i in range(24)])


ENDINGS = {"classify": ".csv", "regress": ".jsonl", "pair": ".jsonl", "tag": ".conll", "span": ".jsonl"}
ANSWERS = {"classify": "np", "regress": (1.5, -0.5), "pair": (1.5, 0.5), "tag": "XY", "span": "XY"}
FAULTS = {
    "nothing": {"classify": ("", ""), "regress": (None, None), "pair": (None, None)},
    "others": {"classify": "ab", "tag": "AB", "span": "AB"},
    "names": {"regress": ("many", "few"), "pair": ("many", "few")},
    "unreadable": {"regress": (1.5, "many"), "pair": (1.5, "many")},
}


def write(task: str, path, rows: list[str], answers: list) -> None:
    if task == "classify":
        pd.DataFrame({"text": rows, "label": answers}).to_csv(path, index=False)
    elif task == "tag":
        sentences = zip(rows, answers, strict=True)
        path.write_text(
            "\n\n".join("\n".join(f"{word}\t{tag}" for word in row.split()) for row, tag in sentences)
        )
    elif task == "span":
        spans = [
            {"text": r, "spans": [{"start": 0, "end": 3, "label": a}]}
            for r, a in zip(rows, answers, strict=True)
        ]
        path.write_text("\n".join(map(json.dumps, spans)))
    else:
        named = [{"text": r, "a": r, "b": r, "score": a} for r, a in zip(rows, answers, strict=True)]
        path.write_text("\n".join(map(json.dumps, named)))


@pytest.mark.parametrize(
    ("fault", "task"), [(fault, task) for fault, tasks in FAULTS.items() for task in tasks]
)
def test_faults_of_data_are_told_before_anything_is_trained(command, data, monkeypatch, fault, task):
    monkeypatch.setattr(FineTune, "fit", lambda *args, **more: pytest.fail("trained"))
    spoil(data, task, fault)
    more = ("--target", "score") if task == "regress" else ()
    files = (f"train{ENDINGS[task]}", "--test", f"test{ENDINGS[task]}")
    line = command("finetune", "words", *files, "--task", task, *more).line
    assert any(
        word in line
        for word in ("test part", "hold numbers", "must be all names", "agree", "labels", "numbers")
    )
    assert not list(data.glob("runs/*"))


def test_what_is_left_out_and_what_counts_as_wrong_is_counted(command, data):
    rows = [" ".join(row) for row in texts(40)]
    frame = pd.DataFrame({"text": rows, "size": [1.5, -0.5] * 20})
    frame.loc[[3, 5], "size"] = np.nan
    frame.to_json(data / "gaps.jsonl", orient="records", lines=True)
    told = command("finetune", "words", "gaps.jsonl", *FAST, "--task", "regress", "--target", "size")
    assert told.code == 0, told.err
    assert "has no answer for" in told.err
    words = [row.split() for row in rows]
    for name, tag in (("one", "Y"), ("two", "Z")):
        tags = [[f"{word}\t{tag if word == 'good' else 'O'}" for word in row] for row in words]
        (data / f"{name}.conll").write_text("\n\n".join("\n".join(row) for row in tags))
    told = command(
        "finetune", "words", "one.conll", "--test", "two.conll", *FAST, "--task", "tag", "--to", "t"
    )
    assert "20 of 200 labels of the test part were never seen in training, Z (20)" in told.err
    assert "no better than" in told.out


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("classes.csv", "--target", "size"), "--target is for --task regress or pair"),
        (
            ("sizes.csv", "--task", "regress", "--target", "size", "--labels", "x"),
            "--labels is for --task classify",
        ),
        (("tags.conll", "--task", "tag", "--pairs", "apart"), "--pairs is for --task pair"),
        (("tags.conll", "--task", "tag", "--text", "a"), "--text is for --task classify or regress"),
        (("tags.conll", "--task", "tag", "--pooling", "mean"), "pooling is of whole texts"),
        (("spans.jsonl", "--task", "span", "--column", "1"), "--column is for --task tag"),
        (("classes.csv", "--patience", "9"), "--patience waits for"),
        (
            ("classes.csv", "--trained", "frozen", "--layer-decay", "0.5"),
            "--layer-decay is for layers that learn",
        ),
        (("pairs.csv", "--task", "pair", "--image-size", "8"), "--image-size is for --task classify"),
    ],
)
def test_options_that_would_do_nothing_are_refused(command, data, args, told):
    assert told in command("finetune", "words", *args).line


@pytest.mark.all
def test_how_much_of_the_schedule_was_done_is_told(command, data):
    early = (
        "--validation",
        0.25,
        "--patience",
        1,
        "--epochs",
        60,
        "--batch-size",
        8,
        "--learning-rate",
        0.02,
    )
    out = command("finetune", "words", "classes.csv", *early).out
    assert re.search(r"48 samples, stopped at \d+ of 240 steps, ", out), out
    out = command("finetune", "words", "classes.csv", *FAST, "--to", "whole").out
    assert "48 samples, 120 steps, " in out


@pytest.fixture
def photos(tmp_path):
    """Images in folders of two classes, training and test parts whose files have the same names, and few labels."""
    from PIL import Image

    draw = np.random.default_rng(0)
    for part, number in (("train", 40), ("test", 20)):
        for i in range(number):
            folder = tmp_path / part / "ab"[i % 2]
            folder.mkdir(exist_ok=True, parents=True)
            pixels = draw.integers(0, 100, (8, 8), dtype=np.uint8) + 120 * (i % 2)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{i:02}.png")
    rows = [f"{'ab'[i % 2]}/{i:02}.png,{'ab'[i % 2]}" for i in range(12)]
    (tmp_path / "few.csv").write_text("\n".join(["file,label", *rows]) + "\n")
    (tmp_path / "other.csv").write_text("\n".join(["file,label", *rows]).replace(".png", "x.png") + "\n")


def test_the_test_part_keeps_classes_of_its_own(command, photos):
    """A file of labels of the training part says nothing of test samples, whatever their names."""
    given = ("finetune", "linear", "train", "--test", "test", "--epochs", "20")
    answer = command(*given, "--labels", "few.csv", "--to", "one")
    assert answer.code == 0, answer.err
    assert "few.csv is of the training samples; the classes of test are its sub-folders" in answer.err
    assert "28 of 40" in answer.err
    assert "20 test samples" in answer.out + answer.err
    shutil.make_archive("zipped", "zip", "test")
    zipped = command(*given[:3], "--test", "zipped.zip", *given[5:], "--labels", "few.csv", "--to", "three")
    assert "the classes of zipped.zip are its sub-folders" in zipped.err
    assert "none of its 12 rows fits" in command(*given, "--labels", "other.csv", "--to", "two").line


def test_few_labels_of_many_are_learned_from(command, photos):
    given = ("finetune", "linear", "train", "--test", "test", "--epochs", "20")
    answer = command(*given, "--labelled", "10", "--to", "one")
    assert answer.code == 0, answer.err
    assert "10 of 40 training labels are learned from" in answer.err
    assert "from 2 (one of each class) to 40" in command(*given, "--labelled", "1", "--to", "two").line
    assert (
        "--labelled is for --task classify"
        in command("finetune", "words", "x.csv", "--task", "tag", "--labelled", "3").line
    )
