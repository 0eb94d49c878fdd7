"""Sharded parameters (fsdp): what is computed, saved and left is what it is without."""

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from children import (
    as_one_of,
    built,
    finish,
    fit,
    fit_until,
    free_port,
    quick,
    samples_for,
    save_fitted,
    save_placed,
    save_sizes,
    start,
)
from torch import nn

from lanes import one_of_each
from replearn import SimCLR
from replearn.engine.history import read_rows
from replearn.engine.run import STATE, WEIGHTS, read_tensors
from replearn.engine.sharded import Sharded, blocks
from replearn.engine.step import Step
from replearn.methods import Trained, registry
from replearn.methods.checks import check_fields

NAMES = [
    name
    for name, entry in registry().items()
    if issubclass(entry.cls, Trained) and "fsdp" not in entry.cls.refused
]
REFUSED = [
    name
    for name, entry in registry().items()
    if issubclass(entry.cls, Trained) and "fsdp" in entry.cls.refused
]
# AdamW would make rounding large where a gradient is 0 but for it, as of the biases of keys.
STEADY = {"optimizer": "sgd", "learning_rate": 0.05}
WIDE = {"name": "simclr", "encoder": "vit"}  # of blocks that are gathered one by one


def as_two(task: Any, *args: Any, **fields: Any) -> list[int | None]:
    port = free_port()
    children = [start(as_one_of, 2, rank, port, task, *args, **fields) for rank in range(2)]
    for child in children:
        child.join(120)
    return [child.exitcode for child in children]


def check_same(folder: Path, tolerance: float) -> None:
    """Losses, gradients, weights and buffers of two processes are those of one."""
    one, *two = (torch.load(folder / f"{name}.pt") for name in ("1-0", "2-0", "2-1"))
    for found in two:
        assert found.keys() == one.keys()
        for key, expected in one.items():
            if expected is None or found[key] is None:  # of one that has no gradient it may be zero
                others = [x for x in (expected, found[key]) if x is not None]
                assert not any(x.any() for x in others), key
                continue
            size = expected.double().norm().clamp_min(1e-3)
            assert (found[key].double() - expected.double()).norm() <= tolerance * size, key


CASES: list[tuple[dict[str, Any], float]] = [
    ({"name": "simclr", "dtype": torch.float64}, 1e-10),
    ({"name": "byol", "optimizer": "lars", "dtype": torch.float64}, 1e-10),
    ({"name": "mae", "optimizer": "adamw", "dtype": torch.float64}, 1e-6),
    (WIDE | {"optimizer": "lars", "dtype": torch.float64}, 1e-10),
    (WIDE | {"accumulate": 2, "dtype": torch.float64}, 1e-10),
    (WIDE | {"slice_size": 2, "dtype": torch.float64}, 1e-10),
    (WIDE, 1e-2),
]


@pytest.mark.parametrize(
    ("fields", "tolerance"),
    [
        pytest.param(*case, id=name, marks=() if name in ("simclr", "byol", "mae") else pytest.mark.all)
        for name, case in zip(
            ("simclr", "byol", "mae", "wide", "accumulate", "slices", "float32"),
            CASES,
            strict=True,
        )
    ],
)
def test_steps_are_those_of_one_process(fields: dict[str, Any], tolerance: float, tmp_path: Path) -> None:
    """Losses, gradients, weights (of teachers too) and buffers, after some steps."""
    fields = {"steps": 3} | fields
    assert finish(save_placed, tmp_path, **fields) == 0
    assert as_two(save_placed, tmp_path, fsdp=True, **fields) == [0, 0]
    check_same(tmp_path, tolerance)


@pytest.mark.all
def test_in_16_bits_it_steps_as_with_whole_parameters(tmp_path: Path) -> None:
    """Beside two processes that hold all: what one computes is rounded otherwise."""
    for name, fsdp in (("whole", False), ("sharded", True)):
        (tmp_path / name).mkdir()
        fields = WIDE | {"precision": "bf16-mixed", "steps": 3, "fsdp": fsdp}
        assert as_two(save_placed, tmp_path / name, **fields) == [0, 0]
    whole, sharded = (torch.load(tmp_path / name / "2-0.pt") for name in ("whole", "sharded"))
    assert whole.keys() == sharded.keys()
    for key, expected in whole.items():
        if expected is not None and sharded[key] is not None:
            torch.testing.assert_close(sharded[key], expected, rtol=1e-4, atol=1e-5, msg=key)


@pytest.mark.all
@pytest.mark.parametrize("name", one_of_each(NAMES))
def test_every_method_steps_as_on_one_process(name: str, tmp_path: Path) -> None:
    fields = {"name": name, "dtype": torch.float64, "steps": 3}
    assert finish(save_placed, tmp_path, **fields) == 0
    assert as_two(save_placed, tmp_path, fsdp=True, **fields) == [0, 0]
    check_same(tmp_path, 1e-6)


def test_a_training_is_that_of_whole_parameters(tmp_path: Path) -> None:
    """History and weights; and the modules are whole again, of their own classes, and can be pickled."""
    fields = WIDE | {"epochs": 3} | STEADY
    for name, fsdp in (("whole", False), ("sharded", True)):
        assert as_two(save_fitted, tmp_path / name, fsdp=fsdp, **fields) == [0, 0]
    whole, sharded = (read_rows(tmp_path / name) for name in ("whole", "sharded"))
    assert [row["step"] for row in sharded] == [row["step"] for row in whole] == list(range(1, 13))
    for name in ("loss", "learning_rate", "spread", "growth"):
        for a, b in zip(whole, sharded, strict=True):
            assert b[name] == pytest.approx(a[name], rel=2e-3, nan_ok=True), (name, a["step"])
    first, second, expected = (
        read_pickle(path)
        for path in (
            tmp_path / "sharded/method-0",
            tmp_path / "sharded/method-1",
            tmp_path / "whole/method-0",
        )
    )
    for name, weight in expected.encoder_.state_dict().items():
        torch.testing.assert_close(first.encoder_.state_dict()[name], weight, rtol=1e-4, atol=1e-5)
        assert torch.equal(first.encoder_.state_dict()[name], second.encoder_.state_dict()[name])


