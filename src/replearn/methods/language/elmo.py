"""ELMo: words read by their letters, each told once from all before it and once from all after it.

    words --letters, CNN, highways--> x --LSTM of the past--> s_1 ... s_t --softmax--> x_2 ... x_t
                                        --LSTM of the future--> s_1 ... s_t --same softmax--> x_1 ... x_{t-1}

The representation of a text is the mean over its words and over the layers; a task learns a mixture of the layers by
`replearn.encoders.mixture.LayerMixture`.

References: Peters et al., NAACL 2018, sections 3.1 to 3.4. https://arxiv.org/abs/1802.05365
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples, TextSamples, TokenWindows
from replearn.data.tokenizer import UNKNOWN, Tokenizer
from replearn.data.tokenizer_training import train_tokenizer
from replearn.encoders import TextEncoder, text_encoder
from replearn.methods.language.language_model import LanguageModel
from replearn.objectives import cross_entropy

READ = 65_536  # words that are read from the texts; others, by far the rarest, are unknown while training


@dataclass(kw_only=True, eq=False, repr=False)
class ELMo(LanguageModel):
    """Embeddings from language models.

    Attributes:
        encoder: `elmo`; or a `TextEncoder`, the halves of whose states tell of the past and of the future.
        vocabulary: words that are told apart; rarer ones, which are read too, count as one.
    """

    year: ClassVar[int] = 2018
    paper: ClassVar[str] = "https://arxiv.org/abs/1802.05365"

    encoder: str | nn.Module = "elmo"
    tokenizer: str = "words"
    learning_rate: float = 3e-3

    def _tokenizer(self, samples: TextSamples) -> Tokenizer:
        if self.tokenizer == "words":
            return train_tokenizer(samples.texts, "words", size=READ, lowercase=self.lowercase)
        return super()._tokenizer(samples)

    def build(self, samples: Description) -> None:
        assert samples.tokenizer is not None
        self.encoder_: TextEncoder = text_encoder(self.encoder, samples)
        self.softmax_ = nn.Linear(self.encoder_.dim // 2, min(self.vocabulary, samples.tokenizer.size))

    def told(self, ids: Int[Tensor, "*n"]) -> Int[Tensor, "*n"]:
        """The words as they are told apart: ids rise as frequencies fall."""
        unknown = self.encoder_.vocabulary.tokenizer.special(UNKNOWN)
        return torch.where(ids < self.softmax_.out_features, ids, unknown)

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        """Nats per word, mean of both directions."""
        tokens = self.encoder_.standardise(batch)  # all windows are full: no word is for filling up
        past, future = self.encoder_.read(tokens, "states").chunk(2, -1)  # (n, t, d)
        told = self.told(tokens.ids)
        next_ = cross_entropy(self.softmax_(past[:, :-1]).flatten(0, 1), told[:, 1:].flatten())
        last = cross_entropy(self.softmax_(future[:, 1:]).flatten(0, 1), told[:, :-1].flatten())
        return (next_ + last) / 2

    def represent(self, batch: Batch) -> Float[Tensor, "n d"]:
        return torch.stack(self.encoder_.layers(batch)).mean(0)

    def training_samples(self, samples: Samples) -> TokenWindows:
        windows = super().training_samples(samples)
        ids = windows.stream.ids
        counts = np.zeros(self.softmax_.out_features)
        for start in range(0, len(ids), 2**22):
            told = self.told(torch.from_numpy(ids[start : start + 2**22].astype(np.int64)))
            counts += np.bincount(told.numpy(), minlength=len(counts))
        shares = counts[counts > 0] / counts.sum()
        self._frequencies = float(-(shares * np.log(shares)).sum())
        return windows
