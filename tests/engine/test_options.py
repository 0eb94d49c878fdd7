"""Every option of every method works, or is refused with a reason."""

from typing import Any

import numpy as np
import pytest
import torch
from children import built, fit, quick, samples_for

from lanes import one_of_each
from older_torch import traces_checks
from replearn.encoders.base import Encoder
from replearn.encoders.dropout import set_dropout
from replearn.engine.slices import in_slices
from replearn.engine.step import Step
from replearn.engine.train import ready
from replearn.methods import Method, Model, Trained, registry

NAMES = [name for name, entry in registry().items() if issubclass(entry.cls, Trained)]
OURS = [name for name, entry in registry().items() if issubclass(entry.cls, Model)]
VALUES = {"slice_size": 3, "compile": True, "precision": "bf16-mixed"}


def one_loss(method: Method, samples: Any) -> None:
    step = Step(method)
    with ready(method, step):
        batch = samples[torch.arange(8).numpy()].part_of(8, start=0)
        terms = method.terms(batch)
        if isinstance(terms, dict):  # which may share what they are computed from
            sum(term() for term in terms.values()).backward()
            return
        for term in terms:
            term().backward()


def refused(name: str, field: str) -> bool:
    """Whether a method has a reason not to have an option; then it says it, before it learns."""
    reason = registry()[name].cls.refused.get(field)
    if reason is None:
        return False
    method = quick(name, **{field: VALUES[field]})
    with pytest.raises(ValueError, match=f"{field} must be left out for .*, since {reason}"):
        method.fit(samples_for(name, 32))
    return True


@pytest.mark.parametrize("name", one_of_each(NAMES))
def test_encoders_work_in_slices(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if refused(name, "slice_size"):
        return
    method, samples = built(name=name, slice_size=3)
    read, seen = Encoder.read, []

    def counted(self: Encoder, batch: Any, want: str = "pooled", **chosen: Any) -> Any:
        if torch.is_grad_enabled():
            seen.append(len(batch))
        return read(self, batch, want, **chosen)

    monkeypatch.setattr(Encoder, "read", counted)
    one_loss(method, samples)
    assert len(seen) >= 6  # 8 samples are 3 slices, each read twice
    assert max(seen) <= 3


@pytest.mark.parametrize("name", one_of_each(NAMES))
def test_encoders_are_compiled(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if refused(name, "compile"):
        return
    method, samples = built(name=name, compile=True)
    made, called = [], []

    def compiled(function: Any, **_: Any) -> Any:
        made.append(function)

        def call(*args: Any, **kwargs: Any) -> Any:
            called.append(getattr(function, "__self__", None))
            return function(*args, **kwargs)

        return call

    monkeypatch.setattr(torch, "compile", compiled)
    one_loss(method, samples)
    bodies = [part.body for part in Step(method).modules() if isinstance(part, Encoder)]
    assert any(net is body for net in called for body in bodies)
    called.clear()
    method.transform(samples_for(name, 8))
    assert called == []  # nothing stays compiled


@pytest.mark.all
@traces_checks
def test_a_language_model_becomes_a_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    graphs, compile_ = [], torch.compile

    def backend(graph: torch.fx.GraphModule, _: Any) -> Any:
        graphs.append(sum(node.op.startswith("call") for node in graph.graph.nodes))
        return graph.forward

    monkeypatch.setattr(torch, "compile", lambda function, **_: compile_(function, backend=backend))
    method, samples = built(name="gpt", compile=True)
    one_loss(method, samples)
    torch.compiler.reset()
    assert sum(graphs) > 40


@pytest.mark.parametrize(
    ("name", "field"),
    [
        (name, field)
        for name in sorted({*OURS} - {*NAMES})
        for field in VALUES
        if field in registry()[name].cls.refused
    ],
)
def test_what_does_nothing_is_refused(name: str, field: str) -> None:
    with pytest.raises(ValueError, match=f"{field} must be left out for"):
        registry()[name].cls(**{field: VALUES[field]}).fit(samples_for(name, 32))


@traces_checks
@pytest.mark.parametrize("name", ["simclr", "autoencoder"])
def test_a_compiled_training_learns_what_another_learns(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    graphs, compile_ = [], torch.compile

    def backend(graph: torch.fx.GraphModule, _: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    monkeypatch.setattr(torch, "compile", lambda function, **_: compile_(function, backend=backend))
    found = [fit(None, name=name, compile=compiled, encoder="linear") for compiled in (False, True)]
    torch.compiler.reset()
    assert graphs
    plain, compiled = ([row["loss"] for row in method.history_.rows] for method in found)
    assert compiled == pytest.approx(plain, rel=1e-4)
    x = samples_for(name, 8)
    np.testing.assert_allclose(found[1].transform(x), found[0].transform(x), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "name", ["gpt", "bert", "roberta", "modernbert", "lstmlanguagemodel", "elmo", "textvae"]
)
def test_slices_of_texts_give_the_gradient_of_the_whole(name: str) -> None:
    found = []
    for size in (None, 3):
        method, samples = built(name=name)
        step = Step(method)
        step.double().train()
        set_dropout(step, 0.0)  # slices draw their own seeds
        batch = samples[torch.arange(8).numpy()].part_of(8, start=0)
        torch.manual_seed(1)
        with in_slices(step, size):
            method.loss(batch).backward()
        found.append({key: p.grad for key, p in step.named_parameters() if p.grad is not None})
    whole, sliced = found
    assert whole.keys() == sliced.keys()
    for key, expected in whole.items():
        torch.testing.assert_close(sliced[key], expected, rtol=1e-6, atol=1e-9)
