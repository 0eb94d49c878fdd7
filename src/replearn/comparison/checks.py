"""What can be known before anything is fitted: whether each method can learn from these samples."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import clone

from replearn.comparison.rows import unheard
from replearn.data import Samples
from replearn.engine.machine import random_state_kept
from replearn.methods.columns import Columns, rows_of
from replearn.methods.few import for_few
from replearn.methods.labelled.classifier import labelled_rows
from replearn.methods.labelled.semi_supervised import SemiSupervised
from replearn.methods.model import Model

SIZES = (
    "n_components",
    "n_clusters",
    "n_neighbors",
    "perplexity",
)  # which scikit-learn holds against the samples
FEW = 64  # samples by which an estimator of scikit-learn is tried


def check_methods(methods: Mapping[str, Any], samples: Samples, columns: Columns | None = None) -> None:
    """Make the networks of each method; fit scikit-learn's estimators to a few samples, for one step where steps count.

    Raises:
        ValueError: one of the methods can't learn from these samples; its name, and why.
    """
    for name, method in methods.items():
        check_hidden(name, method, samples)
        try:
            if isinstance(method, Model):
                with unheard():
                    clone(method).prepare(samples)
            else:
                _try_out(method, samples, columns)
        except ValueError as error:
            raise ValueError(f"{name} can't learn from these samples; nothing was fitted. {error}") from error


def check_hidden(name: str, method: Any, samples: Samples) -> None:
    """Raises ValueError where a method learns from samples without labels, too, and all have one."""
    if isinstance(method, SemiSupervised) and len(labelled_rows(samples)) == len(samples):
        raise ValueError(
            f"{name} must see samples without a label, too; all {len(samples):,} have one: nothing was fitted. "
            "Hide some from all methods: --labelled 80 (in Python labelled=80) leaves 80."
        )


def _try_out(method: Any, samples: Samples, columns: Columns | None) -> None:
    with unheard():
        method = for_few(method, len(samples))
    given = method.get_params(deep=False)
    sizes = [given[name] for name in SIZES if isinstance(given.get(name), int | float)] or [0]
    few = min(len(samples), max(FEW, *(4 * int(size) for size in sizes)))
    try:
        _fit(method, samples.subset(np.arange(few)), columns)
    except ValueError:
        if few == len(samples):
            raise
        _fit(method, samples, columns)  # what is wrong may have been that they are few


def _fit(method: Any, samples: Samples, columns: Columns | None) -> None:
    tried = clone(method)
    fields = tried.get_params(deep=False)
    if "max_iter" in fields and hasattr(tried, "transform"):
        tried.set_params(max_iter=1)
    if "random_state" in fields:  # or numpy's own would be drawn from
        tried.set_params(random_state=0)
    with random_state_kept(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that one step does not converge
        tried.fit(rows_of(samples, columns))
