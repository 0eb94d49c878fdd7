"""Methods on disk: fields as JSON, weights as safetensors, nothing that executes."""

import importlib.metadata
import logging
import platform
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from sklearn.base import BaseEstimator
from torch import nn

from replearn.data.processes import process
from replearn.encoders import FOLDER, configuration_of
from replearn.engine.checkpoint import keep_newest
from replearn.engine.distributed import mean_over_processes, wait_for_all
from replearn.engine.extension import extensions_in
from replearn.engine.extension import to_json as extensions_to_json
from replearn.engine.history import read_history
from replearn.engine.owner import check_owner, owned, owner_of
from replearn.engine.run import (
    ALARMS,
    HISTORY,
    METHOD,
    ROOM,
    STATE,
    WEIGHTS,
    CannotWrite,
    check_free,
    make_run,
    open_run,
    read_tensors,
    remove,
    set_room_aside,
    stored_extensions,
    write_json,
    write_tensors,
)
from replearn.methods.extend import extension_for, open_extension, put_in_order
from replearn.methods.outline import Outline
from replearn.methods.ranges import check_stored, younger_fields
from replearn.methods.started import read_recipe
from replearn.views import Split, split_to_json

log = logging.getLogger("replearn")

OWN = (METHOD, HISTORY)  # what a run has before there is anything to go on with; alarms tell why there is not
Fitted = TypeVar("Fitted", bound=Outline)

# These may differ between a run and its resumption: they say when to stop or save, not what to compute.
FREE_FIELDS = frozenset({"max_minutes", "checkpoint_minutes", "device", "fsdp"})


@contextmanager
def begun(method: Outline, path: str | Path, *, resume: bool = False) -> Iterator[Path]:
    """While entered, the run folder at `path` is this process's, with `method.json` in it: written, or found the same,
    or of a run that has ended and is extended by more epochs.

    Room for the weights is set aside, so that a disk that fills up along the way can't take what was learned. What
    fails before there is anything to go on with is removed again, but nothing that others have put there.

    Raises:
        ValueError: another process is at it, a run lies there already, or the one to resume has other fields or
            samples.
    """
    folder = make_run(path)
    with ExitStack() as stack:
        _own(folder, stack)
        if process() == 0:
            put_in_order(folder)
        there = [name for name in OWN if (folder / name).exists()]
        wait_for_all()  # or the first process would have written before another looked
        extension = None
        if METHOD in there and resume:
            old = read_recipe(open_run(folder))
            _check_same(old, method, folder)
            method.extensions_ = extensions_in(old, folder / METHOD)
            extension = extension_for(method, old, folder) if has_ended(folder) else None
        else:
            check_free(folder)
        method.extensions_ += [extension] if extension else []
        wait_for_all()  # or the first process would have begun to extend before another looked
        try:
            if process() == 0:
                set_room_aside(folder, _size(method))
                if METHOD not in there:
                    remove(folder / ALARMS)  # of a run that failed
                    write_json(folder / METHOD, to_json(method))
                    _warn_of_views(to_json(method))
                if extension:
                    open_extension(folder, to_json(method), extension, keep_state=method.keeps_state)
            wait_for_all()
            yield folder
        except BaseException as error:
            kept = (folder / STATE).exists() or (folder / WEIGHTS).exists()
            if process() == 0 and not kept and not isinstance(error, CannotWrite):
                for name in OWN:
                    if name not in there:
                        remove(folder / name)
            raise
        finally:
            if process() == 0:
                remove(folder / ROOM)


def end_run(method: Outline, folder: Path) -> None:
    """Write the weights, which ends the run, and drop what only a resumption needs; the newest checkpoint stays where
    an extension needs it.
    """
    if process() == 0:
        check_owner(folder)
        remove(folder / ROOM)
        tensors = nn.ModuleDict(method.modules()).state_dict()
        write_tensors(
            folder / WEIGHTS, tensors, extended=[extension.step for extension in method.extensions_]
        )
        drop_state(method, folder)
    wait_for_all()


def drop_state(method: Outline, folder: Path) -> None:
    """Remove from a run that has ended what only a resumption needs."""
    put_in_order(folder)
    if method.keeps_state:
        keep_newest(folder / STATE)
    else:
        remove(folder / STATE)


def has_ended(folder: Path) -> bool:
    """Whether the weights are there."""
    return (folder / WEIGHTS).exists()


def check_not_written(folder: Path) -> None:
    """Raises ValueError where a run has not ended, and another process is at it."""
    owner = None if has_ended(folder) else owner_of(folder)
    if owner:
        raise ValueError(f"the run in {folder} must have ended; {owner} is at it. Wait until it has.")


