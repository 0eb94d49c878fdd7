"""Checkpoints: all that a run killed at any instant needs to end with the same bits.

A checkpoint is a folder `state/step-N/` of `tensors.safetensors` (weights, buffers, optimiser) and `state.json` (step, time).
It is written beside its place and renamed whole, so it is there or it is not. Random numbers need no state: those of
step N are a function of the seed and N.
"""

import shutil
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from replearn.engine.run import read_json, read_tensors, replacing, write_json, write_tensors

KEPT = 2  # the newest, and one before it in case the disk loses the newest


def save_checkpoint(folder: Path, module: nn.Module, optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Write a checkpoint to `folder/step-N`, `N = state["step"]`, then delete all but the newest few."""
    folder.mkdir(exist_ok=True)
    tensors, numbers = _flatten(optimizer.state_dict()["state"])
    tensors |= {f"module.{name}": tensor for name, tensor in module.state_dict().items()}
    target = folder / f"step-{state['step']:09d}"
    if target.exists():
        return
    with replacing(target) as part:
        part.mkdir()
        write_tensors(part / "tensors.safetensors", tensors)
        write_json(part / "state.json", state | {"optimizer": numbers})
    for old in (*_checkpoints(folder)[:-KEPT], *folder.glob(".*.part")):
        shutil.rmtree(old, ignore_errors=True)


def load_checkpoint(folder: Path, module: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any] | None:
    """Restore the newest checkpoint into `module` and `optimizer`; its state, or None where there is none."""
    found = _checkpoints(folder)
    if not found:
        return None
    state: dict[str, Any] = read_json(found[-1] / "state.json")
    tensors = read_tensors(found[-1] / "tensors.safetensors")
    module.load_state_dict({name[7:]: tensor for name, tensor in tensors.items() if name.startswith("module.")})
    restored = optimizer.state_dict() | {"state": _unflatten(tensors, state.pop("optimizer"))}
    optimizer.load_state_dict(restored)
    return state


def _checkpoints(folder: Path) -> list[Path]:
    """Whole checkpoints, oldest first."""
    return sorted(folder.glob("step-*"))


def _flatten(state: dict[int, dict[str, Any]]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    entries = {f"optimizer.{i}.{name}": value for i, values in state.items() for name, value in values.items()}
    tensors = {key: value for key, value in entries.items() if isinstance(value, Tensor)}
    return tensors, {key: value for key, value in entries.items() if key not in tensors}


def _unflatten(tensors: dict[str, Tensor], numbers: dict[str, Any]) -> dict[int, dict[str, Any]]:
    state: dict[int, dict[str, Any]] = {}
    for key, value in (*tensors.items(), *numbers.items()):
        if key.startswith("optimizer."):
            _, i, name = key.split(".", 2)
            state.setdefault(int(i), {})[name] = value
    return state
