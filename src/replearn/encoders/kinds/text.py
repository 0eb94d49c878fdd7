"""Texts, and the tokens that they are read as: networks with a vocabulary."""

from typing import Any, ClassVar

import torch
from torch import nn

from replearn.data.samples import Samples
from replearn.data.text import Texts, TextSamples
from replearn.encoders.base import Described, Encoder
from replearn.encoders.kinds.base import ENCODER, Networks
from replearn.encoders.long_texts import warn_of_long_texts
from replearn.encoders.text import TextEncoder
from replearn.encoders.text_nets import text_encoder, tokenizer_of


class TextNetworks(Networks):
    """Strings, or int64 `(t,)` tokens."""

    offers: ClassVar[frozenset[str]] = frozenset({ENCODER})

    def content(self, samples: Described, n: int, device: torch.device) -> Any:
        """Texts of a letter; of windows of tokens, the first one."""
        if samples.shape:
            return torch.zeros(n, *samples.shape, dtype=torch.int64, device=device)
        return Texts("a" for _ in range(n))

    def reading(self, spec: Any, samples: Samples) -> Samples:
        own = tokenizer_of(spec) if isinstance(samples, TextSamples) else None
        return samples.read_by(own) if own and isinstance(samples, TextSamples) else samples

    def again(self, encoder: Encoder, before: Described, samples: Described, *, of: str) -> Encoder:
        """It has its own tokenizer."""
        return encoder

    def warn_of_cuts(self, encoder: Encoder, samples: Samples, length: int | None) -> None:
        if isinstance(samples, TextSamples) and isinstance(encoder, TextEncoder):
            warn_of_long_texts(samples.texts, encoder.vocabulary, length or encoder.length)

    def make(self, spec: str | nn.Module, samples: Described) -> Encoder:
        return text_encoder(spec, samples)
