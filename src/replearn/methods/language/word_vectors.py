"""`WordVectors`: what methods share that learn a vector for each word, from the words near it."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float, Int
from sklearn.exceptions import NotFittedError
from torch import Tensor

from replearn.data import Batch, Description, Samples, TextSamples, token_stream
from replearn.data.tokenizer import SPECIALS
from replearn.data.tokenizer_training import TooRare, train_tokenizer
from replearn.data.tokens import TokenStream
from replearn.encoders.vocabulary import Vocabulary
from replearn.encoders.word_table import WordTable
from replearn.engine.history import History, Past
from replearn.engine.machine import choose
from replearn.engine.words.passes import Keeping
from replearn.methods.language.text_method import idle_of_sequences
from replearn.methods.model import Model

log = logging.getLogger("replearn")


@dataclass(kw_only=True, eq=False, repr=False)
class WordVectors(Model):
    """A model of texts whose representation is the mean of their words' vectors; `words_` answers queries.

    Attributes:
        dim: numbers in a vector.
        vocabulary: words at most, the most frequent ones.
        least: how often a word must occur.
        lowercase: whether capitals are lost.
        window: words on each side that count as near.
        epochs: passes over what is learned from.
        learning_rate: at the start.
        workers: threads; one gives the same bits each time, several do not.
        held_out: share of the texts (GloVe: of the pairs of words) that only the validation loss is taken of.
        checkpoint_minutes: minutes between checkpoints of a run.
    """

    family: ClassVar[str] = "language"
    needs: ClassVar[tuple[str, ...]] = ("words",)
    keeps_state: ClassVar[bool] = True  # vectors are made of several tables
    refused: ClassVar[Mapping[str, str]] = {"precision": "vectors are learned and read in 32 bits"}

    dim: int = 100
    vocabulary: int = 200_000
    least: int = 5
    lowercase: bool = True
    window: int = 5
    epochs: int = 5
    learning_rate: float = 0.025
    workers: int = 1
    held_out: float = 0.01
    checkpoint_minutes: float = 1.0

    # What a method writes.

    def learn_vectors(
        self, stream: TokenStream, counts: Int[np.ndarray, " n"], keeping: Keeping
    ) -> tuple[Float[np.ndarray, "n dim"], History]:
        """The vector of each token, and what happened; tokens with a count of 0 are no words."""
        raise NotImplementedError

    # What comes with it.

    def idle(self, samples: Samples) -> Mapping[str, str]:
        return idle_of_sequences(samples, "lowercase")

    def check(self, samples: Samples) -> None:
        super().check(samples)
        choose(self.device, self.precision)
        for name in ("dim", "vocabulary", "least", "window", "epochs", "workers"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1; got {getattr(self, name)}. Leave it out.")
        if self.window > 1000:
            raise ValueError(f"window must be at most 1,000 words; got {self.window}. 5 or 10 are usual.")
        if not self.learning_rate > 0:
            raise ValueError(
                f"learning_rate must be greater than 0; got {self.learning_rate}. Leave it out for the default."
            )
        if not self.checkpoint_minutes >= 0:
            raise ValueError(f"checkpoint_minutes must not be negative; got {self.checkpoint_minutes}.")
        if not 0 <= self.held_out <= 0.5:
            raise ValueError(f"held_out is a share from 0 to 0.5; got {self.held_out}. 0.01 is enough.")

    def reading(self, samples: Samples) -> Samples:
        """The texts, with a tokenizer that knows their frequent words."""
        if not isinstance(samples, TextSamples):
            return samples  # refused by `check`
        options: dict[str, Any] = {"size": self.vocabulary + len(SPECIALS), "lowercase": self.lowercase}
        try:
            return samples.read_by(train_tokenizer(samples.texts, "words", least=self.least, **options))
        except TooRare:
            if self.least != WordVectors.least:
                raise
        log.info("least is 1, since no word occurs %d times, the default", self.least)
        return samples.read_by(train_tokenizer(samples.texts, "words", least=1, **options))

    def build(self, samples: Description) -> None:
        assert samples.tokenizer is not None
        self.vocabulary_ = Vocabulary(samples.tokenizer)
        self.words_ = WordTable(samples.tokenizer.words, torch.zeros(samples.tokenizer.size, self.dim))

    def learn(self, samples: Samples, *, run: Path | None, resume: bool, loggers: Iterable[Any]) -> None:
        from replearn.engine.words.corpus import count_tokens  # numba takes time to import

        tokenizer = self.vocabulary_.tokenizer
        assert isinstance(samples, TextSamples)
        stream = token_stream(samples, tokenizer)
        counts = count_tokens(stream.ids, tokenizer.size)
        counts[[tokenizer.special(name) for name in SPECIALS]] = 0
        keeping = Keeping(run, resume, loggers, self.checkpoint_minutes)
        vectors, history = self.learn_vectors(stream, counts, keeping)
        vectors[counts == 0] = 0
        self.words_.vectors.copy_(torch.from_numpy(vectors))
        self.history_: Past = history.past

    def most_similar(self, query: str, k: int = 10) -> list[tuple[str, float]]:
        """The `k` words whose vectors are nearest to that of a word, or to the mean of a text's words, with cosines.

        Raises:
            ValueError: no word of the query has a vector (known words like it are offered), or k is less than 1.
        """
        if not self.modules():
            raise NotFittedError(f"{type(self).__name__} must be fitted first. Call fit, or load a run.")
        if k < 1:
            raise ValueError(f"k must be at least 1; got {k}. Leave it out for 10.")
        word = query.lower() if self.lowercase else query
        vector = torch.from_numpy(self.transform([query])[0]) if query.strip() else torch.zeros(self.dim)
        if word in self.words_ or not vector.any():
            return self.words_.most_similar(word, n=k)
        return self.words_.nearest(vector, n=k)

    def represent(self, batch: Batch) -> Float[Tensor, "n dim"]:
        rows = self.vocabulary_.tokenizer.encode(batch.x)
        starts = np.cumsum([0, *(len(row) for row in rows[:-1])])
        ids = np.fromiter((i for row in rows for i in row), np.int64)
        device = self.words_.vectors.device
        return self.words_.mean(torch.from_numpy(ids).to(device), torch.from_numpy(starts).to(device))

    @property
    def representation_dim(self) -> int:
        return self.dim
