"""Defaults that ask for more than few samples have: they become what there is, and a line says so.

What a caller gave is never changed: where it is too much, it is refused.
"""

import inspect
import logging
from dataclasses import fields
from typing import Any

from sklearn.base import clone

log = logging.getLogger("replearn")

CLUSTERS, PERPLEXITY = "n_clusters", "perplexity"  # scikit-learn's parameters that samples bound


def at_most(method: Any, field: str, most: int, what: str, *, heard: bool = True) -> int:
    """The value of a field that counts something; where its default is above `most`, that.

    Args:
        method: a dataclass.
        field: of it.
        most: that the data allow.
        what: completes "between 1 and `most`".
        heard: whether the log says that a default was too much.

    Raises:
        ValueError: the value is below 1, or is no default and above `most`.
    """
    value = int(getattr(method, field))
    default = next(one.default for one in fields(method) if one.name == field)
    if most < 1:
        raise ValueError(f"{field} must be counted among {what}; there are none. Give other samples.")
    if value < 1 or (value > most and value != default):
        raise ValueError(f"{field} must lie between 1 and the {most} {what}; got {value}. Choose fewer.")
    if value > most and heard:
        log.info("%s is %d, the %s, since there are no more; the default is %d", field, most, what, value)
    return min(value, most)


def for_few(estimator: Any, n: int) -> Any:
    """scikit-learn's estimator for n samples: with fewer clusters, or a lower perplexity, where the defaults ask for
    more.

    Returns:
        The estimator, or a clone where a default was too much.

    Raises:
        ValueError: nothing would be left of a sample.
    """
    given = estimator.get_params(deep=False)
    if given.get("n_components") == 0:
        raise ValueError(
            "n_components must be at least 1; got 0, which leaves nothing of a sample. Choose more."
        )
    known = inspect.signature(type(estimator)).parameters
    bounds = {CLUSTERS: n, PERPLEXITY: max(1.0, (n - 1) / 3)}
    too_much = {
        name: bound
        for name, bound in bounds.items()
        if name in given and given[name] == known[name].default and given[name] > bound
    }
    if PERPLEXITY in too_much and given[PERPLEXITY] < n:  # scikit-learn takes it
        del too_much[PERPLEXITY]
    for name, bound in too_much.items():
        log.info("%s is %.4g, since there are %d samples; the default is %g", name, bound, n, given[name])
    return clone(estimator).set_params(**too_much) if too_much else estimator
