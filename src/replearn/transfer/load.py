"""Whatever was fitted, back from its run folder: a method, or a `FineTune`."""

from pathlib import Path
from typing import Any

from torch import nn

from replearn import methods
from replearn.engine.run import METHOD, open_run, read_json
from replearn.transfer.finetune import FineTune
from replearn.views import Split


def load(path: str | Path, *, encoder: nn.Module | None = None, views: Split | None = None) -> Any:
    """The fitted method or `FineTune` in the run folder `path`.

    The class is looked up by name; nothing in the folder is executed, and no pickle is read.

    Args:
        path: a folder that `fit(run=...)`, `save` or a command wrote.
        encoder: the module that it was given, where it was given a module: modules are not stored, weights are.
        views: the views of one's own that it was given, which are not stored: training on needs them.

    Raises:
        ValueError: the folder holds no run, or one that is broken, or whose class or encoder is not known here.
    """
    folder = open_run(path)
    content = read_json(folder / METHOD)
    if isinstance(content, dict) and content.get("class") == FineTune.__name__:
        return FineTune.load(folder, encoder=encoder, views=views)
    return methods.load(folder, encoder=encoder, views=views)
