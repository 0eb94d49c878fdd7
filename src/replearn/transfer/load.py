"""Whatever was fitted, back from its run folder: a method, a `FineTune`, a `Detector` or a `Segmenter`."""

from pathlib import Path
from typing import Any

from torch import nn

from replearn import methods
from replearn.engine.run import METHOD, open_run, read_json
from replearn.transfer.detector import Detector
from replearn.transfer.finetune import FineTune
from replearn.transfer.segmenter import Segmenter
from replearn.views import Split

OURS = {cls.__name__: cls for cls in (FineTune, Detector, Segmenter)}


def load(path: str | Path, *, encoder: nn.Module | None = None, views: Split | None = None) -> Any:
    """The fitted method, `FineTune`, `Detector` or `Segmenter` in the run folder `path`.

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
    cls = OURS.get(str(content.get("class"))) if isinstance(content, dict) else None
    if cls is FineTune:
        return FineTune.load(folder, encoder=encoder, views=views)
    if cls is not None:
        if views is not None:
            raise ValueError(f"views must be left out for {cls.__name__}, which has none.")
        return cls.load(folder, encoder=encoder)
    return methods.load(folder, encoder=encoder, views=views)
