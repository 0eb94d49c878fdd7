"""scikit-learn's estimators in a comparison: fitted on rows, or read from a run folder."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.decomposition import PCA

from replearn.data import Samples
from replearn.engine.run import METHOD, read_json
from replearn.methods.columns import Columns, bare, behind_columns, columns_before, rows_of, scaling_of
from replearn.methods.load import load

log = logging.getLogger("replearn")


def fit_arrays(method: Any, *parts: Samples, columns: Columns | None) -> Any:
    """scikit-learn's estimator fitted on the rows of samples; one that takes rows as they come."""
    rows = [rows_of(part, columns) for part in parts]
    fitted = method.fit(np.concatenate(rows) if len(rows) > 1 else rows[0])
    if isinstance(fitted, PCA) and not fitted.whiten and fitted.n_components_ == rows[0].shape[1]:
        log.info(
            "PCA keeps all %d directions, so that its scores are nearly those of raw input; n_components keeps fewer",
            fitted.n_components_,
        )
    return behind_columns(columns, fitted)


def stored_arrays(method: Any, samples: Samples, run: Path, columns: Columns | None = None) -> Any:
    """scikit-learn's estimator in a run folder, or None where there is none yet.

    Raises:
        ValueError: it is of another class, or has other parameters, samples or scaling of columns.
    """
    if not (run / METHOD).exists():
        return None
    found, content = load(run), read_json(run / METHOD)
    before, now = scaling_of(columns_before(found)), scaling_of(columns)
    if before != now:
        raise ValueError(
            f"a run is resumed with the scaling of columns it began with; {run} has {before!r}, this is {now!r}. "
            f"Give --scaling {before}, or choose another folder."
        )
    stored = bare(found)
    same = type(stored) is type(method) and stored.get_params(deep=False) == method.get_params(deep=False)
    if not same or content["samples"]["fingerprint"] != samples.fingerprint():
        raise ValueError(
            f"a run is resumed with the method, parameters and samples it began with; {run} holds {stored}, "
            f"and this is {method} on {len(samples)} samples. Choose another folder."
        )
    return found
