"""Views split a sample into what is seen and what is to be predicted; all randomness of data is here.

    View:  batch -> batch                 one view of every sample
    Split: batch -> (batch, batch, ...)   several views of every sample

Both are small frozen dataclasses that act on a whole batch on its device and draw a parameter per sample, in vector
form, from torch's global generator. Draws go through `uniform`, `normal` and `chance`, which draw for the joined
batch and keep this part's rows: a run spread over processes sees the views that one process would see.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from replearn.data.content import mixed
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
