"""A run that was fitted on what it is judged by: kept apart where labels are looked at, and told where it is not."""

import json

import numpy as np
import pandas as pd
import pytest

TINY = ("--epochs", "1", "--batch-size", "8", "--encoder", "mlp")
JUDGED = ("--draws", "1", "--fractions", "1.0")


@pytest.fixture
def table(tmp_path):
    """Random labels."""
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(draw.normal(size=(60, 4)), columns=list("abcd"))
    frame.assign(label=draw.choice(["yes", "no"], 60)).to_csv(tmp_path / "noise.csv", index=False)
    return str(tmp_path / "noise.csv")


@pytest.mark.parametrize("method", ["supervised", "supcon"])
def test_labels_of_the_test_part_are_not_learned_from(command, table, tmp_path, method):
    run = str(tmp_path / "run")
    done = command("fit", method, table, *TINY, "--run", run)
    assert "48 samples" in done.out
    assert "12 test samples are not learned from, since labels are looked at" in done.err
    done = command("evaluate", run, table, *JUDGED)
    assert done.code == 0, done.err
    assert "fitted on these" not in done.err
    assert json.loads((tmp_path / "run/evaluation.json").read_text())["facts"]["seen"] is None


@pytest.mark.parametrize("given", [("pca", "--n-components", "2"), ("supervised", *TINY, "--split", "all")])
def test_a_run_that_saw_the_test_part_says_so(command, table, tmp_path, given):
    run = str(tmp_path / "run")
    method, *more = given
    assert "60 samples" in command("fit", method, table, *more, "--run", run).out
    done = command("evaluate", run, table, *JUDGED)
    assert done.code == 0, done.err
    assert "the run was fitted on these 12 test samples, too" in done.err
    assert "12 test samples" in json.loads((tmp_path / "run/evaluation.json").read_text())["facts"]["seen"]
    command("report", run)
    assert "Mind: the run was fitted on these 12 test samples" in (tmp_path / "run/report.html").read_text()


def test_a_test_part_that_is_named_is_looked_for_too(command, table, tmp_path):
    run = str(tmp_path / "run")
    command("fit", "pca", table, "--n-components", "2", "--run", run)
    other = tmp_path / "other.csv"
    pd.read_csv(table).assign(a=lambda frame: frame["a"] + 1).to_csv(other, index=False)
    assert "fitted on these 60" in command("evaluate", run, str(other), "--test", table, *JUDGED).err
    assert "fitted on these" not in command("evaluate", run, table, "--test", str(other), *JUDGED).err


def test_fit_says_that_nothing_is_left_to_judge_by(command, tmp_path):
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(draw.normal(size=(40, 3)), columns=list("abc")).assign(label=["x", "y"] * 20)
    frame.to_csv("t.csv", index=False)
    frame.drop(columns="label").to_csv("bare.csv", index=False)
    told = "learned from all of DATA; --split train keeps a part of it"
    fit = ("fit", "pca", "t.csv", "--n-components", "2", "--run")
    assert told in command(*fit, "all").out
    assert told not in command(*fit, "part", "--split", "train").out
    assert told not in command("fit", "pca", "bare.csv", "--n-components", "2", "--run", "bare").out
    assert "the run was fitted on these" in command("evaluate", "all", "t.csv", "--draws", "1").err
    assert "the run was fitted on these" not in command("evaluate", "part", "t.csv", "--draws", "1").err
