"""`torchrun --nproc-per-node 2 -m -- replearn fit ...` learns what one process learns."""

import os
import subprocess
import sys

import numpy as np
import pytest

import replearn
from replearn.engine.history import read_rows


@pytest.mark.all
def test_two_processes_repeat_the_losses_of_one(tmp_path):
    options = [
        "--encoder",
        "cnn",
        "--epochs",
        "1",
        "--batch-size",
        "128",
        "--precision",
        "32-true",
        "--device",
        "cpu",
    ]
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        "2",
        "-m",
        "--",
        "replearn",
        "fit",
    ]
    done = subprocess.run(
        [*command, "simclr", "digits8x8", "--run", str(tmp_path / "two"), *options],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("saved in") == 1  # one process speaks
    method = replearn.SimCLR(encoder="cnn", epochs=1, batch_size=128, precision="32-true", device="cpu")
    method.fit(replearn.load_data("digits8x8", split="train"))
    two, one = ([row["loss"] for row in rows] for rows in (read_rows(tmp_path / "two"), method.history_.rows))
    assert len(one) > 5
    np.testing.assert_allclose(two, one, rtol=1e-3)
    run = replearn.load(tmp_path / "two")
    assert run.history_.rows[-1]["step"] == len(one)
