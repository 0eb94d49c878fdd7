"""Representations by several workers: each row once, whatever is killed; nothing is left running."""

import json
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("ray", reason="needs replearn[ray]")

from replearn import as_samples
from replearn.cli import main
from replearn.cli.embed import EmbedOptions, _plan
from replearn.data import Samples, load_data
from replearn.data.copies import content_fingerprint
from replearn.engine.run import METHOD, WEIGHTS
from replearn.methods.classical import PCA
from replearn.methods.store import versions
from replearn.service.embedding import MANIFEST, embed_sharded, sharded, worker
from replearn.service.embedding.cluster import check_answers, processes
from replearn.service.embedding.shards import LARGEST, shard_rows, shards_of

N, ROWS, SHARD = 2000, 50, 100


def running() -> set[int]:
    """Ray's own processes on this machine."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if b"/raylet/raylet" in command or b"gcs_server" in command or command.startswith(b"ray::"):
            found.add(int(folder.name))
    return found


@pytest.fixture(scope="module")
def workers():
    """Two processes of Ray for all tests of this file."""
    before = running()
    with processes(2, None, shared=0):
        yield
    until = time.monotonic() + 120  # those of another test may run, too
    while running() - before and time.monotonic() < until:
        time.sleep(0.1)
    assert not running() - before


def made_rows():
    return np.random.default_rng(0).normal(size=(N, 6)).astype(np.float32)


@pytest.fixture(scope="module")
def fitted():
    return PCA(n_components=3).fit(made_rows())


@pytest.fixture
def alone(monkeypatch):
    """Shards are made in this process, as a worker makes them: that takes no seconds to begin."""

    def make(method, samples, out, missing, plan, workers, address):
        for shard in missing:
            worker.write_shard(method, samples, shard, out, plan)
        return 0

    monkeypatch.setattr(sharded, "_make", make)


PLAN = {"samples": "these", "batch": ROWS, "shard": SHARD, "device": "cpu", "versions": versions()}


def embedded(out) -> pd.DataFrame:
    return pd.read_parquet(out)


def check(out, expected):
    """Every row once, and as it should be."""
    frame = embedded(out)
    assert sorted(frame["index"]) == list(range(N))
    np.testing.assert_allclose(np.stack(frame.sort_values("index")["h"]), expected, rtol=1e-5, atol=1e-5)
    assert json.loads((out / MANIFEST).read_text())["whole"]
    assert [path.name for path in out.iterdir() if path.suffix == ".part"] == []


def wrapped(samples, act):
    """Samples that do something when the row of number 1,020 is read, in whichever process that is."""

    class Acting(Samples):
        def __init__(self):
            self.inner = samples
            self.kind, self.shape = samples.kind, samples.shape

        def __len__(self):
            return len(self.inner)

        def __getitem__(self, index):
            if 1020 in index and len(index) <= ROWS:
                act()
            return self.inner[index]

    return Acting()


def test_shards_have_whole_batches_and_all_rows():
    for total, batch in ((1, 512), (2000, 512), (10**6, 100), (10**9, 7)):
        rows = shard_rows(total, batch=batch)
        assert rows % batch == 0
        assert rows <= max(batch, LARGEST)
        if total < 10**7:
            bounds = [(shard.first, shard.stop) for shard in shards_of(total, rows)]
            assert bounds[0][0] == 0
            assert bounds[-1][1] == total
            assert all(a[1] == b[0] for a, b in pairwise(bounds))


@pytest.mark.all
def test_a_worker_killed_in_the_middle_loses_and_repeats_no_row(fitted, workers, tmp_path):
    mark = str(tmp_path / "was-killed")

    def die_once():
        if not os.path.exists(mark):
            with open(mark, "x"):
                pass
            os.kill(os.getpid(), signal.SIGKILL)

    samples = as_samples(made_rows())
    made = embed_sharded(fitted, wrapped(samples, die_once), tmp_path / "out", plan=PLAN, workers=2)
    assert os.path.exists(mark)
    assert (made.rows, made.kept, made.shards, made.again) == (N, 0, N // SHARD, 1)
    check(tmp_path / "out", fitted.transform(made_rows()))


def test_what_fails_keeps_whole_shards_and_goes_on_with_the_others(fitted, tmp_path, monkeypatch, alone):
    def fail():
        raise ValueError("row 1020 must be a number; it is none. Correct it.")

    samples, out = as_samples(made_rows()), tmp_path / "out"
    with pytest.raises(ValueError, match="row 1020 must be"):
        embed_sharded(fitted, wrapped(samples, fail), out, plan=PLAN, workers=2)
    assert not json.loads((out / MANIFEST).read_text())["whole"]
    whole = {path: path.stat().st_mtime_ns for path in out.glob("part-*.parquet")}
    assert len(whole) == 10
    broken = min(whole)
    broken.write_bytes(broken.read_bytes()[:-100])
    made = embed_sharded(fitted, samples, out, plan=PLAN, workers=2)
    assert made.kept == (len(whole) - 1) * SHARD
    assert all(path.stat().st_mtime_ns == when for path, when in whole.items() if path != broken)
    check(out, fitted.transform(made_rows()))
    with monkeypatch.context() as nobody:
        nobody.setattr(sharded, "_make", None)  # all is there: none are asked for
        assert embed_sharded(fitted, samples, out, plan=PLAN, workers=2).kept == N
    broken.unlink()
    with monkeypatch.context() as stopped:  # before a shard that is gone is made again
        stopped.setattr(sharded, "_make", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            embed_sharded(fitted, samples, out, plan=PLAN, workers=2)
    assert not json.loads((out / MANIFEST).read_text())["whole"]


def test_a_folder_of_something_else_is_refused(fitted, alone, tmp_path):
    samples = as_samples(made_rows())
    embed_sharded(fitted, samples, tmp_path / "out", plan=PLAN, workers=2)
    for changed in ({"samples": "others"}, {"shard": 2 * SHARD}):
        with pytest.raises(ValueError, match=f"differs in {next(iter(changed))}"):
            embed_sharded(fitted, samples, tmp_path / "out", plan=PLAN | changed, workers=2)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"holds thesis\.txt"):
        embed_sharded(fitted, samples, tmp_path / "mine", plan=PLAN, workers=2)


@pytest.mark.all
def test_a_shard_that_ends_every_worker_is_told(fitted, workers, tmp_path, monkeypatch):
    def die():
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(sharded, "RETRIES", 1)
    with pytest.raises(ValueError, match="2 ended while rows 1,000 to 1,099"):
        embed_sharded(fitted, wrapped(as_samples(made_rows()), die), tmp_path / "out", plan=PLAN, workers=2)


@pytest.mark.all
def test_other_versions_and_failures_of_a_worker_are_told(fitted, workers, tmp_path):
    plan = PLAN | {"versions": versions() | {"torch": "1.0"}}
    with pytest.raises(ValueError, match="must have the same versions"):
        embed_sharded(fitted, as_samples(made_rows()), tmp_path / "out", plan=plan, workers=2)

    def fail():
        raise ValueError("row 1020 must be a number; it is none. Correct it.")

    with pytest.raises(ValueError, match="row 1020 must be"):
        embed_sharded(fitted, wrapped(as_samples(made_rows()), fail), tmp_path / "f", plan=PLAN, workers=2)


@pytest.mark.all
def test_the_command_writes_what_one_process_writes(workers, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame(made_rows(), columns=list("abcdef"))
    frame["label"] = np.array(["x", "y"])[np.arange(N) % 2]
    frame.to_parquet("t.parquet")
    assert main(["fit", "autoencoder", "t.parquet", "--dim", "2", "--epochs", "1", "--run", "run"]) == 0
    assert main(["embed", "run", "t.parquet", "--out", "one.parquet", "--rows", "100"]) == 0
    several = ["embed", "run", "t.parquet", "--out", "several", "--rows", "100", "--workers", "2"]
    assert main([*several, "--shard", "500"]) == 0
    assert "several: 2,000 rows in 4 files" in capsys.readouterr().out
    one, other = embedded("one.parquet"), embedded("several")
    assert list(one) == list(other) == ["index", "label", "h"]
    assert one[["index", "label"]].equals(other[["index", "label"]])
    np.testing.assert_allclose(np.stack(one["h"]), np.stack(other["h"]), rtol=1e-5, atol=1e-5)
    assert main([*several, "--shard", "500"]) == 0
    assert "all there already" in capsys.readouterr().out
    frame.iloc[::-1].to_parquet("t.parquet")
    assert main([*several, "--shard", "500"]) == 2
    assert "differs in samples" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--ray", "auto"), "--ray is for several workers"),
        (("--shard", "512"), "--shard is for several workers"),
        (
            ("--workers", "2", "--shard", "100"),
            "--shard must be a multiple of --rows, 512; got 100. Take 512",
        ),
        (("--workers", "2", "--out", "e.npy"), "--out must be a folder where several workers write"),
        (("--workers", "2", "--again"), "--again ignores what a run has kept"),
        (("--workers", "0"), "--workers must lie between 1 and"),
    ],
)
def test_options_that_do_not_go_together(more, said, capsys):
    assert main(["embed", "run", "t.csv", *more]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "address", ["127.0.0.1:9", "ray://127.0.0.1:9", "rubbish", "host:", "127.0.0.1:999999"]
)
def test_an_address_where_nothing_answers_is_told_at_once(address):
    with pytest.raises(ValueError, match="--ray must be the address of a cluster that runs"):
        check_answers(address)


def test_without_ray_one_line_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr("replearn.data.needed.find_spec", lambda name: None)
    assert main(["embed", "run", "t.csv", "--workers", "2"]) == 2
    assert "several workers need ray, which is not installed. Run: pip install 'replearn[ray]'" in (
        capsys.readouterr().err
    )


DRIVER = """
import os, signal, sys
import numpy as np
from replearn import as_samples
from replearn.data import Samples, load_data
from replearn.data.copies import content_fingerprint
from replearn.methods.classical import PCA
from replearn.methods.store import versions
from replearn.service.embedding import embed_sharded

