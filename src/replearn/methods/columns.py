"""Columns of a table in one unit, for what does not see to that itself: raw rows, and scikit-learn's estimators.

    table --less the mean, over the deviation--> columns of one unit --estimator--> h

Networks standardise columns by themselves. An estimator that was fitted on scaled columns is scikit-learn's own
`Pipeline` of the scaler and the estimator, so that it takes rows as they come.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float
from sklearn.decomposition import NMF, MiniBatchNMF
from sklearn.neural_network import BernoulliRBM
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from replearn.data import Samples
from replearn.data.kinds import KINDS

Columns: TypeAlias = StandardScaler | MinMaxScaler

SCALINGS = ("auto", "standard", "range", "none")
IN_WORDS = {
    "standard": "columns standardised by the training part's means and deviations",
    "range": "columns brought into [0, 1] by the training part's least and largest numbers, and cut off there",
    "none": "columns as they come",
}
BOUNDED = (NMF, MiniBatchNMF, BernoulliRBM)  # learn from no numbers below 0
STEPS = ("columns", "method")


def scaling_for(scaling: str, samples: Samples, methods: Iterable[Any] = ()) -> str:
    """`standard`, `range` or `none`, of what was asked for.

    `auto` is `standard` for tables, `range` where one of the methods learns from no numbers below 0, and `none` for
    all other kinds.

    Raises:
        ValueError: the name is unknown, or the samples are no table.
    """
    if scaling not in SCALINGS:
        near = get_close_matches(str(scaling), SCALINGS, n=1, cutoff=0.0)[0]
        raise ValueError(
            f"scaling must be one of {', '.join(SCALINGS)}; got {scaling!r}. Did you mean {near!r}?"
        )
    if not KINDS[samples.kind].scaled:
        if scaling in ("standard", "range"):
            raise ValueError(
                f"scaling is of a table's columns; got {scaling!r} for samples of kind {samples.kind}. Leave it out."
            )
        return "none"
    if scaling != "auto":
        return scaling
    return "range" if any(isinstance(method, BOUNDED) for method in methods) else "standard"


def learn_columns(scaling: str, samples: Samples) -> Columns | None:
    """What brings columns into one unit, learned from the samples; None for `none`."""
    if scaling == "none":
        return None
    return make_scaler(scaling).fit(samples.flat())


def make_scaler(scaling: str) -> Columns:
    """scikit-learn's scaler, not yet fitted."""
    return StandardScaler() if scaling == "standard" else MinMaxScaler(clip=True)


def scaling_of(columns: Columns | None) -> str:
    """`standard`, `range` or `none`."""
    if columns is None:
        return "none"
    return "range" if isinstance(columns, MinMaxScaler) else "standard"


def rows_of(samples: Samples, columns: Columns | None) -> Float[np.ndarray, "n d"]:
    """Samples as rows of numbers, of a table in columns of one unit."""
    rows = samples.flat()
    return rows if columns is None else np.asarray(columns.transform(rows))


def behind_columns(columns: Columns | None, method: Any) -> Any:
    """A fitted estimator that takes rows as they come: the scaler, and `method`, which learned from scaled rows."""
    if columns is None:
        return method
    return Pipeline(list(zip(STEPS, (columns, method), strict=True)))


def columns_before(method: Any) -> Columns | None:
    """The scaler of `behind_columns`, None where there is none."""
    return method[0] if _is_behind_columns(method) else None


def columns_beside(method: Any, samples: Samples) -> Columns | None:
    """The scaler for rows that are judged beside a fitted method: as the method's own, learned from these samples.

    That of an estimator which was fitted on columns as they come is None; a network's is `standard`.
    """
    own = scaling_of(columns_before(method))
    asked = "auto" if own == "none" and hasattr(method, "samples_") else own
    return learn_columns(scaling_for(asked, samples), samples)


def bare(method: Any) -> Any:
    """The estimator in `behind_columns`; any other method as it is."""
    return method[1] if _is_behind_columns(method) else method


def _is_behind_columns(method: Any) -> bool:
    return isinstance(method, Pipeline) and tuple(name for name, _ in method.steps) == STEPS
