"""Large batches in the memory of small ones: encoders work in slices whose activations are computed again.

Contrast needs the embeddings of the whole batch at once, but not the activations behind them. Each slice runs
forward without keeping activations, and runs again when its gradient comes: the gradient is that of the whole
batch, exactly (GradCache; Gao et al., 2021, https://arxiv.org/abs/2101.06983). Batch normalisation sees a
slice, not the batch: its statistics are those of slices, as on a machine that can't hold more. For the
gradient of the whole batch use an encoder without it.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from replearn.data.samples import Batch
from replearn.encoders.base import Encoder

Forward = Callable[[Batch], Tensor]


@contextmanager
def in_slices(module: nn.Module, size: int | None) -> Iterator[None]:
    """While entered, all encoders in `module` work in slices of `size` samples; None changes nothing."""
    if size is None:
        yield
        return
    encoders = [part for part in module.modules() if isinstance(part, Encoder)]
    for encoder in encoders:
        encoder.forward = partial(_forward, encoder, encoder.forward, size)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for encoder in encoders:
            del encoder.forward


def _forward(encoder: Encoder, whole: Forward, size: int, batch: Batch) -> Tensor:
    if len(batch) <= size or not torch.is_grad_enabled():
        return whole(batch)
    number = math.ceil(len(batch) / size)
    # Even slices: a last one of a single sample would have no batch statistics.
    bounds = [len(batch) * i // number for i in range(number + 1)]
    slices = [batch.rows(start, stop) for start, stop in pairwise(bounds)]
    return torch.cat([_again(encoder, whole, rows) for rows in slices])  # (n, dim)


def _again(encoder: Encoder, whole: Forward, batch: Batch) -> Tensor:
    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), buffers_kept(encoder)

    return checkpoint(whole, batch, use_reentrant=False, context_fn=contexts)


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
