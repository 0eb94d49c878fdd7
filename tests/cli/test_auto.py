"""`replearn auto`: one command from data to what to take, in 80 columns, that goes on after a stop."""

import numpy as np
import pandas as pd
import pytest

from replearn.cli.failures import guarded
from replearn.engine.signals import Stopped

MINUTES = 0.002


@pytest.mark.all
def test_the_command_says_what_to_take(command, tmp_path):
    draw, labels = np.random.default_rng(0), np.arange(100) % 4
    frame = pd.DataFrame(draw.normal(size=(100, 10)) + labels[:, None], columns=[f"x{i}" for i in range(10)])
    frame = frame.assign(label=labels)
    frame.to_csv("rows.csv", index=False)
    given = ("auto", "rows.csv", "--minutes", MINUTES, "--methods", "simclr", "autoencoder")
    answer = command(*given)
    assert answer.code == 0, answer.err
    assert all(len(line) <= 80 for line in answer.out.splitlines())
    assert "80 table samples of 10, 80 with labels of 4 classes; 20 to test by" in answer.err
    assert "Take " in answer.out
    assert (tmp_path / "runs" / "auto-rows" / "report.html").exists()
    line = answer.out.splitlines()[-1].split()
    assert command(*line[1:]).code == 0
    (tuned,) = (line.split() for line in answer.out.splitlines() if line.startswith("  replearn finetune"))
    assert command(*tuned[1:], "--epochs", "1").code == 0
    again = command(*given)
    assert again.code == 0
    assert [line for line in again.err.splitlines() if "round" in line] == [
        line for line in answer.err.splitlines() if "round" in line
    ]
    assert command("auto", "rows.csv", "--minutes", 0).code == 2
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "evaluation.json").write_text("{}")
    assert command(*given, "--run", "taken").code == 2


@pytest.mark.parametrize(("name", "same"), [("auto", True), ("scale", True), ("compare", False)])
def test_a_stopped_command_says_the_line_that_goes_on(capsys, name, same):
    def stop():
        raise Stopped("stopped by SIGTERM", 15)

    assert guarded(stop, [name, "digits"]) == 143
    told = capsys.readouterr().err.strip().partition("To go on: ")[2]
    assert told == f"replearn {name} digits" + ("" if same else " --resume")
