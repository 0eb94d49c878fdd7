"""Large batches in the memory of small ones: encoders work in slices whose activations are computed again.

Contrast needs the embeddings of the whole batch at once, but not the activations behind them. Each slice runs forward
without keeping activations, and runs again when its gradient comes: the gradient is that of the whole batch, exactly
(GradCache; Gao et al., 2021, https://arxiv.org/abs/2101.06983). Batch normalisation sees a slice, not the batch:
for gradients equal to the last bit of theory use an encoder without it.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from replearn.data.samples import Batch
from replearn.encoders.base import Encoder


@contextmanager
def in_slices(module: nn.Module, size: int | None) -> Iterator[None]:
    """While entered, all encoders in `module` work in slices of `size` samples; None changes nothing."""
    encoders = [part for part in module.modules() if isinstance(part, Encoder)] if size else []
    for encoder in encoders:
        encoder.forward = partial(_forward, encoder, encoder.forward, size)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for encoder in encoders:
            del encoder.forward


def _forward(encoder: Encoder, whole: Any, size: int, batch: Batch) -> Tensor:
    if len(batch) <= size or not torch.is_grad_enabled():
        return whole(batch)  # type: ignore[no-any-return]
    starts = range(0, len(batch), size)
    return torch.cat([_again(encoder, whole, batch.rows(start, start + size)) for start in starts])  # (n, dim)


def _again(encoder: Encoder, whole: Any, batch: Batch) -> Tensor:
    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _running_statistics_kept(encoder)

    return checkpoint(whole, batch, use_reentrant=False, context_fn=contexts)  # type: ignore[no-any-return]


@contextmanager
def _running_statistics_kept(module: nn.Module) -> Iterator[None]:
    """The second run of a slice must not count twice in running statistics."""
    layers = [part for part in module.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    before = [(layer.momentum, layer.num_batches_tracked) for layer in layers]
    for layer in layers:
        layer.momentum = 0.0
    try:
        yield
    finally:
        for layer, (momentum, tracked) in zip(layers, before, strict=True):
            layer.momentum = momentum
            if tracked is not None:
                tracked.sub_(1)
