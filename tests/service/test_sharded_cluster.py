"""Representations by a cluster of two nodes that runs already, one of which is lost in the middle."""

import json
import os
import subprocess
import sys
import threading
import time
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("ray", reason="needs replearn[ray]")

from replearn.cli import main
from replearn.service.embedding import MANIFEST

N = 20_000


@pytest.fixture
def cluster():
    """Two nodes on this machine, with a CPU each."""
    from ray.cluster_utils import Cluster

    with patch.dict(os.environ, {"RAY_USAGE_STATS_ENABLED": "0"}):
        made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        made.second = made.add_node(num_cpus=1)
        yield made
        made.shutdown()


@pytest.mark.all
def test_a_node_that_is_lost_in_the_middle_loses_no_row(cluster, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.random.default_rng(0).normal(size=(N, 6)).astype(np.float32))
    assert main(["fit", "autoencoder", "x.npy", "--dim", "2", "--epochs", "1", "--run", "run"]) == 0
    assert main(["embed", "run", "x.npy", "--out", "one.parquet", "--rows", "10"]) == 0
    several = ["embed", "run", "x.npy", "--out", "several", "--rows", "10", "--workers", "2"]
    command = subprocess.Popen(
        [sys.executable, "-m", "replearn", *several, "--ray", cluster.address],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    told: list[str] = []
    reading = threading.Thread(target=lambda: told.extend(command.communicate(timeout=400)))
    reading.start()
    while reading.is_alive() and len(list((tmp_path / "several").glob("part-*.parquet"))) < 10:
        time.sleep(0.02)
    cluster.remove_node(cluster.second, allow_graceful=False)
    reading.join()
    assert command.returncode == 0, told
    assert json.loads((tmp_path / "several" / MANIFEST).read_text())["whole"]
    frame, one = pd.read_parquet("several"), pd.read_parquet("one.parquet")
    assert frame["index"].tolist() == list(range(N))
    np.testing.assert_allclose(np.stack(frame["h"]), np.stack(one["h"]), rtol=1e-5, atol=1e-5)
