"""Device, precision, processes; optimisers; embedding."""

import logging
import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from children import QUICK, little_digits
from lightning_fabric.loggers import CSVLogger, TensorBoardLogger
from torch import nn

from replearn.data import as_samples
from replearn.engine import machine as machine_module
from replearn.engine.embed import embed_parts
from replearn.engine.machine import Machine, choose, crew, make_fabric, random_state_kept, seed_draws
from replearn.engine.optimizers import LARS, make_optimizer, schedule
from replearn.engine.pace import Pace
from replearn.methods.contrastive.simclr import SimCLR


def test_the_machine_is_chosen_by_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_module, "_cpu_has_bf16", lambda: True)
    assert choose("cpu").precision == "bf16-mixed"
    monkeypatch.setattr(machine_module, "_cpu_has_bf16", lambda: False)
    assert choose("cpu").precision == "32-true"
    assert choose("cpu", "bf16-mixed").precision == "bf16-mixed"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose("auto", "32-true").device == "cuda"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU to look for")
def test_without_a_gpu_steps_look_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTORCH_NVML_BASED_CUDA_CHECK", "1")  # as Fabric's import does
    make_fabric(choose("cpu"))
    assert "PYTORCH_NVML_BASED_CUDA_CHECK" not in os.environ


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, (1, 1)),
        ({"WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "4"}, (4, 2)),
        ({"SLURM_PROCID": "3", "SLURM_NTASKS": "6", "SLURM_NNODES": "3", "SLURM_JOB_NAME": "train"}, (2, 3)),
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "6", "SLURM_NNODES": "3", "SLURM_JOB_NAME": "bash"}, (1, 1)),
        ({"SLURM_NTASKS": "6", "SLURM_NNODES": "3"}, (1, 1)),
    ],
)
def test_the_crew_is_what_the_launcher_says(
    environment: dict[str, str], expected: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_NNODES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert crew() == expected


def test_fabric_says_nothing_on_the_terminal(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        make_fabric(choose("cpu", "bf16-mixed"))
    assert caplog.text == ""


def test_random_state_is_kept() -> None:
    before = torch.get_rng_state()
    with random_state_kept():
        torch.manual_seed(1)
        torch.rand(3)
    assert torch.equal(torch.get_rng_state(), before)


def test_lars_is_as_in_the_paper() -> None:
    torch.manual_seed(0)
    net = nn.Linear(5, 3).double()
    w, b = (p.detach().clone() for p in net.parameters())
    optimizer = make_optimizer("lars", {"net": net}, learning_rate=0.5, weight_decay=0.1)
    velocity_w, velocity_b = torch.zeros_like(w), torch.zeros_like(b)
    for _ in range(4):
        optimizer.zero_grad()
        x = torch.randn(7, 5, dtype=torch.float64)
        net(x).square().sum().backward()
        g, g_b = net.weight.grad, net.bias.grad
        trust = 0.001 * w.square().sum().sqrt() / (g.square().sum().sqrt() + 0.1 * w.square().sum().sqrt())
        velocity_w = 0.9 * velocity_w + 0.5 * trust * (g + 0.1 * w)
        velocity_b = 0.9 * velocity_b + 0.5 * g_b
        w, b = w - velocity_w, b - velocity_b
        optimizer.step()
        torch.testing.assert_close(net.weight.detach(), w)
        torch.testing.assert_close(net.bias.detach(), b)


def test_lars_moves_zero_weights() -> None:
    weight = nn.Parameter(torch.zeros(2, 2))
    optimizer = LARS([{"params": [weight]}], lr=0.1)
    weight.grad = torch.ones(2, 2)
    optimizer.step()
    assert torch.allclose(weight, torch.full((2, 2), -0.1))


@pytest.mark.parametrize("name", ["adamw", "sgd", "lars"])
def test_weight_decay_spares_vectors_and_frozen_weights_are_left_out(name: str) -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Linear(2, 2), nn.Linear(2, 2))
    net[3].requires_grad_(False)
    decayed, spared = make_optimizer(name, {"net": net}, learning_rate=0.1, weight_decay=0.3).param_groups
    assert [p.ndim for p in decayed["params"]] == [4, 2]
    assert all(p.ndim == 1 for p in spared["params"])
    assert (decayed["weight_decay"], spared["weight_decay"]) == (0.3, 0.0)


def test_the_schedule_rises_then_falls() -> None:
    rates = [schedule(i / 100, warmup=0.1) for i in range(101)]
    assert rates.index(max(rates)) == 10
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert schedule(0.0, warmup=0.0) == 1.0
    assert schedule(0.55, warmup=0.1) == pytest.approx(0.5)


def test_pace_follows_steps_or_minutes() -> None:
    pace = Pace(10, None, step=4, seconds=5.0)
    assert pace.progress == 0.4
    assert pace.advance(7) == 7
    assert (pace.step, pace.seconds >= 5.0) == (5, True)
    assert Pace(10, 1.0, step=1, seconds=30.0).progress == 0.5
    assert Pace(10, 1.0, step=1, seconds=90.0).progress == 1.0
    assert not pace.save_due(1.0)
    assert pace.save_due(0.0)


def parts(n: int, rows: int, net: nn.Module) -> list[np.ndarray]:
    machine = Machine("cpu", "32-true", "")
    return list(
        embed_parts(lambda b: net(b.x.float() / 255), [net], as_samples(little_digits(n)), machine, rows=rows)
    )


def test_embedding_in_parts() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Dropout(0.5), nn.Linear(64, 3))
    net[1].eval()
    found = parts(20, 8, net)
    assert [len(part) for part in found] == [8, 8, 4]
    np.testing.assert_allclose(np.concatenate(found), np.concatenate(parts(20, 1, net)), atol=1e-6)
    assert [layer.training for layer in net] == [True, False, True, True]


def test_embedding_leaks_no_context_to_the_caller() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    machine = Machine("cpu", "bf16-mixed", "")
    for _ in embed_parts(lambda b: net(b.x.float()), [net], as_samples(little_digits(8)), machine, rows=4):
        assert net.training
        assert not torch.is_inference_mode_enabled()
        assert not torch.is_autocast_enabled("cpu")
        assert torch.is_grad_enabled()


def test_an_error_while_embedding_restores_the_modes() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(63, 3))
    with pytest.raises(RuntimeError):
        parts(4, 4, net)
    assert net.training


def test_loggers_get_the_rows(tmp_path: Path) -> None:
    loggers = [
        TensorBoardLogger(tmp_path, name="board"),
        CSVLogger(tmp_path, name="csv", flush_logs_every_n_steps=1),
    ]
    SimCLR(**{**QUICK, "epochs": 1}).fit(little_digits(), loggers=loggers)
    assert next(tmp_path.glob("board/**/events.out.tfevents*")).stat().st_size > 500
    assert "effective_rank" in next(tmp_path.glob("csv/**/metrics.csv")).read_text()


def test_training_leaves_the_world_as_found() -> None:
    torch.manual_seed(11)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    method = SimCLR(**QUICK).fit(little_digits())
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads
    assert not any(layer.training for layer in method.encoder_.modules())
    assert not torch.is_autocast_enabled("cpu")
    assert math.isfinite(method.history_.rows[-1]["loss"])


def test_draws_are_seeded_as_torch_seeds_them() -> None:
    with random_state_kept():
        torch.manual_seed(7)
        expected = torch.rand(3)
        seed_draws(7, torch.device("cpu"))
        assert torch.equal(torch.rand(3), expected)
