"""`torchrun --nproc-per-node 2 -m -- replearn fit ...` learns what one process learns."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import replearn
from replearn.cli import main
from replearn.engine.history import read_rows

OPTIONS = ["--encoder", "cnn", "--batch-size", "128", "--precision", "32-true", "--device", "cpu"]


def torchrun(*words: str) -> str:
    """What `replearn WORDS` says on two processes."""
    start = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "--", "replearn"]
    done = subprocess.run(
        [*start, *words],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("saved in") == 1  # one process speaks
    return done.stdout


def column(run: Path, name: str) -> list[float]:
    return [row[name] for row in read_rows(run)]


@pytest.mark.all
def test_two_processes_repeat_the_losses_of_one_and_go_on_as_one_does(tmp_path):
    two, one = tmp_path / "two", tmp_path / "one"
    fit = ["fit", "simclr", "digits8x8", *OPTIONS]
    torchrun(*fit, "--epochs", "1", "--run", str(two))
    assert main([*fit, "--epochs", "1", "--run", str(one)]) == 0
    once = column(one, "loss")
    assert len(once) > 5
    np.testing.assert_allclose(column(two, "loss"), once, rtol=1e-3)
    torchrun(*fit, "--epochs", "2", "--run", str(two), "--resume")
    assert main([*fit, "--epochs", "2", "--run", str(one), "--resume"]) == 0
    assert column(two, "learning_rate") == column(one, "learning_rate")
    np.testing.assert_allclose(
        column(two, "loss"), column(one, "loss"), rtol=5e-3
    )  # what is rounded grows by steps
    assert replearn.load(two).history_.rows[-1]["step"] == 2 * len(once)
