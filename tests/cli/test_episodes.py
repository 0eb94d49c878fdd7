"""`evaluate --episodes`: a few samples of a few classes, beside raw input and untrained encoder."""

import json

import numpy as np
import pytest

FIT = ["--encoder", "cnn", "--epochs", "1", "--precision", "32-true"]
FEW = ["--draws", "2", "--fractions", "1.0", "--episodes"]


@pytest.fixture
def classes(tmp_path):
    """240 images of 8 x 8 in 24 classes, of which the last has two samples more than none: 12, ..., 12, 2."""
    draw = np.random.default_rng(0)
    labels = np.concatenate([np.arange(23).repeat(12), [23] * 2])
    prototypes = draw.integers(0, 200, (24, 8, 8))
    images = (prototypes[labels] + draw.integers(0, 56, (len(labels), 8, 8))).astype(np.uint8)
    np.savez(tmp_path / "classes.npz", images=images, labels=labels)
    np.savez(tmp_path / "others.npz", images=255 - images[:120], labels=labels[:120] + 100)
    return tmp_path / "classes.npz"


@pytest.mark.all
def test_rows_ways_and_shots(command, classes, tmp_path):
    fit = ["fit", "protonet", classes.with_name("others.npz"), *FIT, "--way", "5", "--run", tmp_path / "run"]
    assert command(*fit).code == 0
    answer = command("evaluate", tmp_path / "run", classes, *FEW)
    assert answer.code == 0, answer.err
    assert max(map(len, answer.out.splitlines()[:-2])) <= 80
    facts = json.loads((tmp_path / "run" / "evaluation.json").read_text())["facts"]["episodes"]
    names = ["raw input", "untrained encoder", "ProtoNet"]
    assert [score["name"] for score in facts["scores"][::2][:3]] == names
    assert {(score["way"], score["shots"]) for score in facts["scores"]} == {(5, 1), (5, 5), (20, 1), (20, 5)}
    assert (facts["samples"], facts["held out"], facts["known classes"]) == (278, False, 0)
    assert facts["settings"][0] == {"way": 5, "shots": 1, "queries": 11, "classes": 23, "too few": 1}
    assert facts["settings"][1]["queries"] == 7
    raw = next(score for score in facts["scores"] if score["name"] == "raw input")
    assert raw["accuracy"] > 0.9
    assert raw["low"] < raw["accuracy"] < raw["high"] or raw["accuracy"] == 1
    for name in names:
        assert name in answer.out
    assert "1 class has too few samples" in answer.out
    assert "says nothing" not in answer.out
    assert command("report", tmp_path / "run").code == 0


def test_what_is_left_out_and_known_classes_are_told(command, classes, tmp_path):
    others = tmp_path / "named.npz"
    with np.load(classes.with_name("others.npz")) as stored:
        names = np.array([f"letter {label}" for label in stored["labels"]])
        np.savez(others, images=stored["images"], labels=names)
    assert command("fit", "protonet", others, *FIT, "--way", "5", "--run", tmp_path / "run").code == 0
    answer = command("evaluate", tmp_path / "run", others, *FEW)
    assert answer.code == 0, answer.err
    assert "left out: 20-way 1-shot, since 10 classes have more than 1 sample" in answer.out
    assert "10 of 10 classes have the names of those that the run was trained" in answer.out


@pytest.mark.all
def test_a_run_that_has_seen_the_training_part_is_judged_by_the_test_part(command, classes, tmp_path):
    halves = tmp_path / "a.npz", tmp_path / "b.npz"
    with np.load(classes) as stored:
        for path, part in zip(halves, (slice(0, None, 2), slice(1, None, 2)), strict=True):
            np.savez(path, images=stored["images"][part], labels=stored["labels"][part])
    tiny = ["--hidden", "8", "--dim", "4", "--batch-size", "32"]
    assert command("fit", "simclr", halves[0], *FIT, *tiny, "--run", tmp_path / "run").code == 0
    answer = command("evaluate", tmp_path / "run", halves[0], "--test", halves[1], *FEW)
    assert answer.code == 0, answer.err
    assert "of 139 test samples" in answer.out


def test_without_labels_it_is_refused(command, classes, tmp_path, run, data):
    with np.load(data) as stored:
        np.savez(tmp_path / "bare.npz", images=stored["images"])
    assert (
        "--episodes draws classes, so DATA must have labels"
        in command("evaluate", run, tmp_path / "bare.npz", *FEW).line
    )


def test_nobody_asked(command, run, data):
    assert "nearest centroid" not in command("evaluate", run, data, *FEW[:-1]).out
