"""Fitted methods back from disk, without executing anything that lies there."""

import logging
from pathlib import Path
from typing import Any

from torch import nn

from replearn.data.kinds import KINDS
from replearn.encoders import weights_from
from replearn.encoders.building import building_within
from replearn.engine.extension import extensions_in
from replearn.engine.run import METHOD, WEIGHTS, count_numbers, open_run
from replearn.methods.arrays import arrays_from_run
from replearn.methods.model import Model
from replearn.methods.registry import find_method
from replearn.methods.started import blank, mark, read_recipe
from replearn.methods.store import check_not_written, restore
from replearn.views import Split

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
