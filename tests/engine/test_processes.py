"""Several processes compute what one process computes on the joined batch."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from children import (
    as_one_of,
    finish,
    free_port,
    save_gradient,
    save_scene_gradient,
    save_training,
    start,
    train_until_stopped,
)

from replearn.engine.history import read_rows
from replearn.engine.run import STATE

NAMES = ("history.csv", "state", "weights-0.pt", "weights-1.pt")


def as_two(task, *args, **fields) -> list[int | None]:
    port = free_port()
    children = [start(as_one_of, 2, rank, port, task, *args, **fields) for rank in range(2)]
    for child in children:
        child.join(120)
    return [child.exitcode for child in children]


@pytest.mark.parametrize(
    ("fields", "tolerance"),
    [
        ({"dtype": torch.float64}, 1e-10),
        ({}, 1e-4),
        ({"dtype": torch.float64, "accumulate": 2}, 1e-10),
        ({"dtype": torch.float64, "slice_size": 2, "encoder": "linear"}, 1e-10),
        ({"precision": "bf16-mixed"}, 0.1),
        ({"graph": "graphs"}, 1e-3),
        ({"graph": "nodes", "dtype": torch.float64}, 1e-2),  # both count the nodes, which they share
        ({"name": "graphmae"}, 1e-3),
    ],
    ids=["float64", "float32", "accumulate", "slices", "bfloat16", "graphs", "nodes", "graphmae"],
)
def test_two_processes_have_the_gradient_of_one(fields: dict, tolerance: float, tmp_path: Path) -> None:
    assert finish(save_gradient, tmp_path, **fields) == 0
    assert as_two(save_gradient, tmp_path, **fields) == [0, 0]
    one, *two = (torch.load(tmp_path / f"{name}.pt") for name in ("1-0", "2-0", "2-1"))
    assert sum(name.startswith("grad.") for name in one) >= 6
    for name, expected in one.items():
        for found in (part[name] for part in two):
            size = expected.double().norm().clamp_min(1e-3)
            assert (found.double() - expected.double()).norm() <= tolerance * size, name


@pytest.mark.parametrize("name", ["detect", "segment"])
def test_two_processes_learn_from_scenes_as_one_does(name: str, tmp_path: Path) -> None:
    assert finish(save_scene_gradient, tmp_path, name=name) == 0
    assert as_two(save_scene_gradient, tmp_path, name=name) == [0, 0]
    one, *two = (torch.load(tmp_path / f"{number}.pt") for number in ("1-0", "2-0", "2-1"))
    assert sum(key.startswith("grad.") for key in one) >= 20
    for key, expected in one.items():
        for found in (part[key] for part in two):
            assert (found - expected).norm() <= 1e-4 * expected.norm().clamp_min(1e-3), key


@pytest.mark.all
def test_torchrun_trains_as_one_process_does(tmp_path: Path) -> None:
    # At small rates: large ones make rounding grow from step to step.
    fields = {"epochs": 3, "precision": "32-true", "learning_rate": 1e-3}
    script = tmp_path / "script with space.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import pathlib, torch, children\n"
        "torch.set_num_threads(1)\n"
        f"children.save_training(pathlib.Path({str(tmp_path / 'two')!r}), **{fields})\n"
    )
    command = [
        sys.executable,
        "-W",
        "error::UserWarning",
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        "2",
    ]
    command += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "127.0.0.1:0", str(script)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert finish(save_training, tmp_path / "one", **fields) == 0
    one, two = (read_rows(tmp_path / name) for name in ("one", "two"))
    assert [row["step"] for row in one] == [row["step"] for row in two] == list(range(1, 13))
    for name in ("loss", "learning_rate", "spread"):
        for a, b in zip(one, two, strict=True):
            assert a[name] == pytest.approx(b[name], rel=2e-3), (name, a["step"])
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == sorted(NAMES)
    assert len(list((tmp_path / "two" / STATE).iterdir())) == 2
    weights = [torch.load(tmp_path / "two" / f"weights-{rank}.pt") for rank in range(2)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_a_signal_to_one_process_stops_both(tmp_path: Path) -> None:
    port, run = free_port(), tmp_path / "run"
    children = [start(as_one_of, 2, rank, port, train_until_stopped, run) for rank in range(2)]
    while not list(run.glob(f"{STATE}/step-*")) and all(child.is_alive() for child in children):
        time.sleep(0.01)
    os.kill(children[1].pid, signal.SIGTERM)  # type: ignore[arg-type]
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0, 0]
    told = [(run / f"stopped-{rank}").read_text() for rank in range(2)]
    assert told[0] == told[1]
    assert told[0].startswith(f"{signal.SIGTERM.value} stopped at step ")
    assert (run / STATE / f"step-{int(told[0].split()[4]):09d}").is_dir()
