"""Each classical method, fitted by the same command in two processes, gives the same bytes."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from replearn.data import load_data
from replearn.methods import classical

# As little as shows whether draws repeat.
LITTLE = {
    "pca": ["--n-components", "3"],  # of so many pixels, it draws
    "nmf": ["--n-components", "3", "--max-iter", "3"],
    "tsne": ["--max-iter", "250", "--n-components", "2", "--init", "random"],
    "fastica": ["--n-components", "3", "--max-iter", "3"],
    "kmeans": ["--n-clusters", "3", "--n-init", "1"],
    "minibatchkmeans": ["--n-clusters", "3", "--n-init", "1"],
    "bernoullirbm": ["--n-components", "3", "--n-iter", "1"],
    "minibatchdictionarylearning": ["--n-components", "3", "--max-iter", "2"],
    "patchcodes": ["--atoms", "4", "--drawn", "500"],
    "bagofvisualwords": ["--words", "4", "--drawn", "500"],
    "fishervectors": ["--gaussians", "4", "--drawn", "500"],
}
FIT_ALL = """
import json, os, sys
from replearn.cli import main
for name, options in json.loads(sys.argv[1]).items():
    assert main(["fit", name, "digits.npz", "--run", f"{sys.argv[2]}/{name}", *options]) == 0, name
"""


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs of all, `one/NAME` and `two/NAME`."""
    import json

    folder = tmp_path_factory.mktemp("seeds")
    digits = load_data("digits", split="train")[np.arange(600)].x.numpy()
    np.savez(folder / "digits.npz", x=digits[:, 0])
    for process in ("one", "two"):
        command = [sys.executable, "-c", FIT_ALL, json.dumps(LITTLE), process]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "REPLEARN_CACHE": str(folder / "cache")}
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    return folder


def test_all_are_tried() -> None:
    assert set(LITTLE) == {name.lower() for name in classical.__all__}


@pytest.mark.all
@pytest.mark.parametrize("name", LITTLE)
def test_two_processes_give_the_same_bytes(name: str, fitted: Path) -> None:
    one, two = (
        {path.name: path.read_bytes() for path in (fitted / process / name).iterdir() if path.is_file()}
        for process in ("one", "two")
    )
    assert "weights.safetensors" in one
    assert one == two
