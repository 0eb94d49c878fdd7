"""Checkpoints: all that a run killed at any instant needs to end with the same bits.

A checkpoint is a folder `state/step-N/` of `tensors.safetensors` (weights, buffers, optimiser) and
`state.json` (step, time, the history's unwritten rows). It is written beside its place and renamed whole, so
it is there or it is not. Random numbers need no state: those of step N are a function of the seed and N.
"""

import hashlib
import json
import logging
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from replearn.data.processes import process
from replearn.engine.owner import check_owner
from replearn.engine.run import (
    CHECKSUM,
    CannotWrite,
    clear_parts,
    read_json,
    read_tensors,
    remove,
    replacing,
    write_json,
    write_tensors,
)

log = logging.getLogger("replearn")

KEPT = 2  # the newest, and one before it in case the disk loses the newest
TENSORS, NUMBERS = "tensors.safetensors", "state.json"


@runtime_checkable
class Holder(Protocol):
    """What has a state: a module, an optimizer, or what stands for one."""

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any: ...


class Checkpoints:
    """The checkpoints of one training; the first process writes them, all read them.

    Args:
        folder: where they lie, or None: then nothing is saved, and there is nothing to load.
        module: what learns.
        optimizer: what moves it, as it is inside of any wrapper; None: what moves it remembers nothing.
    """

    def __init__(self, folder: Path | None, module: Holder, optimizer: Holder | None = None) -> None:
        self.folder = folder
        self.module = module
        self.optimizer = optimizer
        self._failing = False

    def save(self, step: int, state: dict[str, Any]) -> bool:
        """Write the checkpoint `step-N`, `N = step`, then delete all but the newest few.

        Returns:
            False where it could not be written (no space left, say). Training may go on: the checkpoints
            before it are whole. The log tells it once, until a later one succeeds.
        """
        if self.folder is None or process() != 0:
            return True
        check_owner(self.folder.parent)
        try:
            self._write(self.folder, step, state)
        except CannotWrite as error:
            if not self._failing:
                log.warning("no checkpoint of step %d: %s The run goes on without.", step, error)
            self._failing = True
            return False
        self._failing = False
        return True

    def load(self) -> dict[str, Any] | None:
        """Restore the newest whole checkpoint; its state, or None where there is none at all.

        Raises:
            ValueError: every checkpoint is broken, or they are of other modules.
        """
        found = checkpoints_in(self.folder) if self.folder else []
        for path in reversed(found):
            try:
                state = _read_numbers(path / NUMBERS)
                tensors = read_tensors(path / TENSORS)
            except (OSError, ValueError) as error:
                if path == found[0]:
                    raise ValueError(f"no checkpoint in {self.folder} is whole: {error}") from error
                log.warning("a checkpoint is broken, going back to the one before it: %s", error)
                continue
            self._restore(path, tensors, state.pop("optimizer"))
            return state
        return None

    def clear(self) -> None:
        """Remove what checkpoints there are: the run begins anew."""
        if self.folder is not None and process() == 0:
            remove(self.folder)

    def _write(self, folder: Path, step: int, state: dict[str, Any]) -> None:
        tensors, numbers = _flatten(self.optimizer.state_dict()["state"]) if self.optimizer else ({}, {})
        tensors |= {f"module.{name}": tensor for name, tensor in self.module.state_dict().items()}
        target = folder / f"step-{step:09d}"
        remove(target)  # a broken one, which the run went back before
        with replacing(target) as part:
            part.mkdir(parents=True)
            write_tensors(part / TENSORS, tensors)
            _write_numbers(part / NUMBERS, state | {"optimizer": numbers})
        found = checkpoints_in(folder)
        later = [
            path for path in found if path.name > target.name
        ]  # broken, so the run went back before them
        for old in (*later, *[path for path in found if path not in later][:-KEPT]):
            # Renamed first: a kill while it is deleted must not leave half of one under a whole one's name.
            with suppress(OSError):
                old.rename(old.with_name(f".{old.name}.part"))
        clear_parts(folder)

    def _restore(self, path: Path, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
        modules = {name[7:]: tensor for name, tensor in tensors.items() if name.startswith("module.")}
        try:
            self.module.load_state_dict(modules)
        except RuntimeError as error:
            told = str(error).splitlines()[-1].strip()
            raise ValueError(
                f"{path} must be of this method and encoder; it is not ({told}). Give those it began with."
            ) from error
        if self.optimizer is None:
            return
        self.optimizer.load_state_dict(self.optimizer.state_dict() | {"state": _unflatten(tensors, numbers)})
        for parameter, values in getattr(self.optimizer, "state", {}).items():
            for name, value in values.items():
                if isinstance(value, Tensor) and value.shape == parameter.shape:
                    # In the parameter's order of memory (channels-last): fused updates walk both in step.
                    values[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def checkpoints_in(folder: Path) -> list[Path]:
    """Checkpoints, oldest first."""
    return sorted(folder.glob("step-*"))


def keep_newest(folder: Path) -> None:
    """Remove all checkpoints but the newest."""
    for old in checkpoints_in(folder)[:-1]:
        remove(old)
    clear_parts(folder)


def _write_numbers(path: Path, state: dict[str, Any]) -> None:
    write_json(path, state | {CHECKSUM: _digest(json.loads(json.dumps(state)))})


def _read_numbers(path: Path) -> dict[str, Any]:
    """The numbers of a checkpoint; those of earlier versions have no checksum.

    Raises:
        ValueError: they are no longer as they were written.
    """
    state = read_json(path)
    told = state.pop(CHECKSUM, None) if isinstance(state, dict) else ""
    if told is not None and told != _digest(state):
        raise ValueError(f"{path} must be as it was written; it has changed since, by its checksum.")
    return state  # type: ignore[no-any-return]


def _digest(state: Any) -> str:
    return hashlib.blake2b(json.dumps(state, sort_keys=True).encode(), digest_size=16).hexdigest()


def _flatten(state: dict[int, dict[str, Any]]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    entries = {
        f"optimizer.{i}.{name}": value for i, values in state.items() for name, value in values.items()
    }
    tensors = {key: value for key, value in entries.items() if isinstance(value, Tensor)}
    return tensors, {key: value for key, value in entries.items() if key not in tensors}


def _unflatten(tensors: dict[str, Tensor], numbers: dict[str, Any]) -> dict[int, dict[str, Any]]:
    state: dict[int, dict[str, Any]] = {}
    for key, value in (*tensors.items(), *numbers.items()):
        if key.startswith("optimizer."):
            _, i, name = key.split(".", 2)
            state.setdefault(int(i), {})[name] = value
    return state
