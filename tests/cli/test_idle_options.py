"""Options that would do nothing are refused, and what a command does in place of what it was asked is said."""

import numpy as np
import pytest


@pytest.fixture
def table(tmp_path):
    rows = np.random.default_rng(0).normal(size=(40, 3))
    path = tmp_path / "table.csv"
    path.write_text("a,b,c\n" + "".join(f"{a:.3f},{b:.3f},{c:.3f}\n" for a, b, c in rows))
    return path


def test_a_table_has_no_size_of_images(command, table):
    assert (
        "--image-size is for images" in command("fit", "pca", table, "--image-size", "8", "--run", "x").line
    )


def test_pca_has_no_steps_to_log(command, table):
    told = command("fit", "pca", table, "--tensorboard", "--run", "x").line
    assert "--tensorboard is for methods that learn in steps; PCA does not" in told


def test_resume_without_a_run_says_that_one_begins(command, table):
    answer = command("fit", "pca", table, "--resume", "--run", "x")
    assert answer.code == 0
    assert "no run to resume in x: a new one begins" in answer.err
    assert "no run to resume" not in command("fit", "pca", table, "--resume", "--run", "x").err


def test_finetune_from_pca_says_that_it_has_no_encoder(command, data):
    assert command("fit", "pca", data, "--run", "p").code == 0
    told = command("finetune", "p", data).line
    assert "PCA, whose run is in p, is of scikit-learn. Put its classifiers behind" in told
