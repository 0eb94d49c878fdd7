"""Tables on the command line: read by other commands as they were read by `fit`."""

import numpy as np
import pandas as pd
import pytest

import replearn

ROWS = 80


def table(seed=0, *, shuffled=False):
    """Numbers, names and gaps, an id, and a label that the numbers tell."""
    draw = np.random.default_rng(seed)
    label = draw.permutation(ROWS) % 2
    frame = pd.DataFrame(
        {
            "id": np.arange(ROWS),
            "a": draw.normal(size=ROWS) + 3 * label,
            "b": draw.normal(size=ROWS),
            "colour": draw.choice(["NA", "red"], ROWS),
            "patient": [f"p{i // 4}" for i in range(ROWS)],
            "label": np.array(["None", "yes"])[label],
        }
    )
    frame.loc[:5, "b"] = np.nan
    return frame[list(frame.columns)[::-1]] if shuffled else frame


@pytest.fixture
def tables(tmp_path):
    table().to_csv(tmp_path / "train.csv", index=False)
    table(1, shuffled=True).assign(more=2.5).to_csv(tmp_path / "other.csv", index=False)
    table(1).drop(columns="a").to_csv(tmp_path / "short.csv", index=False)
    return tmp_path


FITS = [
    ("pca", ("--n-components", "2")),
    ("autoencoder", ("--dim", "4", "--batch-size", "32", "--epochs", "1")),
]


@pytest.mark.parametrize(("method", "options"), FITS)
def test_a_run_reads_other_files_as_its_own(command, tables, method, options):
    answer = command("fit", method, "train.csv", "--groups", "patient", "--run", "run", *options)
    assert answer.code == 0, answer.err
    assert "not learned from: 'id' (an id)" in answer.err
    assert "'colour' (2)" in answer.err
    other = command("embed", "run", "other.csv", "--out", "o.npy", "--groups", "patient")
    assert other.code == 0, other.err
    assert "left out: id, more" in other.err
    table(1).to_parquet("same.parquet")
    assert command("embed", "run", "same.parquet", "--out", "s.npy").code == 0
    np.testing.assert_array_equal(np.load("o.npy"), np.load("s.npy"))
    assert "1 of 3 are missing: 'a'" in command("embed", "run", "short.csv").line
    assert "this run has learned" in command("embed", "run", "other.csv", "--drop", "b").line
    judged = command(
        "evaluate", "run", "train.csv", "--groups", "patient", "--test", "other.csv", "--draws", "1"
    )
    assert judged.code == 0, judged.err
    assert "20 groups are in both parts, with 80 of 80 test samples" in judged.err
    judged = command("evaluate", "run", "train.csv", "--groups", "patient", "--draws", "1")
    assert judged.code == 0, judged.err
    assert "20 groups, each kept on one side" in judged.err


def test_compare_takes_groups_columns_and_a_test_part(command, tables):
    pd.concat([table(), table()[:10]]).to_csv("twice.csv", index=False)
    answer = command(
        *("compare", "pca", "--n-components", "2", "--data", "twice.csv", "--draws", "1"),
        *("--columns", "a", "b", "colour", "--groups", "patient"),
    )
    assert answer.code == 0, answer.err
    assert "10 samples are exact copies of others" in answer.err
    answer = command(
        *(
            "compare",
            "pca",
            "--n-components",
            "2",
            "--data",
            "train.csv",
            "--test",
            "other.csv",
            "--run",
            "two",
        ),
        *("--drop", "patient", "--draws", "1"),
    )
    assert answer.code == 0, answer.err


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("fit", "pca", "train.csv", "--columns", "c"), "must have a column 'c'"),
        (("fit", "pca", "digits8x8", "--groups", "a"), "--groups is for files and folders"),
        (("fit", "pca", "digits8x8", "--columns", "a", "b"), "--columns is for files and folders"),
        (("fit", "pca", "half.csv.gz"), "must be a readable table"),
        (("fit", "pca", "large.csv"), "must be at most 1e+18 in size"),
        (("fit", "pca", "none.csv"), "must have a column to learn from"),
    ],
)
def test_bad_tables_are_told_in_one_line(command, tables, args, told):
    table().to_csv("whole.csv.gz", index=False)
    with open("whole.csv.gz", "rb") as whole, open("half.csv.gz", "wb") as half:
        half.write(whole.read()[:-30])
    table().assign(a=1e38).to_csv("large.csv", index=False)
    table()[["id", "label"]].to_csv("none.csv", index=False)
    assert told in command(*args).line


def test_several_targets_are_learned_from_columns_that_are_named(command, tables):
    frame = table().assign(weight=lambda frame: frame["a"] + 0.5)
    frame.loc[::5, "weight"] = np.nan
    frame.to_csv("two.csv", index=False)
    args = ("--encoder", "mlp", "--epochs", 1, "--batch-size", 16, "--run", "run")
    answer = command("fit", "multitask", "two.csv", "--targets", "label", "weight", *args)
    assert answer.code == 0, answer.err
    assert "64 samples" in answer.out
    assert "label (2 classes), weight (numbers" in answer.err
    method = replearn.load("run")
    assert list(method.predict(replearn.as_samples("two.csv", like=method.samples_))) == ["label", "weight"]
    assert "weight" not in method.samples_.reading.names
    assert "  replearn embed run two.csv" in answer.out
    assert command("embed", "run", "two.csv").code == 0


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (
            ("fit", "pca", "train.csv", "--targets", "label"),
            "--targets is for methods that learn several targets",
        ),
        (("fit", "multitask", "digits8x8", "--targets", "label"), "--targets is for files and folders"),
        (("fit", "multitask", "train.csv", "--targets", "labell"), "Did you mean 'label'"),
        (("embed", "run", "train.csv", "--targets", "label"), "got --targets"),
    ],
)
def test_targets_that_would_do_nothing_are_refused(command, tables, args, told):
    assert told in command(*args).line
