"""A watched training is the method's own, step by step, and ends when it is told to."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest

from replearn import load_data
from replearn.methods import AlignUniform, MoCo

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("watched")


def test_what_the_method_does_after_a_step_is_done_and_counted(watched: ModuleType) -> None:
    method = MoCo(encoder="linear", batch_size=8, device="cpu", momentum=0.0)
    moved: list[bool] = []

    def on_step() -> None:
        teacher, student = method.teacher_.chain[0], method.encoder_
        moved.append(all(a.equal(b) for a, b in zip(teacher.parameters(), student.parameters(), strict=True)))
        if len(moved) == 2:
            raise watched.Enough

    watched.fit_watched(method, load_data("digits", split="test"), on_step)
    assert moved == [True, True]
    assert "after_step" not in vars(method)


def test_a_training_that_ends_too_early_is_no_measurement(watched: ModuleType) -> None:
    method = AlignUniform(encoder="linear", batch_size=512, epochs=1, device="cpu")
    with pytest.raises(RuntimeError, match="give it more epochs"):
        watched.fit_watched(method, load_data("digits", split="test"), lambda: None)
