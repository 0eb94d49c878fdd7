"""N-gram model: the next token from the last few, by how often they were seen together.

    texts --tokenizer--> x_1 ... x_t --counts of n-grams--> p(x_t | x_{t-n+1} ... x_{t-1}), smoothed (Kneser-Ney)

The floor that every neural language model must beat. It has no states: its representation of a text is a bag of
tokens, the logarithm of 1 + how often each occurs, of length 1.

References: Shannon, Bell System Technical Journal 1948, section 3 (texts drawn from n-grams).
    https://doi.org/10.1002/j.1538-7305.1948.tb01338.x
    Chen & Goodman, Computer Speech and Language 1999 (the smoothing). https://doi.org/10.1006/csla.1999.0128
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize

from replearn.data import Batch, Description, Samples, TextSamples, token_stream
from replearn.data.tokenizer import LAST, Tokenizer
from replearn.data.tokenizer_training import make_tokenizer
from replearn.encoders import Vocabulary
from replearn.engine.machine import choose
from replearn.methods.language.kneser_ney import KneserNey
from replearn.methods.language.text_method import idle_of_sequences
from replearn.methods.language.text_scores import TextScores
from replearn.methods.model import Model

LONG = 2**30  # tokens of a text that are read: all


@dataclass(kw_only=True, eq=False, repr=False)
class NGram(Model, TextScores):
    """A Markov model of texts.

    Attributes:
        tokenizer: kind of tokenizer that is trained on the texts: `bpe`, `wordpiece`, `unigram`, `words`,
            `characters` or `bytes`; or a tokenizer.json of the `tokenizers` library.
        vocabulary: tokens at most.
        lowercase: whether capitals are lost.
        order: tokens that are looked at together, the next one included.
    """

    family: ClassVar[str] = "language"
    needs: ClassVar[tuple[str, ...]] = ("words",)
    refused: ClassVar[Mapping[str, str]] = {"precision": "counts are whole numbers"}
    year: ClassVar[int] = 1948
    paper: ClassVar[str] = "https://doi.org/10.1002/j.1538-7305.1948.tb01338.x"

    tokenizer: str = "bpe"
    vocabulary: int = 4096
    lowercase: bool = False
    order: int = 5

    def idle(self, samples: Samples) -> Mapping[str, str]:
        return idle_of_sequences(samples, "tokenizer", "lowercase")

    def reading(self, samples: Samples) -> Samples:
        if not isinstance(samples, TextSamples):
            return samples  # refused by `check`
        size, lowercase = self.vocabulary, self.lowercase
        return samples.read_by(make_tokenizer(self.tokenizer, samples.texts, size=size, lowercase=lowercase))

    def build(self, samples: Description) -> None:
        if not 1 <= self.order <= 20:
            raise ValueError(f"order must lie between 1 and 20 tokens; got {self.order}. Take 3 to 6.")
        assert samples.tokenizer is not None
        self.vocabulary_ = Vocabulary(samples.tokenizer)
        self.grams_ = KneserNey(self.order, samples.tokenizer.size)

    def learn(self, samples: Samples, *, run: Path | None, resume: bool, loggers: Iterable[Any]) -> None:
        assert isinstance(samples, TextSamples)
        choose(self.device, self.precision)  # counting uses neither; a wrong name is told all the same
        stream = token_stream(samples, self.own_tokenizer)
        self.grams_.count(stream.ids, end=self.own_tokenizer.special(LAST))

    def represent(self, batch: Batch) -> Float[Tensor, "n d"]:
        tokens = self.vocabulary_.read(batch, LONG)
        counts = torch.zeros(len(batch), self.representation_dim, device=tokens.ids.device)
        return normalize(counts.scatter_add(1, tokens.ids, tokens.mask.float()).log1p())  # (n, v)

    @property
    def representation_dim(self) -> int:
        return self.own_tokenizer.size

    @property
    def own_tokenizer(self) -> Tokenizer:
        return self.vocabulary_.tokenizer

    @property
    def context(self) -> int:
        return LONG

    def score(self, rows: Sequence[Int[np.ndarray, " _"]]) -> list[Float[np.ndarray, " _"]]:
        return self.grams_.score_rows(rows)

    def step(self, ids: Int[Tensor, "n t"], memory: Any = None) -> tuple[Float[Tensor, "n v"], Any]:
        seen = ids if memory is None else torch.cat([memory, ids], dim=1)
        return torch.stack([self.grams_.next_logits(row) for row in seen.cpu().numpy()]), seen
