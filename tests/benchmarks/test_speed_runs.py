"""The benchmark commands run and write what readers and the docs expect. Speed itself is not tested here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SPEED = Path(__file__).parents[2] / "benchmarks" / "speed.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SPEED), *arguments], capture_output=True, text=True, check=False, timeout=300
    )


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a smoke run of the parts that use most of the library leaves behind."""
    folder = tmp_path_factory.mktemp("results")
    done = run(
        *("step", "lightly", "recipes", "probe", "--quick"),
        *("--results", str(folder), "--cifar10", str(folder / "none.zip")),
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.all
def test_json_holds_rows_goal_machine_and_command(results: Path) -> None:
    parts = json.loads((results / "speed.json").read_text(encoding="utf-8"))
    assert list(parts) == ["step", "lightly", "recipes", "probe"]
    for name, part in parts.items():
        assert part["rows"] or any(note.startswith("Skipped: ") for note in part["notes"])
        assert (part["met"] is None) == (not part["rows"])
        assert part["quick"] is True
        assert part["command"].startswith(f"python benchmarks/speed.py {name}")
        assert "torch" in part["machine"]["versions"]
    assert parts["step"]["rows"]
    assert parts["probe"]["rows"]
    # How long a step takes beside another depends on what else the machine does: no bound is set here.
    assert parts["step"]["rows"][0]["bare / step"] > 0


def test_markdown_shows_every_part_as_a_table(results: Path) -> None:
    page = (results / "speed.md").read_text(encoding="utf-8")
    parts = json.loads((results / "speed.json").read_text(encoding="utf-8"))
    for part in parts.values():
        assert f"## {part['title']}" in page
        if part["rows"]:
            assert f"| {' | '.join(part['rows'][0])} |" in page
    assert "smoke run" in page


@pytest.mark.all
def test_a_part_run_again_keeps_the_others(results: Path) -> None:
    before = json.loads((results / "speed.json").read_text(encoding="utf-8"))
    done = run("start", "--quick", "--results", str(results))
    assert done.returncode == 0, done.stderr
    after = json.loads((results / "speed.json").read_text(encoding="utf-8"))
    assert list(after) == ["step", "lightly", "recipes", "start", "probe"]
    assert after["step"] == before["step"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["setp"], "parts must be of"), (["--quick"], "--quick needs --results")],
    ids=["unknown part", "smoke run over real numbers"],
)
def test_wrong_commands_are_refused_in_one_line(arguments: list[str], said: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
