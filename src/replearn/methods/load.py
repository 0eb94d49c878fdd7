"""Fitted methods back from disk, without executing anything that lies there."""

import logging
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import nn

from replearn.data import description_from_json
from replearn.data.kinds import KINDS
from replearn.encoders import made_from, standing_in, weights_from
from replearn.encoders.building import building_within
from replearn.engine.extension import extensions_in
from replearn.engine.machine import here, random_state_kept
from replearn.engine.run import METHOD, WEIGHTS, count_numbers, open_run
from replearn.methods.arrays import arrays_from_run
from replearn.methods.model import Model
from replearn.methods.ranges import check_stored
from replearn.methods.registry import find_method
from replearn.methods.started import encoder_again, mark, read_recipe
from replearn.methods.store import check_not_written, restore, younger_fields
from replearn.views import Split, view_from_json
from replearn.views.store import NotStored

log = logging.getLogger("replearn")


def load(path: str | Path, *, encoder: nn.Module | None = None, views: Split | None = None) -> Any:
    """The fitted method in the run folder `path`.

    The class is looked up by name in the registry; nothing in the folder is executed, and no pickle is read.

    Args:
        path: a folder that `fit(run=...)`, `save` or `replearn fit` wrote.
        encoder: the module that the method was given, where it was given a module: modules are not stored, weights are.
        views: the views of one's own that the method was given, which are not stored: training on needs them, and
            `transform` does not.

    Raises:
        ValueError: the folder holds no run, or one that is broken, or whose class or encoder is not known here.
    """
    folder = open_run(path)
    content = read_recipe(folder)
    cls = find_method(content["class"]).cls
    if not issubclass(cls, Model):
        return arrays_from_run(cls, content, folder)
    return fitted(cls, content, folder, encoder=encoder, views=views)


def fitted(
    cls: type[Any],
    content: dict[str, Any],
    folder: Path,
    *,
    encoder: nn.Module | None = None,
    views: Split | None = None,
) -> Any:
    """The fitted model of a class in a run folder, of which `content` is the recipe.

    Raises:
        ValueError: the run is broken, or its encoder is not known here.
    """
    weights = folder / WEIGHTS
    check_not_written(folder)
    most, kind = count_numbers(weights), content["samples"].get("kind")
    if kind not in KINDS:
        log.info("%s is of samples of kind %s, which no installed package brings", folder, kind)
    with weights_from(weights), building_within(most, folder / METHOD):
        method = blank(cls, content, encoder=encoder, views=views)
    method.extensions_ = extensions_in(content, folder / METHOD)
    mark(method, content)
    return restore(method, folder)


def blank(
    cls: type[Any],
    content: dict[str, Any],
    *,
    encoder: nn.Module | None = None,
    views: Split | None = None,
) -> Any:
    """The model of a class that a recipe tells of, its weights aside.

    Raises:
        ValueError: its encoder is not known here.
    """
    started = content.get("encoder")
    with random_state_kept(), torch.no_grad():
        again = encoder_again(started) if started else None
        method = cls(**_fields(cls, content["fields"], encoder or again, views))
        method.samples_, method._started = description_from_json(content["samples"]), started
        method.extensions_ = []
        if "recipes" in content:
            method.recipes_ = content["recipes"]
        with made_from(content.get("folder")), standing_in(content["fields"].get("encoder"), again):
            method.build(method.samples_)
    return method


def _fields(
    cls: type[Any], stored: dict[str, Any], encoder: nn.Module | None, views: Split | None
) -> dict[str, Any]:
    unknown = set(stored) - {field.name for field in fields(cls)}
    if unknown:
        raise ValueError(
            f"{METHOD} must name fields of {cls.__name__}; {', '.join(sorted(unknown))} is none. "
            "It was written by another version: install that one, or fit again."
        )
    check_stored(cls, stored, METHOD)
    for name in ("device", "precision"):
        if not isinstance(stored.get(name, ""), str):
            raise ValueError(f"{name} in {METHOD} must be a name; got {stored[name]!r}. Fit again.")
    own = isinstance(stored.get("views"), dict) and "own" in stored["views"]
    if views is not None and not own:
        raise ValueError("the run must have views of your own; it has none, or stores them. Leave views out.")
    values = {name: _value(value) for name, value in here(younger_fields(cls) | stored).items()}
    if isinstance(stored.get("encoder"), dict):
        if encoder is None:
            raise ValueError(
                f"the run was fitted with an encoder of your own, {stored['encoder']['module']}, which is not stored. "
                "Pass encoder=, the same module; its weights come from the run."
            )
        values["encoder"] = encoder
    if own:
        values["views"] = views or NotStored(str(stored["views"]["own"]))
    return values


def _value(value: Any) -> Any:
    if isinstance(value, list):  # as JSON has a tuple
        return tuple(value)
    return view_from_json(value) if isinstance(value, dict) and "class" in value else value
