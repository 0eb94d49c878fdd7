"""What networks say of samples, one by one: the longest last, so that little is filled up."""

from collections.abc import Callable, Iterable

import numpy as np
from jaxtyping import Int
from torch import Tensor, nn

from replearn.data import Batch, Samples, TextSamples
from replearn.engine.embed import embed_parts
from replearn.engine.machine import Machine
from replearn.transfer.reading import TokenSamples

ROWS = 64  # samples at a time


def predict_rows(
    say: Callable[[Batch], Tensor],
    modules: Iterable[nn.Module],
    samples: Samples,
    machine: Machine,
    *,
    index: Int[np.ndarray, " n"],
) -> list[np.ndarray]:
    """What `say` says of each of the samples at `index`, in this order; of tokens, filled up as they were in a batch.

    `Batch.index` counts within `samples`.
    """
    order = np.argsort(lengths_of(samples)[index], kind="stable")
    sorted_index = index[order]

    def placed(batch: Batch) -> Tensor:
        return say(
            Batch(batch.x, batch.labels, batch.index.new_tensor(sorted_index[batch.index.cpu().numpy()]))
        )

    rows: list[np.ndarray] = [np.empty(0)] * len(index)
    at = 0
    for part in embed_parts(placed, list(modules), samples.subset(sorted_index), machine, rows=ROWS):
        for row in part:
            rows[order[at]] = row
            at += 1
    return rows


def lengths_of(samples: Samples) -> Int[np.ndarray, " n"]:
    """How long samples are, in tokens or characters; all alike where they have no length."""
    if isinstance(samples, TokenSamples):
        return samples.lengths
    if isinstance(samples, TextSamples):
        return np.array([len(text) for text in samples.texts], dtype=np.int64)
    return np.zeros(len(samples), dtype=np.int64)
