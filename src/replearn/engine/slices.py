"""Large batches in the memory of small ones: views and encoders work in slices; activations are computed again.

Contrast needs the embeddings of the whole batch at once, but not the activations behind them. Each slice runs
forward without keeping activations, and runs again when its gradient comes: the gradient is that of the whole
batch, exactly (GradCache; Gao et al., 2021, https://arxiv.org/abs/2101.06983). Batch normalisation sees a
slice, not the batch: its statistics are those of slices, as on a machine that can't hold more. For the
gradient of the whole batch use an encoder without it. Views of tensors are made slice by slice, too: they draw
for the joined batch, so they are the same. They are all that must be held at once; where networks compute in 16
bits, they are held in 16, too, which is exact to a sixteenth of a grey level.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from replearn.data.samples import Batch, Samples
from replearn.encoders.base import Encoder, Want
from replearn.engine.machine import choose
from replearn.views import Split

Read = Callable[..., Any]
# Elements (nodes, points) of a slice: about 600 MB of activations in a network of three layers of 32, by arithmetic.
MOST = 2**17


@contextmanager
def in_slices(module: nn.Module, size: int | None, *, capped: bool = False) -> Iterator[None]:
    """While entered, all encoders in `module` work in slices of `size` samples, or of `MOST` elements at most.

    Args:
        module: what holds the encoders.
        size: None: there is no limit on samples.
        capped: whether slices are limited by what samples hold; else None as `size` changes nothing.
    """
    if size is None and not capped:
        yield
        return
    encoders = [part for part in module.modules() if isinstance(part, Encoder)]
    for encoder in encoders:
        encoder.read = partial(_read, encoder, encoder.read, size, capped)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for encoder in encoders:
            del encoder.read


@contextmanager
def views_in_slices(learner: Any, size: int | None) -> Iterator[None]:
    """While entered, a method's views are made for `size` samples at a time; None changes nothing."""
    whole = getattr(learner, "views_", None)
    if size is None or not isinstance(whole, Split):
        yield
        return
    narrow = "32" not in choose(learner.device, learner.precision).precision
    learner.views_ = Sliced(whole, size, torch.float16 if narrow else None)
    try:
        yield
    finally:
        learner.views_ = whole


@dataclass(frozen=True)
class Sliced(Split):
    """A split whose views are made in slices, each with the draws of the whole batch.

    Rows of tables are seen whole, since they may take each other's numbers, and so is content that is no tensor: it can
    be parted and not joined, and takes less memory than what networks make of it.

    Attributes:
        dtype: of the numbers that are held of images, which lie in [0, 1]; None: that of the views.
    """

    split: Split
    size: int
    dtype: torch.dtype | None = None

    def __call__(self, batch: Batch) -> tuple[Batch, ...]:
        if not isinstance(batch.x, Tensor) or batch.x.ndim < 3 or len(batch) <= self.size:
            return self.split(batch)
        whole: list[Batch] = []
        dtype = self.dtype if batch.x.ndim == 4 else None
        drawn = _random_state(batch.x.device)
        for start in range(0, len(batch), self.size):
            _set_random_state(batch.x.device, drawn)
            part = batch.rows(start, min(start + self.size, len(batch)))
            views = self.split(part)
            whole = whole or [_room(view, len(batch), len(part), dtype) for view in views]
            for into, view in zip(whole, views, strict=True):
                first = start * len(view) // len(part)  # a view may have several rows of a sample
                for name in ("x", "labels", "index"):
                    getattr(into, name)[first : first + len(view)] = getattr(view, name)
        return tuple(whole)

    def wholes(self, views: tuple[Batch, ...]) -> tuple[Batch, ...]:
        return self.split.wholes(views)