def read_pickle(path: Path) -> Any:
    """A method that one of our own processes has just written."""
    return pickle.loads(path.read_bytes())


@pytest.mark.parametrize("name", ["simclr", pytest.param("byol", marks=pytest.mark.all)])
def test_checkpoints_are_read_by_one_process_and_by_several(name: str, tmp_path: Path) -> None:
    fields = {"name": name, "encoder": "vit"} | STEADY
    assert as_two(fit, tmp_path / "whole", fsdp=True, **fields) == [0, 0]
    stop = {"at": 3, **fields}
    assert as_two(fit_until, tmp_path / "ours", fsdp=True, **stop) == [0, 0]
    assert as_two(fit_until, tmp_path / "theirs", fsdp=True, **stop) == [0, 0]
    assert finish(fit_until, tmp_path / "single", **stop) == 0
    for run in ("ours", "theirs", "single"):
        assert [path.name for path in sorted((tmp_path / run / STATE).iterdir())][-1] == "step-000000003"
    assert as_two(fit, tmp_path / "ours", resume=True, fsdp=True, **fields) == [0, 0]
    assert finish(fit, tmp_path / "theirs", resume=True, **fields) == 0
    assert as_two(fit, tmp_path / "single", resume=True, fsdp=True, **fields) == [0, 0]
    expected = (tmp_path / "whole" / WEIGHTS).read_bytes()
    assert (tmp_path / "ours" / WEIGHTS).read_bytes() == expected  # the same bits
    whole = read_tensors(tmp_path / "whole" / WEIGHTS)
    for run in ("theirs", "single"):
        found = read_tensors(tmp_path / run / WEIGHTS)
        for key, weight in whole.items():
            torch.testing.assert_close(found[key], weight, rtol=1e-3, atol=5e-3, msg=key)


@pytest.mark.all
def test_resumed_with_adamw_it_ends_with_the_same_bits(tmp_path: Path) -> None:
    fields = {"name": "mae", "fsdp": True}
    assert as_two(fit, tmp_path / "whole", **fields) == [0, 0]
    assert as_two(fit_until, tmp_path / "run", at=3, **fields) == [0, 0]
    assert as_two(fit, tmp_path / "run", resume=True, **fields) == [0, 0]
    assert (tmp_path / "run" / WEIGHTS).read_bytes() == (tmp_path / "whole" / WEIGHTS).read_bytes()


def test_a_process_holds_half(tmp_path: Path) -> None:
    """Of parameters, gradients and what the optimizer remembers, of a wide encoder."""
    assert finish(save_sizes, tmp_path, encoder="vit:width=256") == 0
    assert as_two(save_sizes, tmp_path, encoder="vit:width=256", fsdp=True) == [0, 0]
    one, *two = (torch.load(tmp_path / f"{name}.pt") for name in ("1-0", "2-0", "2-1"))
    assert one["parameters"] > 3e6
    for found in two:
        for name, size in one.items():
            assert 0.45 * size <= found[name] <= 0.55 * size, name


def test_large_blocks_are_gathered_one_by_one() -> None:
    method, _ = built(name="simclr", encoder="vit")
    step = Step(method)
    found = blocks(step)
    assert found == list(method.encoder_.body.blocks)
    small, _ = built(name="simclr", encoder="vit:width=8")
    assert not blocks(Step(small))


def test_one_process_is_refused() -> None:
    with pytest.raises(ValueError, match=r"needs two or more; there is one\. Start them by `torchrun"):
        check_fields(SimCLR(fsdp=True))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"compile": True}, "fsdp and compile must not be asked for together"),
        ({"precision": "16-mixed"}, "no scaling; got precision 16-mixed. Use bf16-mixed"),
    ],
)
def test_what_does_not_go_together_is_refused(fields: dict[str, Any], says: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("replearn.methods.checks.processes", lambda: 2)
    with pytest.raises(ValueError, match=says):
        check_fields(SimCLR(fsdp=True, **fields))
    check_fields(SimCLR(fsdp=True))


@pytest.mark.parametrize("name", one_of_each(REFUSED, ["maml", "rbm"]))
def test_methods_that_need_whole_parameters_say_why(name: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("replearn.methods.checks.processes", lambda: 2)
    method = quick(name, fsdp=True)
    with pytest.raises(ValueError, match=r"fsdp must be left out for .*, since .*; got True"):
        method.fit(samples_for(name, 32))


def test_a_parameter_that_a_loss_changes_is_told() -> None:
    """What was gathered is let go: the change would be lost."""
    sharded = Sharded.__new__(Sharded)
    sharded.step = nn.Linear(2, 1)

    def change() -> None:
        with torch.no_grad():
            sharded.step.bias.mul_(0.5)  # type: ignore[union-attr, operator]

    assert sharded.watched(lambda: 3) == 3
    with pytest.raises(ValueError, match=r"bias was changed while a loss was computed\. Leave fsdp out"):
        sharded.watched(change)
