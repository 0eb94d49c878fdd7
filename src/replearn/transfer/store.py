"""A fitted `FineTune` back from its run folder, without executing anything that lies there."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import nn

from replearn.data import description_from_json
from replearn.encoders import made_from, weights_from
from replearn.encoders.building import building_within
from replearn.engine.machine import here, random_state_kept
from replearn.engine.run import METHOD, WEIGHTS, count_numbers, open_run, read_json
from replearn.methods.ranges import check_stored
from replearn.methods.started import mark
from replearn.methods.store import restore
from replearn.transfer.task_data import TaskDescription, task_from_json
from replearn.views import Split, view_from_json
from replearn.views.store import NotStored


def load_run(
    cls: type[Any], path: str | Path, *, encoder: nn.Module | None, views: Split | None = None
) -> Any:
    """The fitted model in the run folder `path`.

    Raises:
        ValueError: the folder holds no run of this class, or one that is broken or lacks its encoder.
    """
    folder = open_run(path)
    content = read_json(folder / METHOD)
    told = content.get("samples") if isinstance(content, dict) else None
    if not isinstance(told, dict) or content.get("class") != cls.__name__ or "task" not in told:
        raise ValueError(
            f"{folder / METHOD} must be of {cls.__name__}; it is not. Use replearn.load for methods."
        )
    check_stored(cls, content["fields"], folder / METHOD)
    known = {field.name for field in fields(cls)}
    values = {name: value for name, value in here(content["fields"]).items() if name in known}
    if isinstance(values.get("encoder"), dict):
        values["encoder"] = _encoder(values["encoder"], told, encoder)
    values["views"] = _views(values.get("views"), views)
    model = cls(**values)
    model.task_ = task_from_json(told["task"])
    own = {
        field.name: getattr(description_from_json(told), field.name)
        for field in fields(description_from_json(told))
    }
    model.samples_ = TaskDescription(**own, task=told["task"], recipe=told["recipe"], apart=told["apart"])
    bound = building_within(count_numbers(folder / WEIGHTS), folder / METHOD)
    made = made_from(content.get("folder"))
    with random_state_kept(), torch.no_grad(), made, weights_from(folder / WEIGHTS), bound:
        model.build(model.samples_)
    model.extensions_ = []
    mark(model, content)
    return restore(model, folder)


def _views(stored: Any, views: Split | None) -> Any:
    own = isinstance(stored, dict) and "own" in stored
    if views is not None and not own:
        raise ValueError("the run must have views of your own; it has none, or stores them. Leave views out.")
    if own:
        return views or NotStored(str(stored["own"]))
    return view_from_json(stored) if isinstance(stored, dict) else stored


def _encoder(stored: dict[str, Any], told: dict[str, Any], encoder: nn.Module | None) -> Any:
    if told["recipe"] is not None:
        return "auto"  # made again by the recipe
    if encoder is None:
        raise ValueError(
            f"the run was fitted with an encoder of your own, {stored['module']}, which is not stored. "
            "Pass encoder=, the same module; its weights come from the run."
        )
    return encoder
