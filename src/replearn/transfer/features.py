"""What a head reads of an encoder: states of its layers, of whole samples or of their tokens; fresh, or kept.

batch --encoder--> layers --pooled, where samples are asked for--> Features --head--> answers
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from replearn.data import Batch, Samples
from replearn.encoders import Encoder, TextEncoder, Tokens
from replearn.transfer.ragged import Ragged, ragged
from replearn.transfer.reading import Inputs

Pooling = Literal["auto", "mean", "first", "last", "mixture"]
MIXTURE = "mixture"


@dataclass(frozen=True, eq=False)
class Features:
    """What a head reads of some samples.

    Attributes:
        x: `(n, l, d)` of samples, `(n, l, 2, d)` of pairs whose texts are read apart, `(n, l, t, d)` of tokens; `l`
            layers, 1 where only the last counts.
        mask: of tokens, False where a text has ended; else None.
    """

    x: Float[Tensor, "n l *k d"]
    mask: Bool[Tensor, "n t"] | None = None

    def to(self, device: torch.device | str) -> "Features":
        """The same on `device`."""
        mask = None if self.mask is None else self.mask.to(device)
        return replace(self, x=self.x.to(device), mask=mask)


def features_of(encoder: Encoder, batch: Batch, *, mixed: bool, tokenwise: bool) -> Features:
    """What the head reads of a batch.

    Args:
        encoder: of texts, where tokens or pairs are asked for.
        batch: samples, tokens, or features that were kept.
        mixed: whether all layers are asked for.
        tokenwise: whether each token's states are.
    """
    if isinstance(batch.x, Features):
        return batch.x
    if not isinstance(batch.x, Inputs) and not mixed:
        return Features(encoder(batch)[:, None])
    if not isinstance(batch.x, Inputs) and not isinstance(encoder, TextEncoder):
        return Features(torch.stack(encoder.layers(batch), 1))  # (n, l, d)
    assert isinstance(encoder, TextEncoder)
    sides = batch.x.sides if isinstance(batch.x, Inputs) else 1
    tokens = _tokens(encoder, batch)
    chosen = encoder.read(tokens, "layers") if mixed else [encoder.read(tokens, "states")]
    if tokenwise:
        return Features(torch.stack(chosen, 1), tokens.mask)  # (n, l, t, d)
    x = torch.stack([encoder.pool(layer, tokens) for layer in chosen], 1)  # (n * sides, l, d)
    if sides == 1:
        return Features(x)
    return Features(x.view(len(batch), sides, *x.shape[1:]).transpose(1, 2))  # (n, l, 2, d)


class FeatureSamples(Samples):
    """Samples as the features of a network that learns no more.

    Args:
        rows: of each sample, or with a row per token.
        tokenwise: which of both.
        kind: of the samples.
    """

    shape = ()

    def __init__(self, rows: np.ndarray | Ragged, *, kind: str) -> None:
        self.rows = rows
        self.kind = kind

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: np.ndarray) -> Batch:
        where = torch.from_numpy(np.asarray(index, dtype=np.int64))
        if isinstance(self.rows, Ragged):
            x = Features(self.rows[index].transpose(1, 2), self.rows.mask(index))  # (n, l, t, d)
        else:
            x = Features(torch.from_numpy(self.rows[index]))
        return Batch(x=x, labels=torch.full_like(where, -1), index=where)


def kept_features(rows: list[np.ndarray], lengths: np.ndarray | None, *, kind: str) -> FeatureSamples:
    """Samples of features: `(l, ..., d)` each, or `(l, t, d)` of which the first `lengths` tokens count."""
    if lengths is None:
        return FeatureSamples(np.stack(rows), kind=kind)
    tokens = [row[:, :length].swapaxes(0, 1) for row, length in zip(rows, lengths, strict=True)]  # (t, l, d)
    return FeatureSamples(ragged(tokens), kind=kind)


def _tokens(encoder: TextEncoder, batch: Batch) -> Tokens:
    """A batch as the encoder reads it; both texts of a pair that are read apart as rows of their own."""
    if not isinstance(batch.x, Inputs):
        return encoder.standardise(batch)
    inputs = batch.x
    flat = inputs.ids.flatten(0, -2), inputs.mask.flatten(0, -2)  # (n * sides, t)
    total = None if batch.total is None else batch.total * inputs.sides
    start = batch.start * inputs.sides
    return encoder.vocabulary.tokens(*flat, start, total, inputs.types, others=inputs.others)