def _room(view: Batch, samples: int, seen: int, dtype: torch.dtype | None) -> Batch:
    """An empty batch for a view of all samples, like that of the first `seen` ones."""
    x, labels, index = (
        part.new_empty(len(part) * samples // seen, *part.shape[1:], dtype=kind)
        for part, kind in ((view.x, dtype), (view.labels, None), (view.index, None))
    )
    return replace(view, x=x, labels=labels, index=index)


def _random_state(device: torch.device) -> Tensor:
    return torch.get_rng_state() if device.type == "cpu" else torch.get_device_module(device).get_rng_state()


def _set_random_state(device: torch.device, state: Tensor) -> None:
    if device.type == "cpu":
        torch.set_rng_state(state)
    else:
        torch.get_device_module(device).set_rng_state(state)


def _read(
    encoder: Encoder,
    whole: Read,
    size: int | None,
    capped: bool,
    batch: Any,
    want: Want = "pooled",
    *,
    token: Tensor | None = None,
    **places: Tensor | None,
) -> Any:
    counts = getattr(getattr(batch, "x", batch), "counts", None) if capped else None
    few = (size is None or len(batch) <= size) and (counts is None or int(counts.sum()) <= MOST)
    if few or not torch.is_grad_enabled():
        return whole(batch, want, token=token, **places)
    # Sequences are filled up before they are parted, or slices would be of unlike lengths.
    rows = encoder.standardise(batch) if encoder.sequential else batch
    bounds = parted(len(rows), size, None if counts is None else counts.cpu().numpy())
    found = [
        _again(
            encoder,
            partial(
                whole,
                token=token,
                **{name: x if x is None else x[slice(*bound)] for name, x in places.items()},
            ),
            _part(rows, *bound),
            want,
        )
        for bound in pairwise(bounds)
    ]
    if want in ("layers", "maps"):
        return [torch.cat(layer) for layer in zip(*found, strict=True)]
    return torch.cat(found)  # (n, ...)


def parted(n: int, size: int | None, counts: Int[np.ndarray, " n"] | None = None) -> list[int]:
    """Where slices of n samples begin and end: few and even ones, for a last one of a single sample has no statistics.

    Args:
        n: samples.
        size: samples of a slice at most; None: no limit.
        counts: elements of each sample; slices are even in them, and hold `MOST` at most, or one sample.

    >>> parted(10, 4), parted(4, None, np.array([9, 1, 1, 1]))
    ([0, 3, 6, 10], [0, 4])
    """
    size = size or n
    if counts is None:
        number = math.ceil(n / size)
        return [n * i // number for i in range(number + 1)]
    ends = counts.cumsum()
    for number in range(max(math.ceil(n / size), math.ceil(ends[-1] / MOST)), n):
        # A sample lies where its middle does.
        cuts = np.searchsorted((2 * ends - counts) * number, 2 * ends[-1] * np.arange(1, number))
        bounds = np.unique([0, *cuts.tolist(), n])
        held = np.diff(np.concatenate([[0], ends])[bounds])
        if ((held <= MOST) | (np.diff(bounds) == 1)).all() and (np.diff(bounds) <= size).all():
            return [int(bound) for bound in bounds]
    return [*range(n + 1)]


def too_many(samples: Samples, rows: int) -> int:
    """How many elements the largest samples hold together, of as many as a batch has, if these are more than `MOST`."""
    if samples.elements is None:
        return 0
    held = int(np.sort(samples.elements)[-rows:].sum())
    return held if held > MOST else 0


def _part(rows: Any, start: int, stop: int) -> Any:
    return rows[start:stop] if isinstance(rows, Tensor) else rows.rows(start, stop)


def _again(encoder: Encoder, whole: Read, rows: Any, want: Want) -> Any:
    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), EachTime(partial(buffers_kept, encoder))

    return checkpoint(whole, rows, want, use_reentrant=False, context_fn=contexts)


class EachTime(AbstractContextManager[None]):
    """A context made anew whenever it is entered: a slice runs again for each gradient that is taken of it."""

    def __init__(self, make: Callable[[], AbstractContextManager[None]]) -> None:
        self.make = make

    def __enter__(self) -> None:
        self.now = self.make()
        self.now.__enter__()

    def __exit__(self, *error: Any) -> bool | None:
        return self.now.__exit__(*error)


@contextmanager
def buffers_kept(module: nn.Module) -> Iterator[None]:
    """While entered, `module` works on copies of its buffers: a slice's second run must not count."""
    kept = [
        (part, name, value)
        for part in module.modules()
        for name, value in part._buffers.items()
        if value is not None
    ]
    for part, name, value in kept:
        part._buffers[name] = value.clone()
    try:
        yield
    finally:
        for part, name, value in kept:
            part._buffers[name] = value
