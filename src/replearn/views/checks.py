"""What views hold their fields and their batches to: one line each where it fails."""

import math

from jaxtyping import Float
from torch import Tensor

from replearn.data.content import as_float
from replearn.data.samples import Batch


def check_at_least(view: object, field: str, lowest: float) -> None:
    """Raise unless the number in `field` is finite and at least `lowest`."""
    value = getattr(view, field)
    if not (_is_number(value) and value >= lowest):
        raise ValueError(f"{field} of {type(view).__name__} must be at least {lowest:g}; got {value!r}.")


def check_whole(view: object, field: str, lowest: int) -> None:
    """Raise unless `field` holds a whole number that is at least `lowest`."""
    value = getattr(view, field)
    if not (isinstance(value, int) and value >= lowest):
        name = type(view).__name__
        raise ValueError(f"{field} of {name} must be a whole number, at least {lowest}; got {value!r}.")


def check_probability(view: object, field: str) -> None:
    """Raise unless the number in `field` is a probability."""
    value = getattr(view, field)
    if not (_is_number(value) and 0 <= value <= 1):
        raise ValueError(f"{field} of {type(view).__name__} is a probability, from 0 to 1; got {value!r}.")


def check_interval(view: object, low: str, high: str, lowest: float, highest: float) -> None:
    """Raise unless `lowest <= low <= high <= highest`, where `low` and `high` name fields."""
    a, b = getattr(view, low), getattr(view, high)
    if not (_is_number(a) and _is_number(b) and lowest <= a <= b <= highest):
        names = low if low == high else f"{low} <= {high}"
        came = repr(a) if low == high else f"{a!r} and {b!r}"
        name = type(view).__name__
        raise ValueError(f"{names} of {name} must lie from {lowest:g} to {highest:g}; got {came}.")


def images(batch: Batch, view: object) -> Float[Tensor, "n c h w"]:
    """The batch's images as floats in [0, 1].

    Raises:
        ValueError: if the batch holds something else.
    """
    if batch.x.ndim != 4:
        raise ValueError(
            f"{type(view).__name__} is a view of images, (n, c, h, w); got {tuple(batch.x.shape)}. "
            "Views of tables are Jitter, FeatureDrop and Swap."
        )
    return as_float(batch.x)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
