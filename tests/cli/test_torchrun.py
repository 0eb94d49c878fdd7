"""`torchrun -m -- replearn fit ...` on two processes learns what one process learns; so do the scripts of the docs."""

import os
import socket
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


@pytest.mark.all
def test_sharded_parameters_learn_the_same_and_are_extended(tmp_path, capsys):
    """The extension begins with whole weights; what is rounded grows by steps, so losses are compared."""
    two, one = tmp_path / "two", tmp_path / "one"
    steady = ["--optimizer", "sgd", "--learning-rate", "0.05"]
    fit = ["fit", "simclr", "digits8x8", *OPTIONS, *steady]
    assert main([*fit, "--epochs", "1", "--fsdp", "--run", str(two)]) == 2
    assert "needs two or more; there is one" in capsys.readouterr().err
    assert not two.exists()
    torchrun(*fit, "--epochs", "1", "--fsdp", "--run", str(two))
    assert main([*fit, "--epochs", "1", "--run", str(one)]) == 0
    np.testing.assert_allclose(column(two, "loss"), column(one, "loss"), rtol=1e-3)
    torchrun(*fit, "--epochs", "2", "--fsdp", "--run", str(two), "--resume")
    assert main([*fit, "--epochs", "2", "--run", str(one), "--resume"]) == 0
    np.testing.assert_allclose(column(two, "loss"), column(one, "loss"), rtol=5e-3)
    assert replearn.load(two).history_.rows[-1]["step"] == len(column(two, "loss")) == 22


SCRIPTS = Path(__file__).parents[2] / "docs" / "scripts"
# Starts as many processes as SLURM would, on one machine that says it is two.
SRUN = """#!{python}
import os, subprocess, sys
tasks, nodes = int(os.environ["SLURM_NTASKS"]), int(os.environ["SLURM_NNODES"])
each = tasks // nodes
started = []
for number in range(tasks):
    own = {{"SLURM_PROCID": str(number), "SLURM_LOCALID": str(number % each), "SLURM_NODEID": str(number // each)}}
    started.append(subprocess.Popen(sys.argv[1:], env=os.environ | own))
sys.exit(max(process.wait() for process in started))
"""


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder where commands that are put into `bin` come before all others."""
    (tmp_path / "bin").mkdir()
    here = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{here}:{os.environ['PATH']}")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    for name in [name for name in os.environ if name.startswith("SLURM_")]:
        monkeypatch.delenv(name)
    return tmp_path


def put(desk: Path, name: str, text: str) -> None:
    path = desk / "bin" / name
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def script(desk: Path, name: str, *words: str, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        ["bash", str(SCRIPTS / name), *words],
        cwd=desk,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("name", ["torchrun.sh", "slurm.sh"])
def test_the_page_shows_the_scripts(name):
    page = (SCRIPTS.parent / "many-machines.md").read_text(encoding="utf-8")
    assert f'```sh title="{name}"\n{(SCRIPTS / name).read_text(encoding="utf-8")}```' in page


JOB = {
    "SLURM_JOB_ID": "77",
    "SLURM_JOB_NAME": "replearn",
    "SLURM_NNODES": "1",
    "SLURM_NTASKS": "1",
    "RUN": "run",
}


def test_the_script_for_slurm_goes_on_with_what_was_stopped(desk):
    put(desk, "srun", SRUN.format(python=sys.executable))
    put(desk, "scontrol", '#!/bin/bash\necho "$@" >> scontrol.txt\n')
    put(desk, "replearn", '#!/bin/bash\necho "$@" >> said.txt\nexit "$(cat code.txt)"\n')
    for code, begun in ((143, False), (143, True), (0, True), (2, True)):
        (desk / "code.txt").write_text(str(code))
        if begun:
            (desk / "run").mkdir(exist_ok=True)
            (desk / "run" / "method.json").touch()
        done = script(desk, "slurm.sh", "simclr", "my photos/", **JOB)
        assert done.wait(60) == code, done.communicate()[1]
        done.communicate()
    first, *others = (desk / "said.txt").read_text().splitlines()
    assert first == "fit simclr my photos/ --run run"
    assert others == [f"{first} --resume"] * 3
    assert (desk / "scontrol.txt").read_text() == "requeue 77\n" * 2


@pytest.mark.all
def test_the_script_for_slurm_trains_on_two_nodes_what_one_process_learns(desk):
    put(desk, "srun", SRUN.format(python=sys.executable))
    fit = ["simclr", "digits8x8", *OPTIONS, "--epochs", "1"]
    job = JOB | {
        "SLURM_NNODES": "2",
        "SLURM_NTASKS": "2",
        "SLURM_NTASKS_PER_NODE": "1",
        "MASTER_ADDR": "127.0.0.1",
    }
    done = script(desk, "slurm.sh", *fit, **job, MASTER_PORT=str(free_port()))
    out, err = done.communicate(timeout=240)
    assert done.returncode == 0, err
    assert out.count("saved in") == 1
    check_as_one(desk / "run", fit, desk / "one")


@pytest.mark.all
def test_the_script_for_torchrun_trains_on_two_machines_what_one_process_learns(desk):
    fit = ["simclr", "digits8x8", *OPTIONS, "--epochs", "1"]
    port = str(free_port())
    both = [
        script(desk, "torchrun.sh", rank, "127.0.0.1", "fit", *fit, "--run", "run", PORT=port)
        for rank in "01"
    ]
    said = [one.communicate(timeout=240) for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    assert "".join(out for out, _ in said).count("saved in") == 1
    check_as_one(desk / "run", fit, desk / "one")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def check_as_one(run: Path, fit: list[str], one: Path) -> None:
    assert main(["fit", *fit, "--run", str(one)]) == 0
    np.testing.assert_allclose(column(run, "loss"), column(one, "loss"), rtol=1e-3)
