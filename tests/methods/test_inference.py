"""What is fitted is read in full precision unless another is asked for, and never gives NaN without a word."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))
from children import built, little_digits, quick, samples_for

import replearn
from lanes import one_of_each
from older_torch import skip_without_short_lstm
from replearn.engine import machine as machine_module
from replearn.engine.machine import FORMER, choose_for_inference
from replearn.methods import Method, Model, Trained, registry
from replearn.methods.inside import divergences_of, layers_of
from replearn.methods.language.text_scores import TextScores
from replearn.transfer import FineTune, word_states

TRAINED = [name for name, entry in registry().items() if issubclass(entry.cls, Trained)]


@pytest.fixture
def rounded(monkeypatch: pytest.MonkeyPatch) -> list[torch.dtype]:
    """The precisions below 32 bits that are entered, on a processor that has bfloat16."""
    monkeypatch.setattr(machine_module, "_cpu_has_bf16", lambda: True)
    entered: list[torch.dtype] = []
    enter = torch.autocast.__enter__

    def told(self: torch.autocast) -> object:
        if self._enabled:
            entered.append(self.fast_dtype)
        return enter(self)

    monkeypatch.setattr(torch.autocast, "__enter__", told)
    return entered


def paths(method: Method, name: str) -> list[Callable[[], object]]:
    """All that asks a fitted method's networks for something."""
    samples = samples_for(name, 8)
    found: list[Callable[[], object]] = [
        lambda: method.transform(samples),
        lambda: layers_of(method, samples),
        lambda: divergences_of(method, samples),
    ]
    if hasattr(method, "inverse_transform"):
        found.append(lambda: method.inverse_transform(method.transform(samples)))
    if isinstance(method, TextScores):
        found.append(lambda: method.log_likelihoods(["the cat sat"]))
        found.append(lambda: method.generate("the", tokens=2))
    return found


@pytest.mark.parametrize("name", one_of_each(TRAINED))
def test_nothing_is_rounded_unless_asked(name: str, rounded: list[torch.dtype]) -> None:
    method, _ = built(name=name, precision="auto")
    for path in paths(method, name):
        path()
    assert rounded == []
    skip_without_short_lstm(name)
    method.precision = "bf16-mixed"
    method.transform(samples_for(name, 8))
    assert set(rounded) == {torch.bfloat16}


@pytest.mark.parametrize(("task", "y"), [("classify", ["a", "b"] * 8), ("tag", [["A", "B"]] * 16)])
def test_answers_and_states_of_words_are_not_rounded(task: str, y: list, rounded: list[torch.dtype]) -> None:
    x = [["the", "cat"], ["a", "dog"]] * 8 if task == "tag" else ["the cat", "a dog"] * 8
    lm, _ = built(name="gpt")
    model = FineTune(encoder=lm, task=task, epochs=1, batch_size=8, precision="auto").fit(x, y)
    rounded.clear()
    model.predict(x)
    model.transform(x)
    word_states(lm.encoder_, [["the", "cat"]])
    assert rounded == []


def test_a_representation_has_all_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_module, "_cpu_has_bf16", lambda: True)
    method, samples = built(precision="auto")
    whole = method.transform(samples)
    method.precision = "bf16-mixed"
    narrow = method.transform(samples)
    assert len(np.unique(whole)) > 4 * len(np.unique(narrow))
    assert choose_for_inference("cpu").precision == "32-true"
    assert choose_for_inference("cpu", "bf16-mixed").precision == "bf16-mixed"


def test_precisions_that_do_not_work_are_refused_and_runs_that_had_them_are_read() -> None:
    for precision in FORMER:
        with pytest.raises(ValueError, match="precision must be one of auto, 32-true, bf16-mixed, 16-mixed"):
            quick("autoencoder", precision=precision).fit(little_digits())
        assert choose_for_inference("cpu", precision).precision == "32-true"
    with pytest.raises(ValueError, match="16-mixed needs a GPU"):
        quick(precision="16-mixed", device="cpu").fit(little_digits())


def break_weights(method: Model) -> None:
    """One number of each tensor that is learned becomes NaN."""
    for module in method.modules().values():
        for tensor in (*module.parameters(), *module.buffers()):
            if tensor.is_floating_point() and tensor.numel():
                tensor.data[(0,) * tensor.ndim] = torch.nan


@pytest.mark.parametrize("name", one_of_each(TRAINED))
def test_broken_weights_are_told(name: str) -> None:
    method, _ = built(name=name)
    break_weights(method)
    with pytest.raises(ValueError, match=r"must be finite; .* of rows 0 to 7 .*Weights are broken, \w+\."):
        method.transform(samples_for(name, 8))
    if isinstance(method, TextScores):
        with pytest.raises(ValueError, match="Weights are broken"):
            method.log_likelihoods(["the cat sat"])
        with pytest.raises(ValueError, match="weights are broken"):
            method.generate("the", tokens=2)


def test_the_first_broken_row_is_told_by_its_number() -> None:
    method, samples = built()
    represent = method.represent

    def broken(batch):
        h = represent(batch)
        h[batch.index == 3] = torch.inf
        return h

    method.represent = broken
    parts = method.transform_parts(samples, rows=2, first=100)
    next(parts)
    with pytest.raises(
        ValueError, match=r"1 of rows 102 to 103 hold NaN or infinity, the first is row 103\."
    ):
        next(parts)


@pytest.mark.parametrize(
    "given", [{"device": "cuda"}, {"device": "cuda:7"}, {"device": "mps"}, {"precision": "16-mixed"}]
)
@pytest.mark.parametrize("task", [False, True])
def test_a_run_of_another_machine_is_read_here_with_a_line(
    given: dict[str, str],
    task: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    samples = little_digits(16)
    if task:
        fitted = FineTune(encoder="cnn", epochs=1, device="cpu").fit(
            samples, np.arange(16) % 2, run=tmp_path / "run"
        )
        expected = fitted.predict(samples)
    else:
        fitted = quick("simclr").fit(samples, run=tmp_path / "run")
        expected = fitted.transform(samples)
    told = tmp_path / "run" / "method.json"
    content = json.loads(told.read_text())
    content["fields"] |= given
    told.write_text(json.dumps(content))
    again = FineTune.load(tmp_path / "run") if task else replearn.load(tmp_path / "run")
    assert (
        len([line for line in caplog.messages if "this machine does not have: it is read on cpu" in line])
        == 1
    )
    found = again.predict(samples) if task else again.transform(samples)
    np.testing.assert_array_equal(found, expected)
