"""`replearn predict`: what a run says of each sample, with or without labels; what has no one answer is refused."""

import os

import numpy as np
import pandas as pd
import pytest

import replearn
from replearn.methods import MultiTask, Supervised
from replearn.transfer import FineTune, answers

TINY = {"encoder": "linear", "epochs": 2, "device": "cpu"}


@pytest.fixture
def photos(tmp_path):
    """A folder of images in folders of two classes, and one of images of which nobody knows what they are."""
    from PIL import Image

    draw = np.random.default_rng(0)
    for i in range(40):
        folder = tmp_path / ("photos/" + "ab"[i % 2] if i < 32 else "new")
        folder.mkdir(exist_ok=True, parents=True)
        pixels = draw.integers(0, 100, (8, 8), dtype=np.uint8) + 120 * (i % 2)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{i:02}.png")
    return tmp_path


@pytest.fixture
def run(photos, tmp_path):
    FineTune(encoder="linear", epochs=20, device="cpu").fit(str(photos / "photos"), run=tmp_path / "run")
    return tmp_path / "run"


def test_new_files_are_answered(command, run):
    answer = command("predict", run, "new")
    assert answer.code == 0, answer.err
    table = pd.read_csv(run / "new-answers.csv")
    assert table.columns.tolist() == ["index", "file", "answer", "confidence"]
    assert table["file"].tolist() == [f"{i}.png" for i in range(32, 40)]
    assert table["answer"].tolist() == ["a", "b"] * 4
    model, samples = replearn.load(run), replearn.as_samples("new")
    np.testing.assert_allclose(table["confidence"], model.predict_proba(samples).max(1), atol=1e-6)
    assert "4  a" in answer.out
    assert "8 answers" in answer.out
    assert "with a label" not in answer.out
    assert "8 answers (in place of earlier ones)" in command("predict", run, "new").out


@pytest.mark.parametrize("command_name", ["predict", "embed"])
def test_names_that_are_no_text_stay_different(command, run, tmp_path, command_name):
    for byte in (b"\xff", b"\xfe"):
        os.link(tmp_path / "new" / "32.png", os.fsencode(tmp_path / "new") + b"/" + byte + b".png")
    out = tmp_path / "out.parquet"
    assert command(command_name, run, "new", "--out", out).code == 0
    names = pd.read_parquet(out)[{"predict": "file", "embed": "name"}[command_name]].tolist()
    assert {r"\xff.png", r"\xfe.png"} < {*names}
    assert len({*names}) == len(names) == 10


def test_labels_stand_beside_the_answers(command, run, monkeypatch):
    monkeypatch.setattr(answers, "ROWS", 7)  # parts
    answer = command("predict", run, "photos", "--out", "p.parquet", "--probabilities")
    table = pd.read_parquet("p.parquet")
    assert table.columns.tolist() == ["index", "file", "label", "answer", "confidence", "p a", "p b"]
    assert table["index"].tolist() == list(range(32))
    np.testing.assert_allclose(table[["p a", "p b"]].sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(table["confidence"], table[["p a", "p b"]].max(axis=1))
    same = (table["answer"] == table["label"]).sum()
    assert f"of 32 samples with a label {same} are answered so" in answer.out
    assert all(len(line) <= 80 for line in answer.out.splitlines())


def test_a_class_that_was_never_learned_is_told(command, run, photos):
    (photos / "photos/b").rename(photos / "photos/c")
    assert "1 labels that RUN has not learned, never answered: c" in command("predict", run, "photos").out


def test_numbers_of_a_table_with_and_without_the_column(command, tmp_path):
    draw = np.random.default_rng(0)
    rows = pd.DataFrame(draw.normal(size=(60, 3)), columns=["x", "y", "z"])
    rows.assign(size=rows["x"] * 2).to_csv("all.csv", index=False)
    rows.to_csv("bare.csv", index=False)
    told = command("finetune", "linear", "all.csv", "--task", "regress", "--target", "size", "--epochs", "2")
    assert told.code == 0, told.err
    for file in ("all.csv", "bare.csv"):
        assert command("predict", "runs/finetune-all", file, "--out", f"{file}-out.csv").code == 0
    one, other = (pd.read_csv(f"{file}-out.csv") for file in ("all.csv", "bare.csv"))
    assert one.columns.tolist() == ["index", "answer"]
    pd.testing.assert_frame_equal(one, other)


def test_methods_with_labels_answer_too(command, data, tmp_path):
    samples = replearn.as_samples(data)
    Supervised(**TINY).fit(samples, run=tmp_path / "one")
    assert command("predict", "one", data).code == 0
    assert {*pd.read_csv("one/small-answers.csv")["answer"]} <= {0, 1}
    targets = {"label": np.array(["up", "down"])[samples.labels], "size": samples.labels * 2.5}
    MultiTask(**TINY).fit(samples, targets, run=tmp_path / "many")
    assert command("predict", "many", data, "--probabilities").code == 0
    table = pd.read_csv("many/small-answers.csv")
    wanted = ["index", "label", "answer label", "confidence label", "p label down", "p label up"]
    assert table.columns.tolist() == [*wanted, "answer size"]
    numbers = replearn.load("many").predict(samples)["size"]
    np.testing.assert_allclose(table["answer size"], numbers, rtol=1e-5)


def test_what_has_no_answer_is_refused_in_one_line(command, trained, run, data):
    assert "must be an existing run folder; runs/gone is not" in command("finetune", "runs/gone", data).line
    assert "has learned a representation. Put it to a task" in command("predict", trained, data).line
    assert "--out must end in .csv or .parquet" in command("predict", run, "new", "--out", "x.txt").line
    assert command("predict", run, "new", "--out", "x.csv").code == 0
    assert "--out must be a new file" in command("predict", run, "new", "--out", "x.csv").line


def test_what_answers_otherwise_is_refused(command, tmp_path):
    scenes = replearn.make_scenes(4)
    replearn.Detector(encoder="cnn", epochs=1, batch_size=2, device="cpu").fit(scenes, run=tmp_path / "boxes")
    assert "Detector tells what is where in scenes" in command("predict", "boxes", "emoji").line
    pairs = [(f"one {i}", f"two {i % 3}") for i in range(12)]
    FineTune(encoder="words", task="pair", epochs=1, device="cpu").fit(
        pairs, ["x", "y"] * 6, run=tmp_path / "p"
    )
    assert "this one is of --task pair" in command("predict", "p", "emoji").line
