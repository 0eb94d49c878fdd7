"""Commands that are printed can be pasted: names with spaces, options without which the data are others."""

import shlex

import numpy as np
import pandas as pd
import pytest
from tiny_training import TINY

FEW = ["--draws", "1", "--fractions", "1.0"]


def printed(answer):
    """The commands on stdout, as a shell takes them apart, without `replearn`."""
    assert answer.code == 0, answer.err
    lines = [line.strip() for line in answer.out.splitlines() if line.startswith("  replearn ")]
    assert lines
    return [shlex.split(line)[1:] for line in lines]


@pytest.fixture
def table(tmp_path):
    """Rows of numbers, classes in a column of a name with a space."""
    folder = tmp_path / "my data"
    folder.mkdir()
    draw = np.random.default_rng(0)
    labels = np.arange(60) % 2
    rows = pd.DataFrame(draw.normal(size=(60, 3)) + 3 * labels[:, None], columns=["a", "b", "c"])
    rows.assign(**{"which one": np.where(labels, "yes", "no")}).to_csv(folder / "the rows.csv", index=False)
    return "my data/the rows.csv"


def test_from_fit_to_report(command, table, tmp_path):
    run = "runs/it's mine"
    given = ["--labels", "which one", "--run", run, "--n-components", "2"]
    evaluate, embed = printed(command("fit", "pca", table, *given))
    assert evaluate == ["evaluate", run, table, "--labels", "which one"]
    assert embed == ["embed", run, table, "--labels", "which one"]
    (report,) = printed(command(*evaluate, *FEW))
    assert report == ["report", run]
    assert command(*report).code == 0
    assert command(*embed).code == 0
    assert (tmp_path / run / "the rows.parquet").is_file()


def test_texts_of_a_column(command, tmp_path):
    words = ["one two three", "two three four", "three four five", "four five six"] * 8
    pd.DataFrame({"the words": words, "kind of": ["a", "b"] * 16}).to_csv(
        tmp_path / "my texts.csv", index=False
    )
    given = ["--text", "the words", "--labels", "kind of", "--run", "r"]
    for pasted in printed(command("fit", "word2vec", "my texts.csv", *given, "--epochs", "1", "--dim", "4")):
        assert command(*pasted, *(FEW if pasted[0] == "evaluate" else [])).code == 0, pasted


def test_images_of_a_size(command, tmp_path):
    from PIL import Image

    for i in range(40):
        folder = tmp_path / "my photos" / "ab"[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((20, 24), 6 * i, np.uint8)).save(folder / f"{i}.png")
    given = ["--image-size", "8", "--run", "a run", *TINY, "--epochs", "1"]
    evaluate, embed = printed(command("fit", "simclr", "my photos", *given))
    assert evaluate[3:] == embed[3:] == ["--image-size", "8"]
    for pasted in (evaluate + FEW, embed, ["report", "a run"]):
        assert command(*pasted).code == 0, pasted
