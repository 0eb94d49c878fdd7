"""Classical codes through the commands: fit, embed, evaluate; warnings are one line and break nothing."""

import json

import numpy as np
import pytest

from replearn.cli import main
from replearn.comparison import WORDS, compare, hand_made
from replearn.data import as_samples, load_data
from replearn.methods.classical import PCA


@pytest.fixture
def run(tmp_path, monkeypatch, capfd):
    """Runs `replearn` in `tmp_path`, where 60 digits of 28 pixels lie in `digits.npz`; gives out and err."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    digits = load_data("digits", split="train").subset(np.arange(60))
    np.savez(tmp_path / "digits.npz", x=digits[np.arange(60)].x.numpy()[:, 0], y=digits.labels % 2)

    def command(*args):
        capfd.readouterr()
        code = main([*args])
        answer = capfd.readouterr()
        assert code == 0, answer.err
        return answer

    return command


COMMANDS = {
    "kmeans": ["--n-clusters", "4", "--code", "soft"],
    "fastica": ["--n-components", "4", "--max-iter", "1"],
    "nmf": ["--n-components", "4", "--max-iter", "1"],
    "minibatchdictionarylearning": ["--n-components", "4", "--max-iter", "1"],
    "patchcodes": ["--atoms", "4", "--drawn", "500"],
    "bagofvisualwords": ["--words", "4", "--drawn", "500"],
    "fishervectors": ["--gaussians", "4", "--drawn", "500"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_fit_embed_and_evaluate(name, run, tmp_path):
    warned = [
        line
        for line in run("fit", name, "digits.npz", "--run", "r", *COMMANDS[name]).err.splitlines()
        if line
    ]
    assert len([line for line in warned if line.startswith("warning: ")]) == (name in ("fastica", "nmf"))
    run("embed", "r", "digits.npz", "--out", "h.npy")
    h = np.load(tmp_path / "h.npy")
    assert len(h) == 60
    assert np.isfinite(h).all()
    if name not in ("kmeans", "bagofvisualwords"):
        return
    run("evaluate", "r", "digits.npz", "--fractions", "1.0", "--draws", "1")
    rows = [
        row["name"].lower() for row in json.loads((tmp_path / "r" / "evaluation.json").read_text())["rows"]
    ]
    assert rows[0] == "raw input"
    assert rows[-1] == name


def test_every_comparison_of_images_has_a_row_of_visual_words():
    digits = load_data("digits", split="train")
    train, test = digits.subset(np.arange(80)), digits.subset(np.arange(80, 120))
    made = compare([PCA(3)], train, test, fractions=(1.0,), draws=1)
    assert [row.name for row in made.rows] == ["raw input", WORDS, "PCA"]
    assert made.rows[1].train.shape == (80, 512)
    assert made.rows[1].seconds > 0
    assert set(made.scores["representation"]) == {"raw input", WORDS, "PCA"}


def test_samples_without_visual_words_have_no_such_row():
    rng = np.random.default_rng(0)
    table = as_samples(rng.random((30, 5)).astype(np.float32))
    little = as_samples(rng.integers(0, 256, (30, 15, 20), dtype=np.uint8))
    flat = as_samples(np.full((30, 16, 16), 9, np.uint8))
    for samples in (table, little, flat):
        assert hand_made(samples, samples) is None