class Acting(Samples):
    def __init__(self, inner, driver):
        self.inner, self.driver, self.kind, self.shape = inner, driver, inner.kind, inner.shape
    def __len__(self):
        return len(self.inner)
    def __getitem__(self, index):
        if self.driver and 1020 in index and len(index) <= 50:
            os.kill(self.driver, signal.SIGKILL)
        return self.inner[index]

x = np.random.default_rng(0).normal(size=(2000, 6)).astype(np.float32)
samples = Acting(as_samples(x), os.getpid() if sys.argv[2] == "die" else 0)
plan = {"batch": 50, "shard": 100, "device": "cpu", "versions": versions()}
made = embed_sharded(PCA(n_components=3).fit(x), samples, sys.argv[1], plan=plan, workers=2)
print(made.kept)
"""


@pytest.mark.all
def test_a_driver_that_is_killed_leaves_whole_shards_and_no_process(fitted, tmp_path):
    before, out = running(), tmp_path / "out"

    def drive(how):
        return subprocess.run(
            [sys.executable, "-c", DRIVER, str(out), how],
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    assert drive("die").returncode == -signal.SIGKILL
    until = time.monotonic() + 240  # Ray's agents look for what is gone for a minute or two
    while running() - before and time.monotonic() < until:
        time.sleep(0.2)
    assert not running() - before
    whole = len(list(out.glob("part-*.parquet")))
    assert 0 < whole < N // SHARD
    again = drive("live")
    assert again.returncode == 0, again.stderr
    assert int(again.stdout) == whole * SHARD
    check(out, fitted.transform(made_rows()))


def test_what_lies_in_files_is_opened_there_and_is_not_sent(tmp_path, monkeypatch):
    from replearn.service.embedding.sharded import size_of

    monkeypatch.chdir(tmp_path)
    np.save("large.npy", np.zeros((100_000, 8), np.float32))
    assert size_of(as_samples("large.npy")) < 100_000
    assert size_of(as_samples(made_rows())) > made_rows().nbytes


@pytest.mark.parametrize("name", ["digits8x8", "python-manual", "notes"])
def test_samples_of_other_kinds_reach_another_process_whole(name):
    from ray import cloudpickle

    samples = load_data(name, split="test").subset(np.arange(8))
    there = cloudpickle.loads(cloudpickle.dumps(samples))
    assert content_fingerprint(there) == content_fingerprint(samples)


@pytest.mark.parametrize(
    ("cards", "workers", "share"), [(2, 3, 0.5), (2, 2, 1), (2, 1, 1), (1, 4, 0.25), (0, 2, 0)]
)
def test_cards_are_shared_so_that_every_worker_has_one(cards, workers, share):
    class Cluster:
        def cluster_resources(self):
            return {"CPU": 8.0} | ({"GPU": float(cards)} if cards else {})

    assert sharded._share(Cluster(), "cuda", workers) == share
    assert sharded._share(Cluster(), "cpu", workers) == 0


def test_rows_of_other_names_are_other_rows(fitted, tmp_path):
    for name in (METHOD, WEIGHTS):
        (tmp_path / name).write_bytes(b"as it was")
    options = EmbedOptions(run=str(tmp_path), data="photos")
    samples = as_samples(made_rows())
    plans = []
    for names in (None, ["a", "b"], ["ab", ""], ["a", "b"]):
        samples.names = names
        plans.append(_plan(fitted, options, samples, "fingerprint")["names"])
    assert plans[1] == plans[3]
    assert len(set(plans)) == 3
