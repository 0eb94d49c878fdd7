"""scikit-learn's estimators in run folders: their parameters as JSON, the arrays they learned as safetensors.

Of one behind a scaler of columns (see `replearn.methods.columns`), the scaler is kept beside it.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator
from torch import Tensor

from replearn.data import Samples, describe
from replearn.engine.owner import owned
from replearn.engine.run import (
    METHOD,
    WEIGHTS,
    check_free,
    make_run,
    read_tensors,
    remove,
    write_json,
    write_tensors,
)
from replearn.methods.columns import Columns, bare, behind_columns, columns_before, make_scaler, scaling_of
from replearn.methods.registry import registry
from replearn.methods.store import versions

BEFORE = "columns."  # begins the names of the scaler's arrays


def save_arrays(estimator: BaseEstimator, samples: Samples, path: str | Path) -> Path:
    """Write a fitted estimator of scikit-learn into the run folder `path`.

    Raises:
        ValueError: a run lies there already, or the estimator would be loaded as another class of the same name.
    """
    columns, estimator = columns_before(estimator), bare(estimator)
    name = type(estimator).__name__
    known = registry().get(name.lower())
    if known is not None and not isinstance(estimator, known.cls):
        raise ValueError(
            f"{name} must be replearn's, {known.cls.__module__}, to be kept in a run; got "
            f"{type(estimator).__module__}'s. Import it from there."
        )
    folder = make_run(path)
    with owned(folder):
        check_free(folder)
        _write(columns, estimator, samples, folder)
    return folder


def _write(columns: Columns | None, estimator: BaseEstimator, samples: Samples, folder: Path) -> None:
    numbers, tensors = _learned(estimator)
    scaled = None
    if columns is not None:
        counts, arrays = _learned(columns)
        scaled = {"scaling": scaling_of(columns), "learned": counts}
        tensors |= {BEFORE + name: value for name, value in arrays.items()}
    content = {
        "class": type(estimator).__name__,
        "fields": {"parameters": estimator.get_params(deep=False), "learned": numbers},
        "columns": scaled,
        "samples": describe(samples).to_json(),
        "versions": versions(),
    }
    try:
        write_tensors(folder / WEIGHTS, tensors)
        write_json(folder / METHOD, content)  # last: what is killed before has left no run
    except BaseException:
        remove(folder / WEIGHTS)
        raise


def arrays_from_run(cls: type[Any], content: dict[str, Any], folder: Path) -> Any:
    """The fitted estimator of class `cls` in `folder`, whose `method.json` holds `content`."""
    tensors, scaled = read_tensors(folder / WEIGHTS), content.get("columns")
    own = {name: value for name, value in tensors.items() if not name.startswith(BEFORE)}
    estimator = _restored(cls(**content["fields"]["parameters"]), content["fields"]["learned"], own)
    if scaled is None:
        return estimator
    others = {name.removeprefix(BEFORE): value for name, value in tensors.items() if name.startswith(BEFORE)}
    return behind_columns(_restored(make_scaler(scaled["scaling"]), scaled["learned"], others), estimator)


def _learned(estimator: BaseEstimator) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What an estimator learned: numbers and names, and arrays."""
    # Private ones too: `predict` of k-means and `transform` of minibatch NMF ask for theirs.
    fields = estimator.get_params(deep=False)
    learned = {name: value for name, value in vars(estimator).items() if name not in fields}
    numbers = {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in learned.items()
        if isinstance(value, int | float | str | np.number)
    }
    # ascontiguousarray would turn 0-d into 1-d, hence the reshape.
    tensors = {
        name: torch.from_numpy(np.ascontiguousarray(value)).reshape(value.shape)
        for name, value in learned.items()
        if isinstance(value, np.ndarray) and value.dtype.kind in "fiu"
    }
    return numbers, tensors


def _restored(estimator: Any, numbers: dict[str, Any], tensors: dict[str, Tensor]) -> Any:
    """The estimator with what it learned."""
    for name, value in numbers.items():
        setattr(estimator, name, value)
    for name, tensor in tensors.items():
        setattr(estimator, name, tensor.numpy())
    return estimator
