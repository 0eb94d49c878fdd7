"""`embed`, `evaluate` and `report` read what the run keeps, and say so; what comes out is the same."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from replearn.engine.kept import EMBEDDED
from replearn.methods import SimCLR

FEW = ["--draws", "1", "--fractions", "1.0"]
READ = "representations are read from"


@pytest.fixture
def counted(monkeypatch):
    """How many batches networks have represented."""
    calls = []
    represent = SimCLR.represent

    def counting(self, batch):
        calls.append(len(batch))
        return represent(self, batch)

    monkeypatch.setattr(SimCLR, "represent", counting)
    return calls


def test_the_second_command_computes_nothing_and_says_the_same(command, run, data, counted):
    first = command("evaluate", run, data, *FEW)
    assert READ not in first.err
    assert sum(counted) == 2 * 96  # the run's network, and the untrained one
    scores = json.loads((run / "evaluation.json").read_text())["scores"]
    counted.clear()
    second = command("evaluate", run, data, *FEW)
    assert (second.code, second.out) == (0, first.out)
    assert f"192 {READ} {run / EMBEDDED}, made on " in second.err
    assert json.loads((run / "evaluation.json").read_text())["scores"] == scores
    page = command("report", run)
    assert f"192 {READ}" in page.err
    assert counted == []
    html = (run / "report.html").read_bytes()
    assert READ not in command("report", run, "--again").err
    assert sum(counted) == 192
    assert (run / "report.html").read_bytes() == html


def test_embed_writes_the_same_file(command, run, data, counted):
    assert command("embed", run, data, "--out", "a.npy").code == 0
    counted.clear()
    again = command("embed", run, data, "--out", "b.npy")
    assert f"96 {READ}" in again.err
    assert counted == []
    assert command("embed", run, data, "--out", "c.npy", "--again").code == 0
    assert sum(counted) == 96
    files = [Path(f"{name}.npy").read_bytes() for name in "abc"]
    assert files[0] == files[1] == files[2]
    for name in ("parquet", "npy"):
        shutil.rmtree(run / EMBEDDED)
        counted.clear()
        assert command("embed", run, data, "--out", f"new.{name}").code == 0
        assert sum(counted) == 96
        assert command("embed", run, data, "--out", f"newer.{name}").code == 0
        assert sum(counted) == 96


@pytest.mark.all
def test_a_report_of_a_comparison_reads_what_each_run_keeps(command, data, tmp_path, counted):
    tiny = [
        "--hidden",
        "8",
        "--encoder",
        "cnn",
        "--batch-size",
        "32",
        "--epochs",
        "1",
        "--precision",
        "32-true",
    ]
    asked = ["simclr:dim=4", "simclr:dim=5"]
    assert command("compare", *asked, "--data", data, *tiny, *FEW, "--run", "both").code == 0
    assert command("report", "both").code == 0
    counted.clear()
    page = command("report", "both")
    assert counted == []
    assert f"{READ} both/" in page.err
    assert "and 2 more" in page.err  # a folder of each run, and that of the comparison


@pytest.mark.all
def test_two_at_once_both_end_with_the_same_rows(process, run, data, tmp_path):
    two = [process("embed", run, data, "--out", f"{name}.npy", cwd=tmp_path) for name in "ab"]
    told = [started.communicate(timeout=120)[1] for started in two]
    assert [started.returncode for started in two] == [0, 0], told
    a, b = (np.load(tmp_path / f"{name}.npy") for name in "ab")
    assert np.array_equal(a, b)
    third = process("embed", run, data, "--out", "c.npy", cwd=tmp_path)
    assert READ in third.communicate(timeout=120)[1]
    assert np.array_equal(np.load(tmp_path / "c.npy"), a)
    assert {path.suffix for path in (run / EMBEDDED).iterdir()} == {".npy", ".json"}


def test_what_a_kill_left_of_an_earlier_version_is_not_kept(command, run, data, monkeypatch):
    from replearn.cli import rows

    append = rows.Rows.append

    def dies_in_the_third(self, part):
        if self.done == 64:
            raise KeyboardInterrupt
        append(self, part)

    with monkeypatch.context() as patch:
        patch.setattr(rows.Rows, "append", dies_in_the_third)
        assert command("embed", run, data, "--rows", "32", "--out", "e.npy").code == 130
    assert command("embed", run, data, "--rows", "32", "--out", "e.npy").code == 0
    assert not (run / EMBEDDED).exists()


def test_a_run_that_can_not_be_written_to_is_embedded_all_the_same(command, run, data):
    (run / EMBEDDED).write_text("in the way")
    for name in "ab":
        answer = command("embed", run, data, "--out", f"{name}.npy")
        assert answer.code == 0
        assert "representations of 96 samples are not kept" in answer.err
    assert command("evaluate", run, data, *FEW).code == 0


def test_rows_are_not_written_where_the_run_keeps_its_own(command, run, data):
    for name in ("mine.npy", "mine.parquet", "../embedded/mine.npy"):
        told = command("embed", run, data, "--out", run / EMBEDDED / name)
        assert told.code == 2
        assert f"--out must lie outside of {run / EMBEDDED}" in told.line
    assert not (run / EMBEDDED).exists()
