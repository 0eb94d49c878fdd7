"""Checks at the door of `fit` and `transform`: each says what must hold, what came and what to do."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from jaxtyping import Float

from replearn.data import Description, Samples, read_alike
from replearn.data.kinds import KINDS
from replearn.data.processes import process, processes
from replearn.engine.optimizers import OPTIMIZERS
from replearn.methods.needs import kinds_served, lacking
from replearn.methods.outline import Outline, Training
from replearn.views import Split, View
from replearn.views.kinds import VIEWS
from replearn.views.written import given_views

log = logging.getLogger("replearn")


def check_fields(method: Training) -> None:
    """Raises ValueError where a field can't work."""
    name = type(method).__name__
    for field in ("epochs", "accumulate", "slice_size"):
        value = getattr(method, field)
        if value is not None and value < 1:
            raise ValueError(f"{field} must be at least 1; got {value}. Leave it out for the default.")
    for field in ("learning_rate", "max_minutes"):
        value = getattr(method, field)
        if value is not None and not value > 0:
            raise ValueError(f"{field} must be greater than 0; got {value}. Leave it out for the default.")
    for field in ("checkpoint_minutes", "weight_decay"):
        if getattr(method, field) < 0:
            raise ValueError(
                f"{field} must not be negative; got {getattr(method, field)}. Leave it out for the default."
            )
    if not 0 <= method.warmup < 1:
        raise ValueError(
            f"warmup is a share of training and must lie in [0, 1); got {method.warmup}. Try 0.1."
        )
    if method.optimizer not in OPTIMIZERS:
        raise ValueError(f"optimizer must be one of {', '.join(OPTIMIZERS)}; got {method.optimizer!r}.")
    if method.batch_size < method.smallest_batch:
        why = f", since {method.why_not_smaller}" if method.why_not_smaller else ""
        instead = f"Use {method.for_smaller}." if method.for_smaller else "Raise it."
        raise ValueError(
            f"batch_size must be at least {method.smallest_batch} for {name}{why}; got {method.batch_size}. {instead}"
        )
    if method.batch_size % processes():
        raise ValueError(
            f"batch_size must be a multiple of the number of processes, {processes()}; got {method.batch_size}."
        )
    if method.fsdp:
        check_fsdp(method)


def check_fsdp(method: Training) -> None:
    """Raises ValueError where parameters can't be sharded over processes."""
    if processes() == 1:
        raise ValueError(
            "fsdp shards parameters over processes and needs two or more; there is one. Start them by `torchrun "
            "--nproc-per-node 2 -m -- replearn fit ...`, or leave fsdp out."
        )
    if method.compile:
        raise ValueError("fsdp and compile must not be asked for together; got both. Leave one of them out.")
    if method.precision == "16-mixed":
        raise ValueError(
            "fsdp must have gradients that need no scaling; got precision 16-mixed. Use bf16-mixed, or 32-true."
        )


def check_refused(method: Outline, samples: Samples) -> None:
    """Raises ValueError where a field is given that would do nothing for this method, or as its other fields are."""
    for name, reason in {**method.idle(samples), **method.refused}.items():
        value = getattr(method, name)
        if value not in (type(method).__dataclass_fields__[name].default, "32-true"):
            raise ValueError(
                f"{name} must be left out for {type(method).__name__}, since {reason}; got {value!r}."
            )


def check_views(method: Any, wanted: type[Split], what: str) -> None:
    """Raises ValueError where a method is given other views than it can learn by.

    Args:
        method: with a field `views`.
        wanted: class of the views that it needs.
        what: they do, as the message says it.
    """
    given = given_views(method.views)
    if isinstance(given, View | Split) and not isinstance(given, wanted):
        raise ValueError(
            f"{type(method).__name__} needs {what}, {wanted.__name__}(...); got {method.views!r}. Give such views, or "
            "leave them out."
        )


def check_seed(random_state: int) -> None:
    """Raises ValueError where this is no seed."""
    if random_state < 0:
        raise ValueError(
            f"random_state must not be negative; got {random_state}. Leave it out for the default."
        )


