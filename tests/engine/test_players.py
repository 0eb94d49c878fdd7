"""Losses with parameters of their own, rates of their own, and numbers that a method measures itself."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from replearn.data import Batch, Description
from replearn.encoders import frozen, make_encoder
from replearn.engine import history
from replearn.engine.health import LOOKS, Health, Watch
from replearn.engine.history import read_rows
from replearn.engine.optimizers import make_optimizer
from replearn.engine.run import HISTORY
from replearn.engine.symptoms import SYMPTOMS
from replearn.methods import Method

ROWS = np.random.default_rng(0).normal(size=(64, 6)).astype(np.float32)


@dataclass(kw_only=True, eq=False, repr=False)
class Duel(Method):
    """A player that moves away from the other's judgement, and a judge of it."""

    family: ClassVar[str] = "tests"
    kinds: ClassVar[tuple[str, ...]] = ("table",)
    year: ClassVar[int] = 2014
    paper: ClassVar[str] = "https://arxiv.org/abs/1406.2661"

    encoder: str | nn.Module = "linear"
    judge_rate: float = 0.5

    def build(self, samples: Description) -> None:
        self.encoder_ = make_encoder(self.encoder, samples)
        self.judge_ = nn.Linear(self.encoder_.dim, 1)

    def terms(self, batch: Batch) -> dict[str, Callable[[], Tensor]]:
        h = self.encoder_(batch)
        return {
            "player": lambda: frozen(self.judge_, h).square().mean(),
            "judge": lambda: -self.judge_(h.detach()).mean(),
        }

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        return {"rate": self.encoder_(batch).square().mean(), "own number": torch.tensor(7.0)}

    def rates(self) -> dict[str, float]:
        return {"judge_": self.judge_rate}


def duel(**fields: object) -> Duel:
    return Duel(**{"epochs": 4, "batch_size": 16, "learning_rate": 0.01, **fields})


def test_each_loss_reaches_its_own_parameters_only() -> None:
    method = duel().prepare(ROWS)
    batch = method_batch()
    terms = method.terms(batch)
    terms["player"]().backward()
    assert all(p.grad is None for p in method.judge_.parameters())
    assert all(p.grad is not None for p in method.encoder_.parameters())
    method.encoder_.zero_grad()
    method.terms(batch)["judge"]().backward()
    assert all(p.grad is None for p in method.encoder_.parameters())
    assert all(p.grad is not None for p in method.judge_.parameters())


def method_batch() -> Batch:
    index = torch.arange(16)
    return Batch(torch.from_numpy(ROWS[:16]), torch.full((16,), -1), index)


def test_terms_with_names_and_measures_are_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "ROWS", 5)  # of 16 steps: a row is the mean of some
    method = duel().fit(ROWS, run=tmp_path / "run")
    rows = method.history_.rows
    assert rows == read_rows(tmp_path / "run")
    assert all(row["loss"] == pytest.approx(row["player"] + row["judge"], abs=1e-6) for row in rows)
    assert rows[-1]["player"] < rows[0]["player"]
    assert {row.get("own number") for row in rows} <= {7.0, None}
    assert any("own number" in row for row in rows)
    with (tmp_path / "run" / HISTORY).open(encoding="utf-8") as file:
        head = next(csv.reader(file))
    assert head[0] == "step"
    assert {"player", "judge", "rate", "own number"} <= set(head)


def test_a_module_has_its_own_rate() -> None:
    nets = {"a": nn.Linear(2, 2), "b": nn.Linear(2, 2)}
    groups = make_optimizer("sgd", nets, learning_rate=1.0, weight_decay=0.1, rates={"b": 0.25}).param_groups
    found = {id(p): group["scale"] for group in groups for p in group["params"]}
    assert [found[id(p)] for net in nets.values() for p in net.parameters()] == [1.0, 1.0, 0.25, 0.25]
    with pytest.raises(ValueError, match="rates must be of modules, a, b; got c"):
        make_optimizer("sgd", nets, learning_rate=1.0, weight_decay=0.1, rates={"c": 1.0})


def test_a_rate_of_zero_keeps_a_module_as_it_was() -> None:
    still, moving = duel(judge_rate=0.0).fit(ROWS), duel(judge_rate=1.0).fit(ROWS)
    start = duel().prepare(ROWS)
    assert torch.equal(still.judge_.weight, start.judge_.weight)
    assert not torch.equal(moving.judge_.weight, start.judge_.weight)


@pytest.mark.parametrize("name", SYMPTOMS)
def test_a_sign_is_told_once_and_only_when_it_lasts(name: str) -> None:
    sign = SYMPTOMS[name]
    bad = sign.below - 1 if np.isfinite(sign.below) else sign.above + 1
    good = sign.below + 0.1 if np.isfinite(sign.below) else sign.above - 0.1
    watch = Watch()
    see = lambda step, value: watch.see_health(step, Health(9.0, 1.0, measures={name: value}), 0.1)  # noqa: E731
    assert [see(step, bad) for step in range(sign.after)] == [[]] * sign.after
    values = [bad] * (LOOKS - 1) + [good] + [bad] * (LOOKS + 2)
    told = [see(sign.after + i, value) for i, value in enumerate(values)]
    assert [len(alarms) for alarms in told] == [0] * (2 * LOOKS - 1) + [1, 0, 0]
    assert [alarm.kind for alarm in watch.alarms] == [sign.kind]
    again = Watch()
    again.restore(watch.state())
    assert again.state() == watch.state()
