"""Programs of rows measure what is asked for and not there yet, each row by a process that is told which."""

import argparse
import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
TEXTS = ("--encoder=hf:folder", "--data=folder")
PROGRAMS = {
    "auto": ("--minutes=1",),
    "quality": (),
    "pretext": ("--minutes=1",),
    "codes": (),
    "disentanglement": (),
    "distill": ("--folder=folder",),
    "few_labels": ("--minutes=1",),
    "finetune": TEXTS,
    "kind_graph": (),
    "kind_pairs": (),
    "kind_points": (),
    "kind_robot": (),
    "kind_sequence": ("--csv=delaney.csv",),
    "kind_time": (),
    "kind_video": (),
    "layers": TEXTS,
    "multi_task": (),
    "prompting": TEXTS,
    "relatedness": TEXTS,
    "shortcuts": (),
    "sweep": (),
    "unlike": ("--data=emoji",),
}


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("rows")


def run(rows: ModuleType, *given: str) -> int:
    """A program whose processes score a seed by 6 / seed, and so fail for 0."""
    asked = rows.parser("program.py", None).parse_args(given)
    wanted = ({"seed": seed} for seed in asked.seeds)
    found: int = rows.main(asked, measure, wanted, command, markdown, key=["seed"])
    return found


def measure(asked: argparse.Namespace) -> dict[str, int]:
    return {"score": 8}


def command(asked: argparse.Namespace, row: Mapping[str, Any]) -> list[str]:
    return ["-c", f"print('talk'); print('{{\"score\": %d}}' % (6 / {row['seed']}))"]


def markdown(found: list[dict[str, Any]]) -> str:
    return f"{len(found)} rows"


def test_rows_that_are_there_are_measured_only_when_asked_again(rows: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    path.write_text(json.dumps([{"seed": 1, "score": 0}]), encoding="utf-8")
    assert run(rows, "--results", str(path), "--seeds", "1", "2") == 0
    assert rows.read(path) == [{"seed": 1, "score": 0}, {"seed": 2, "score": 3}]
    assert path.with_suffix(".md").read_text(encoding="utf-8") == "2 rows"
    assert run(rows, "--results", str(path), "--seeds", "1", "--again") == 0
    assert rows.read(path) == [{"seed": 2, "score": 3}, {"seed": 1, "score": 6}]


def test_a_row_that_fails_is_told_and_the_others_are_kept(
    rows: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "found.json"
    assert run(rows, "--results", str(path), "--seeds", "0", "3") == 1
    assert "{'seed': 0}: failed" in capfd.readouterr().err
    assert rows.read(path) == [{"seed": 3, "score": 2}]


def test_one_row_is_printed_and_not_kept(
    rows: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "found.json"
    assert run(rows, "--one", "--results", str(path)) == 0
    assert json.loads(capsys.readouterr().out) == {"score": 8}
    assert not path.exists()


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_understands_the_command_of_a_row_that_it_keeps(
    rows: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = importlib.import_module(name)
    monkeypatch.setattr("sys.argv", [name, *PROGRAMS[name]])
    asked = program.parse()
    assert asked.results == BENCHMARKS / "results" / f"{name}.json"
    row = rows.read(asked.results)[0]
    monkeypatch.setattr("sys.argv", program.command(asked, row))
    one = program.parse()
    assert one.one
    assert one.seeds == [row["seed"]]


def test_a_number_that_no_seed_changes_has_no_deviation(rows: ModuleType) -> None:
    """± 0.0 would say that it is sure."""
    assert rows.cell(pd.Series([0.7, 0.7, 0.7]), percent=True, spread=True) == "70.0"
    assert rows.cell(pd.Series([0.6, 0.8]), percent=True, spread=True) == "70.0 ± 14.1"