def check_samples(method: Outline, samples: Samples) -> None:
    """Raises ValueError where a method can't learn from samples like these."""
    name = type(method).__name__
    missing = lacking(method, samples.kind)
    if missing == {method.split} and not VIEWS[samples.kind].presets:
        raise ValueError(
            f"{name} must be given views of samples of kind {samples.kind}, of which there are no default ones. Pass "
            "views=Pair(...), or the like."
        )
    if missing:
        raise ValueError(
            f"{name} learns from samples of kind {' or '.join(kinds_served(type(method)))}; got {samples.kind}. "
            "`replearn list` tells which method takes which kind; kind= (--kind) has data read as one."
        )
    if method.needs_labels and not method.has_labels(samples):
        raise ValueError(
            f"{name} needs labels of at least two classes; got fewer. Pass y, name the labels (--labels), or choose "
            "another method."
        )


def check_batch_size(method: Training, n: int) -> None:
    """Raises ValueError where the n samples are fewer than the method's smallest batch."""
    if min(method.batch_size, n // processes() * processes()) < max(1, method.smallest_batch):
        raise ValueError(
            f"{type(method).__name__} must have at least {max(processes(), method.smallest_batch)} samples for a "
            f"batch; got {n}. Give more samples."
        )


@contextmanager
def fitting_batches(method: Training, n: int) -> Iterator[None]:
    """While entered, `batch_size` is at most the n samples there are, which the log says; then as given again.

    Raises:
        ValueError: there are fewer samples than in the method's smallest batch.
    """
    check_batch_size(method, n)
    asked, most = method.batch_size, n // processes() * processes()
    if asked <= most:
        yield
        return
    if process() == 0:
        log.info("batches of %d samples, since there are no more; batch_size is %d", most, asked)
    method.batch_size = most
    try:
        yield
    finally:
        method.batch_size = asked


def samples_like_fit(method: Outline, X: Any) -> Samples:
    """The samples in `X`, read as those of `fit` were: see `replearn.data.read_alike`.

    Raises:
        ValueError: they are of another kind or shape, and nothing plain makes them alike.
    """
    samples = read_alike(X, method.samples_)
    check_same_kind(method, samples)
    return samples


def read_the_same(own: Description, given: Description | Samples) -> bool:
    """Whether samples of one description are, as they are, what a method fitted on samples of another reads: they
    have one kind and shape, one scale of levels, and columns that became numbers alike."""
    own_columns, columns = (None if one.reading is None else one.reading.to_json() for one in (own, given))
    alike: bool = (own.kind, own.shape, own.levels) == (given.kind, given.shape, given.levels)
    return alike and own_columns == columns


def check_codes(codes: Any, dim: int) -> Float[np.ndarray, "n d"]:
    """Codes as an array of numbers, rows of `dim`.

    Raises:
        ValueError: they are of another shape, no numbers, or not finite.
    """
    array = np.asarray(codes.detach().cpu() if hasattr(codes, "detach") else codes)
    if array.ndim != 2 or array.shape[1] != dim:
        raise ValueError(
            f"codes must be rows of {dim} numbers, (n, {dim}), as transform returns them; got shape {array.shape}. "
            "Give a row in brackets, [row]."
        )
    if array.dtype.kind not in "biuf":
        raise ValueError(f"codes must be numbers; got dtype {array.dtype}. Give what transform returns.")
    wrong = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if len(wrong):
        raise ValueError(
            f"codes must be finite; got NaN or infinity in {len(wrong)} of {len(array)} (first: row {wrong[0]}). "
            "Drop these rows."
        )
    return array if array.dtype.kind == "f" else array.astype(np.float32)


def check_drawn(n: int, name: str = "n") -> None:
    """Raises ValueError where this is no number of samples, or of steps, to draw."""
    if n < 1:
        raise ValueError(f"{name} must be at least 1; got {n}. Ask for more.")


def check_same_kind(method: Outline, samples: Samples) -> None:
    """Raises ValueError where the samples are not like those of `fit`."""
    expected = method.samples_
    if samples.kind == expected.kind and KINDS[samples.kind].scaled and samples.shape != expected.shape:
        raise ValueError(  # in scikit-learn's words, which its own tools look for
            f"X has {samples.shape[0]} features, but {type(method).__name__} is expecting {expected.shape[0]} features "
            "as input: samples must be like those of fit. Give the same columns, or fit on these."
        )
    if (samples.kind, samples.shape) != (expected.kind, expected.shape):
        raise ValueError(
            f"samples must be like those of fit, {expected.kind} of shape {expected.shape}; "
            f"got {samples.kind} of shape {samples.shape}. Resize them (image_size=...) or fit on samples like these."
        )
