"""Weightings that work on gradients or learn weights: two processes and a restart change nothing."""

from pathlib import Path

import pytest
import torch
from children import as_one_of, finish, fit, fit_and_die, free_port, save_gradient, start

from replearn.engine.run import WEIGHTS


@pytest.mark.parametrize("weighting", ["uncertainty", "pcgrad"])
def test_two_processes_compute_what_one_computes(weighting: str, tmp_path: Path) -> None:
    """Of each target another number is known in each process."""
    fields = {"name": "multitask", "weighting": weighting, "dtype": torch.float64, "steps": 3}
    assert finish(save_gradient, tmp_path, **fields) == 0
    port = free_port()
    children = [start(as_one_of, 2, rank, port, save_gradient, tmp_path, **fields) for rank in range(2)]
    for child in children:
        child.join(120)
    assert [child.exitcode for child in children] == [0, 0]
    one, *two = (torch.load(tmp_path / f"{part}.pt") for part in ("1-0", "2-0", "2-1"))
    assert any(key.startswith("grad.") for key in one)
    for key, expected in one.items():
        for found in (part[key] for part in two):
            size = expected.double().norm().clamp_min(1e-3)
            assert (found.double() - expected.double()).norm() <= 1e-6 * size, key


@pytest.mark.parametrize("weighting", ["uncertainty", "pcgrad"])
def test_killed_and_resumed_it_ends_with_the_same_bits(weighting: str, tmp_path: Path) -> None:
    fields = {"name": "multitask", "weighting": weighting}
    assert finish(fit, tmp_path / "whole", **fields) == 0
    assert finish(fit_and_die, tmp_path / "run", 60, **fields) == -9
    assert finish(fit, tmp_path / "run", **fields, resume=True) == 0
    assert (tmp_path / "run" / WEIGHTS).read_bytes() == (tmp_path / "whole" / WEIGHTS).read_bytes()
