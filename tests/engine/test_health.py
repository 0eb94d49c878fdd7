"""Planted faults raise the alarm that names them; a healthy training raises none."""

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from children import QUICK, little_digits

from replearn.engine import history as history_module
from replearn.engine import train
from replearn.engine.health import NotFinite, Watch, effective_rank, examine, spread
from replearn.engine.history import History, read_alarms, read_rows
from replearn.engine.pace import Pace
from replearn.engine.run import ALARMS, HISTORY
from replearn.methods.contrastive.simclr import SimCLR
from replearn.views import Pair, Same


def simclr(**fields: object) -> SimCLR:
    return SimCLR(**{**QUICK, "checkpoint_minutes": 100.0, **fields})


def kinds(method: SimCLR) -> set[str]:
    return {alarm.kind for alarm in method.history_.alarms}


def test_a_healthy_training_raises_no_alarm(tmp_path: Path) -> None:
    method = simclr(epochs=15, batch_size=16, learning_rate=1e-3).fit(
        little_digits(128), run=tmp_path / "run"
    )
    assert method.history_.alarms == []
    assert not (tmp_path / "run" / ALARMS).exists()
    assert method.history_.rows[-1]["loss"] < method.history_.rows[0]["loss"] - 0.1


def test_constant_samples_collapse(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    method = simclr(epochs=30, views=Pair(Same())).fit(
        np.full((32, 1, 8, 8), 0.5, dtype=np.float32), run=tmp_path / "run"
    )
    assert kinds(method) == {
        "views",
        "collapsed",
    }  # equal samples are no negatives: there is no loss to be stuck at
    assert "collapsed: nearly one for all samples" in caplog.text
    assert read_alarms(tmp_path / "run") == method.history_.alarms
    told = {alarm["kind"]: alarm["remedy"] for alarm in json.loads((tmp_path / "run" / ALARMS).read_text())}
    assert "Do samples differ" in told["collapsed"]


def test_a_high_temperature_is_stuck() -> None:
    assert kinds(simclr(epochs=30, temperature=1e4).fit(little_digits())) == {"stuck"}


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_huge_learning_rate_ends_the_training(optimizer: str, tmp_path: Path) -> None:
    method = simclr(epochs=50, optimizer=optimizer, learning_rate=1e35)
    with pytest.raises(
        NotFinite, match=r"must be finite.*learning rate was .*e\+.*: try one ten times smaller"
    ):
        method.fit(little_digits(), run=tmp_path / "run")
    assert read_alarms(tmp_path / "run")[-1].kind == "not finite"
    assert not (tmp_path / "run/weights.safetensors").exists()


def test_numbers() -> None:
    torch.manual_seed(0)
    sphere = torch.randn(2000, 16)
    assert spread(sphere) == pytest.approx(1.0, abs=0.02)
    assert effective_rank(sphere) == pytest.approx(16, abs=0.1)
    assert effective_rank(torch.ones(10, 4)) == pytest.approx(1.0)
    assert effective_rank(torch.zeros(10, 4)) == pytest.approx(1.0)
    assert examine(torch.ones(10, 4)).spread == pytest.approx(0.0, abs=1e-7)
    assert math.isnan(examine(torch.full((3, 2), torch.nan)).spread)


def test_an_alarm_is_told_once_and_survives_a_resumption() -> None:
    watch = Watch(loss_at_collapse=2.0)
    assert [watch.see_loss(i, 2.0, 0.1) is not None for i in range(120)].count(True) == 1
    again = Watch(loss_at_collapse=2.0)
    again.restore(json.loads(json.dumps(watch.state())))
    assert again.alarms == watch.alarms
    assert again.see_loss(121, 2.0, 0.1) is None
    assert watch.see_loss(122, math.inf, 0.1) is not None


@pytest.mark.parametrize(
    ("fields", "remedy"),
    [
        (("temperature", "views"), "Try a lower temperature, or milder views, or another learning rate."),
        (("views",), "Try milder views, or another learning rate."),
        ((), "Try another learning rate."),
    ],
)
def test_a_remedy_names_no_field_that_is_not_there(fields: tuple[str, ...], remedy: str) -> None:
    watch = Watch(math.log(3), "", ("learning_rate", *fields).__contains__)
    told = [watch.see_loss(step, math.log(3), 1e-3) for step in range(200)]
    assert [alarm.remedy for alarm in told if alarm] == [remedy]


def test_a_visit_to_the_value_of_collapse_is_not_stuck() -> None:
    watch = Watch(loss_at_collapse=2.0)
    for i in range(300):
        assert watch.see_loss(i, 1.9 if i % 99 == 98 else 2.0, 0.1) is None


def recorded(run: Path, steps: int, *, begin: int = 0, state: dict | None = None, until: int = 0) -> History:
    pace = Pace(steps, None, step=begin)
    history = History(Watch(), pace, run=run, state=state)
    with history:
        while pace.step < (until or steps):
            pace.advance(0)
            history.add(torch.tensor(float(pace.step)), 0.1, 4)
        if not until:
            history.flush()
    return history


def test_rows_are_means_between_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "ROWS", 5)
    rows = recorded(tmp_path, 23).rows
    assert [(row["step"], row["loss"]) for row in rows] == [
        (4, 2.5),
        (8, 6.5),
        (12, 10.5),
        (16, 14.5),
        (20, 18.5),
        (23, 22.0),
    ]
    assert read_rows(tmp_path) == rows
    with (tmp_path / HISTORY).open(newline="") as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["4", "8", "12", "16", "20", "23"]


@pytest.mark.parametrize("cut", [0, 1, 2, 5, 30])
def test_a_cut_line_and_rows_after_the_checkpoint_are_dropped(
    cut: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_module, "ROWS", 5)
    state = json.loads(json.dumps(recorded(tmp_path, 23, until=10).state()))
    recorded_on = tmp_path / HISTORY
    recorded_on.write_bytes(
        recorded_on.read_bytes() + b"12,10.5,0.1,9,9.9,,\r\n16,14.5,0.1,9,9.9,,\r\n"[: 45 - cut]
    )
    rows = recorded(tmp_path, 23, begin=10, state=state).rows
    assert [(row["step"], row["loss"]) for row in rows] == [
        (4, 2.5),
        (8, 6.5),
        (12, 10.5),
        (16, 14.5),
        (20, 18.5),
        (23, 22.0),
    ]
    assert [row["step"] for row in read_rows(tmp_path)] == [4, 8, 12, 16, 20, 23]


def test_a_history_that_is_none(tmp_path: Path) -> None:
    assert read_rows(tmp_path) == []
    assert read_alarms(tmp_path) == []
    (tmp_path / HISTORY).write_text("step,loss\nsome,text\n")
    with pytest.raises(ValueError, match="must hold numbers"):
        read_rows(tmp_path)


def test_a_watch_knows_the_fields_of_the_method_that_learns(monkeypatch) -> None:
    made: list[Watch] = []

    class Seen(Watch):
        def __init__(self, *given) -> None:
            super().__init__(*given)
            made.append(self)

    monkeypatch.setattr(train, "Watch", Seen)
    simclr(epochs=1).fit(little_digits())
    assert [made[0].has(name) for name in ("temperature", "views", "learning_rate", "wings")] == [
        True,
        True,
        True,
        False,
    ]