def restore(method: Fitted, folder: Path) -> Fitted:
    """Put the weights in `folder` into the method's modules, and its history beside them.

    Raises:
        ValueError: the weights are broken, or of other modules.
    """
    modules = nn.ModuleDict(method.modules())
    check_not_written(folder)
    try:
        modules.load_state_dict(read_tensors(open_run(folder) / WEIGHTS))
    except RuntimeError as error:
        raise ValueError(
            f"{folder / WEIGHTS} must hold the weights of {type(method).__name__} as {METHOD} describes it; "
            f"it does not ({str(error).splitlines()[1].strip():.200}). Copy both files from one run."
        ) from error
    told = [str(extension.step) for extension in method.extensions_]
    if told != stored_extensions(folder / WEIGHTS):
        raise ValueError(
            f"{folder / WEIGHTS} must be of a training that was extended as {METHOD} says, at steps "
            f"{', '.join(told) or 'none'}; it is not. Copy both files from one run."
        )
    modules.eval()
    method.history_ = read_history(folder)
    return method


def to_json(method: Outline) -> dict[str, Any]:
    """All that makes the method again: class, fields, samples, the network of a folder, a run or a method that it
    started from, the methods that it is made of; and the versions that made it."""
    more: dict[str, Any] = {"recipes": method.recipes_} if hasattr(method, "recipes_") else {}
    if method.extensions_:
        more["extensions"] = extensions_to_json(method.extensions_)
    return {
        "class": type(method).__name__,
        "fields": {field.name: _field_to_json(getattr(method, field.name)) for field in fields(method)},
        "samples": method.samples_.to_json(),
        "folder": _folder(method),
        "encoder": getattr(method, "_started", None),
        "versions": versions(),
    } | more


def _warn_of_views(content: dict[str, Any]) -> None:
    views = content["fields"].get("views")
    if isinstance(views, dict) and "own" in views:
        log.warning(
            "views of your own, %s, are not stored; to train on, load the run with them: load(run, views=...)",
            views["own"],
        )


def _own(folder: Path, stack: ExitStack) -> None:
    """Own the folder until the stack is left; where the first process may not, no process goes on."""
    refused = None
    try:
        stack.enter_context(owned(folder))
    except ValueError as error:
        refused = error
    if mean_over_processes(torch.tensor(float(refused is not None))) > 0:
        raise refused or ValueError(f"{folder} is not this training's, as the first process says.")


def _size(method: Outline) -> int:
    """Bytes of the modules as they are now."""
    tensors = nn.ModuleDict(method.modules()).state_dict().values()
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _folder(method: Outline) -> dict[str, Any] | None:
    """The configuration of a network that came from a folder, which may be gone when the run is loaded."""
    spec = getattr(method, "encoder", None)
    return configuration_of(method.encoder_) if isinstance(spec, str) and FOLDER in spec else None


def versions() -> dict[str, str]:
    """Versions of Python and of the packages on which numbers depend."""
    packages = ("replearn", "torch", "numpy", "scikit-learn")
    return {"python": platform.python_version()} | {
        name: importlib.metadata.version(name) for name in packages
    }


def _field_to_json(value: Any) -> Any:
    if isinstance(value, nn.Module | BaseEstimator):  # a fitted method, of which `FineTune` takes the encoder
        return {"module": type(value).__name__}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple):
        return list(value)
    return split_to_json(value) if isinstance(value, Split) else value


def _check_same(old: dict[str, Any], method: Outline, folder: Path) -> None:
    """Raises ValueError where a run can't be resumed by a method with these fields, on these samples."""
    new = to_json(method)
    if old["class"] != new["class"]:
        raise ValueError(
            f"the run to resume is of {old['class']}; got {new['class']}. Choose another name for this one."
        )
    check_stored(type(method), old["fields"], folder / METHOD)
    for name, value in new["fields"].items():
        # Of a field that is younger than the run, what it is where nothing is given.
        default = _field_to_json(type(method).__dataclass_fields__[name].default)
        before = ({name: default} | younger_fields(type(method)) | old["fields"])[name]
        if name == "epochs" and before is not None and has_ended(folder):
            continue  # for `extension_for` to say
        if name not in FREE_FIELDS and before != value:
            later = " More epochs can be asked for when it has ended." if name == "epochs" else ""
            raise ValueError(
                f"a run is resumed with the fields it began with; {name} was {before!r}, got {value!r}. "
                f"Give the old value, or choose another name.{later}"
            )
    if old["samples"].get("fingerprint") != new["samples"]["fingerprint"]:
        raise ValueError("a run is resumed on the samples it began with; these differ. Give the same data.")
    if old["samples"].get("targets") != new["samples"].get("targets"):
        raise ValueError(
            "a run is resumed with the targets it began with; these differ. Give the same columns."
        )
