"""The measure of a training step sees what the step does beyond the networks' work."""

import importlib
import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from replearn import load_data
from replearn.data import Batch
from replearn.engine.machine import choose
from replearn.views import Pair, View

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SLEEP = 0.3  # seconds: far more than a bare step takes, on a busy machine too


@dataclass(frozen=True)
class Slow(View):
    """Does nothing, for a while."""

    def __call__(self, batch: Batch) -> Batch:
        time.sleep(SLEEP)
        return batch


@pytest.fixture
def bare_step(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("bare_step")


@pytest.mark.all
def test_a_slow_view_counts_for_the_step_and_not_for_the_bare_step(bare_step: ModuleType) -> None:
    digits = load_data("digits", split="test")
    pairs = bare_step.Pairs(digits, choose("cpu"), wanted=3)
    method = bare_step.WatchedSimCLR(encoder="linear", views=Pair(Slow()), batch_size=8, device="cpu")
    bare_step.fit_watched(method, digits, lambda: pairs.after_step(method))
    assert len(pairs.step) == len(pairs.bare) == 3
    assert min(clock for clock, _ in pairs.step) > 2 * SLEEP
    assert min(clock for clock, _ in pairs.bare) < 2 * SLEEP  # others may hold the machine at a step


def test_a_health_check_is_spread_over_its_steps(bare_step: ModuleType) -> None:
    pairs = bare_step.Pairs(samples=None, machine=None, wanted=2)
    pairs.bare, pairs.step, pairs.checked = [(0.9, 1.0)] * 2, [(1.0, 1.0)] * 2, [(3.0, 1.0)]
    bare, step, check, ratios = bare_step.compare(pairs, 20, 0)
    assert (bare, step, check) == pytest.approx((0.9, 1.1, 2.0))
    assert ratios == pytest.approx([0.9 / 1.1] * 2)
