"""Views split a sample into what is seen and what is to be predicted; all randomness of data is here.

    View:  batch -> batch                 one view of every sample
    Split: batch -> (batch, batch, ...)   several views of every sample

Both are small frozen dataclasses that act on a whole batch on its device and draw a parameter per sample, in vector
form, from torch's global generator. Draws go through `uniform`, `normal` and `chance`, which draw for the joined
batch and keep this part's rows: a run spread over processes sees the views that one process would see.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from replearn.data.content import as_float, mixed
from replearn.data.samples import Batch, Samples


def in_full_precision(call: Callable[[Any, Batch], Any]) -> Callable[[Any, Batch], Any]:
    """`call`, outside of autocast: places and colours in bfloat16 would be off by a tenth of a pixel, or a shade."""

    @wraps(call)
    def called(self: Any, batch: Batch) -> Any:
        device = batch.labels.device.type
        if not torch.amp.autocast_mode.is_autocast_available(device):
            return call(self, batch)
        with torch.autocast(device, enabled=False):
            return call(self, batch)

    return called


class View(ABC):
    """One view of every sample of a batch, computed in full precision."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "__call__" in vars(cls):
            cls.__call__ = in_full_precision(cls.__call__)  # type: ignore[method-assign, assignment]

    @abstractmethod
    def __call__(self, batch: Batch) -> Batch: ...

    def fitted(self, samples: Samples) -> "View":
        """This view of such samples, with what it must know of them: itself, where that is nothing."""
        return self


class Split(ABC):
    """Several views of every sample of a batch."""

    @abstractmethod
    def __call__(self, batch: Batch) -> tuple[Batch, ...]: ...

    def fitted(self, samples: Samples) -> "Split":
        """These views of such samples, with what they must know of them: themselves, where that is nothing."""
        return self

    def wholes(self, views: tuple[Batch, ...]) -> tuple[Batch, ...]:
        """Those of its views that show (nearly) the whole sample: all of them, unless there are small crops."""
        return views


def alike(views: Sequence[Batch]) -> bool:
    """Whether there are several views and each sample is seen the same in all: nothing can be learned then."""
    first, *others = (view.x for view in views)
    if any(type(x) is not type(first) for x in others):
        return False
    if not isinstance(first, Tensor):  # texts
        return len(others) > 0 and all(x == first for x in others)
    return len(others) > 0 and all(x.shape == first.shape and torch.equal(x, first) for x in others)


def uniform(batch: Batch, *shape: int, low: float = 0.0, high: float = 1.0) -> Float[Tensor, "n ..."]:
    """Numbers in [low, high), `shape` of them for each sample of the batch."""
    drawn = torch.rand(batch.total or len(batch), *shape, device=batch.labels.device)
    return drawn[batch.start : batch.start + len(batch)] * (high - low) + low


def normal(batch: Batch, *shape: int) -> Float[Tensor, "n ..."]:
    """Standard normal numbers, `shape` of them for each sample of the batch."""
    drawn = torch.randn(batch.total or len(batch), *shape, device=batch.labels.device)
    return drawn[batch.start : batch.start + len(batch)]


def chance(batch: Batch, probability: float) -> Bool[Tensor, " n"]:
    """True with `probability`, drawn apart for each sample of the batch."""
    return uniform(batch) < probability


def uniform_of_elements(
    batch: Batch, of: Int[Tensor, " m"], place: Int[Tensor, " m"], *, columns: int = 1
) -> Float[Tensor, "m columns"]:
    """Numbers in [0, 1) for elements of which samples have unlike many: nodes, points, words.

    A seed is drawn for each sample of the joined batch, and an element's numbers follow from its sample's seed and its
    place alone. So processes and slices, which hold some of the samples, see what one process would see.

    Args:
        batch: the samples.
        of: the row of the batch that each element belongs to.
        place: the number of each element within its sample.
        columns: numbers for each element.

    >>> batch = Batch(None, labels=torch.tensor([0, 0]), index=torch.tensor([0, 1]))
    >>> of, place = torch.tensor([0, 0, 1]), torch.tensor([0, 1, 0])
    >>> uniform_of_elements(batch, of, place, columns=2).shape
    torch.Size([3, 2])
    """
    device = batch.labels.device
    seeds = torch.randint(2**62, (batch.total or len(batch),), device=device)
    own = seeds[batch.start : batch.start + len(batch)]
    return hashed(own[of], place, columns)


def hashed(
    seed: Int[Tensor, " #m"], place: Int[Tensor, " m"], columns: int = 1
) -> Float[Tensor, "m columns"]:
    """Numbers in [0, 1) that follow from a seed and a place alone."""
    numbers = place[:, None] * columns + torch.arange(columns, device=place.device)  # (m, columns)
    return (mixed(mixed(seed)[:, None] + numbers) >> 40 & (2**24 - 1)).float() / 2**24


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
