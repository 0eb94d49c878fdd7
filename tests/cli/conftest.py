"""Commands are run in the test's process, in a folder of their own, on data small enough for seconds."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))  # tests import what lies beside them

from tiny_training import TINY

from replearn.cli import main


@dataclass(frozen=True)
class Answer:
    """What a command answered: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The one line on stderr that tells of bad input."""
        assert self.code == 2, (self.code, self.err)
        assert "Traceback" not in self.err
        lines = [line for line in self.err.splitlines() if line.startswith("replearn: ")]
        assert len(lines) == 1, self.err
        return lines[0]


Command = Callable[..., Answer]


@pytest.fixture
def command(tmp_path, monkeypatch, capfd) -> Command:
    """Runs `replearn` with these arguments in `tmp_path`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("REPLEARN_CACHE", str(tmp_path / "cache"))

    def run(*args: str | Path) -> Answer:
        capfd.readouterr()
        code = main([str(arg) for arg in args])
        return Answer(code, *capfd.readouterr())

    return run


@pytest.fixture(scope="session")
def process() -> Callable[..., "subprocess.Popen[str]"]:
    """Starts `replearn` with these arguments as a process of its own."""

    def start(*args: str | Path, cwd: Path) -> "subprocess.Popen[str]":
        code = "import sys; from replearn.cli import main; sys.exit(main())"
        return subprocess.Popen(
            [sys.executable, "-c", code, *map(str, args)],
            cwd=cwd,
            env=os.environ | {"COLUMNS": "80", "OMP_NUM_THREADS": str(torch.get_num_threads())},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    return start


@pytest.fixture(scope="session")
def data(tmp_path_factory) -> Path:
    """96 images of 8 x 8 in two classes, as `.npz`."""
    path = tmp_path_factory.mktemp("data") / "small.npz"
    draw = np.random.default_rng(0)
    labels = np.arange(96) % 2
    images = draw.integers(0, 128, (96, 8, 8), dtype=np.uint8)
    images[labels == 1, :, 4:] += 120
    np.savez(path, images=images, labels=labels)
    return path


@pytest.fixture(scope="session")
def trained(data, tmp_path_factory) -> Path:
    """A run folder of a training that has ended."""
    run = tmp_path_factory.mktemp("trained") / "run"
    assert main(["fit", "simclr", str(data), *TINY, "--epochs", "1", "--run", str(run)]) == 0
    return run


@pytest.fixture
def run(trained, tmp_path) -> Path:
    """A copy of the run folder, to be broken."""
    import shutil

    kept = shutil.ignore_patterns("embedded")  # by tests that read the original
    return Path(shutil.copytree(trained, tmp_path / "run", ignore=kept))
