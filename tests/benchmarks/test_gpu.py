"""The page of one GPU: parts keep their limits, what they came to is written, and no GPU is a line."""

import importlib
import json
import os
import sys
import time
from pathlib import Path

import pytest
import torch

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("gpu")


def test_no_gpu_is_one_line(gpu, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", ["gpu.py"])
    assert gpu.main() == 0
    told = capsys.readouterr()
    assert told.out.startswith("no CUDA device here: nothing was measured")
    assert told.out.count("\n") == 1
    assert not told.err


def test_what_an_earlier_run_found_is_not_taken_for_this_ones(gpu, tmp_path):
    (tmp_path / "speed.md").write_text("# Speed\n\n## Steps\n\nof another device\n")
    found = gpu.run(
        gpu.Asked("methods", ["-c", "print('cut before it wrote')"], 20, tmp_path), dict(os.environ)
    )
    assert "of another device" not in str(found)


def test_a_part_that_takes_too_long_is_cut_and_the_next_one_runs(gpu, monkeypatch, tmp_path, capsys):
    said = "print({'method': 'A', 'step, ms': 3.5}); print('3 passed, 1 skipped in 0.5s', flush=True)"
    slow = f"import time; {said}; time.sleep(60)"
    deaf = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); {slow}"
    made = [
        gpu.Asked("slow", ["-c", slow], 1.5),
        gpu.Asked("deaf", ["-c", deaf], 1.5),
        gpu.Asked("fails", ["-c", "raise SystemExit('no such thing')"], 20),
        gpu.Asked("chosen", ["-c", "print('talk'); print('{\"training\": \"cpu\"}')"], 20),
    ]
    monkeypatch.setattr(gpu, "parts", lambda _: made)
    monkeypatch.setattr(gpu, "AFTER", 0.5)
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--device", "cpu", "--results", str(tmp_path)])
    began = time.monotonic()
    assert gpu.main() == 1
    assert time.monotonic() - began < 40
    rows = json.loads((tmp_path / "gpu.json").read_text())["parts"]
    assert [row["state"] for row in rows] == ["cut", "cut", "failed", "done"]
    assert rows[0]["found"] == rows[1]["found"] == "3 passed, 1 skipped"
    assert "no such thing" in rows[2]["found"]
    assert rows[3]["found"] == "training: cpu"
    page = (tmp_path / "gpu.md").read_text()
    assert "A test of the program: no number here means anything." in page
    assert "| slow | cut |" in page
    assert "| A | 3.5 |" in page  # what it had come to


def test_all_parts_together_keep_eight_minutes(gpu, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["gpu.py"])
    made = gpu.parts(gpu.parse())
    assert [part.name for part in made] == ["chosen", "contract", "step", "methods"]
    assert sum(part.limit + gpu.AFTER for part in made) <= 480


def test_a_smoke_run_never_replaces_numbers(gpu, monkeypatch, capsys):
    for args in (["--quick"], ["--device", "cpu"]):
        monkeypatch.setattr(sys, "argv", ["gpu.py", *args])
        with pytest.raises(SystemExit):
            gpu.parse()
        assert "--results FOLDER" in capsys.readouterr().err


@pytest.mark.all
def test_the_real_parts_run_on_a_cpu(gpu, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--device", "cpu", "--quick", "--results", str(tmp_path)])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    assert gpu.main() == 0
    rows = json.loads((tmp_path / "gpu.json").read_text())["parts"]
    assert [row["state"] for row in rows[:3]] == ["done"] * 3
    assert rows[3]["state"] in ("done", "cut")  # it has many methods
    assert "cpu" in rows[0]["found"]
    assert "passed" in rows[1]["found"]
    assert "bare / step" in (tmp_path / "gpu.md").read_text()
