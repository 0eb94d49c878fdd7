"""scikit-learn's estimators in run folders: their parameters as JSON, the arrays they learned as safetensors."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator

from replearn.data import Samples, describe
from replearn.engine.owner import owned
from replearn.engine.run import METHOD, WEIGHTS, make_run, read_tensors, remove, write_json, write_tensors
from replearn.methods.registry import registry
from replearn.methods.store import versions


def save_arrays(estimator: BaseEstimator, samples: Samples, path: str | Path) -> Path:
    """Write a fitted estimator of scikit-learn into the run folder `path`.

    Raises:
        ValueError: a run lies there already, or the estimator would be loaded as another class of the same name.
    """
    name = type(estimator).__name__
    known = registry().get(name.lower())
    if known is not None and not isinstance(estimator, known.cls):
        raise ValueError(
            f"{name} must be replearn's, {known.cls.__module__}, to be kept in a run; got "
            f"{type(estimator).__module__}'s. Import it from there."
        )
    folder = make_run(path)
    with owned(folder):
        if (folder / METHOD).exists():
            raise ValueError(f"{folder} holds a run already. Choose another name.")
        _write(estimator, samples, folder)
    return folder


def _write(estimator: BaseEstimator, samples: Samples, folder: Path) -> None:
    fields = estimator.get_params(deep=False)
    # Private ones too: `predict` of k-means and `transform` of minibatch NMF ask for theirs.
    learned = {name: value for name, value in vars(estimator).items() if name not in fields}
    arrays = {name: value for name, value in learned.items() if isinstance(value, np.ndarray)}
    numbers = {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in learned.items()
        if isinstance(value, int | float | str | np.number)
    }
    content = {
        "class": type(estimator).__name__,
        "fields": {"parameters": fields, "learned": numbers},
        "samples": describe(samples).to_json(),
        "versions": versions(),
    }
    # ascontiguousarray would turn 0-d into 1-d, hence the reshape.
    tensors = {
        name: torch.from_numpy(np.ascontiguousarray(value)).reshape(value.shape)
        for name, value in arrays.items()
        if value.dtype.kind in "fiu"
    }
    try:
        write_tensors(folder / WEIGHTS, tensors)
        write_json(folder / METHOD, content)  # last: what is killed before has left no run
    except BaseException:
        remove(folder / WEIGHTS)
        raise


def arrays_from_run(cls: type[Any], fields: dict[str, Any], folder: Path) -> Any:
    """The fitted estimator of class `cls` in `folder`."""
    estimator = cls(**fields["parameters"])
    for name, value in fields["learned"].items():
        setattr(estimator, name, value)
    for name, tensor in read_tensors(folder / WEIGHTS).items():
        setattr(estimator, name, tensor.numpy())
    return estimator
