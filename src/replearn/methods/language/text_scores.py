"""`TextScores`: what all models of text can tell and do that give each next token a probability.

    text --> x_1 ... x_t, end --p(x_i | end, x_1 ... x_{i-1})--> nats of each token --> bits per character, perplexity

One rule for all of them, so that their numbers compare: a text begins after the mark that ends texts (as in the row of
tokens that they learn from), its own end is told as well, and counts as one character.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from sklearn.exceptions import NotFittedError
from torch import Tensor, nn

from replearn.data import TextSamples
from replearn.data.tokenizer import LAST, Tokenizer
from replearn.encoders.modes import evaluating
from replearn.engine.embed import check_finite
from replearn.methods.language.generation import Choice, continued


class TextScores(ABC):
    """Likelihoods of texts, and texts that are likely."""

    # What a model writes.

    @property
    @abstractmethod
    def own_tokenizer(self) -> Tokenizer:
        """The tokenizer that it learned with."""

    @property
    @abstractmethod
    def context(self) -> int:
        """Tokens at most from which it tells the next one."""

    @abstractmethod
    def score(self, rows: Sequence[Int[np.ndarray, " _"]]) -> list[Float[np.ndarray, " _"]]:
        """ln p of each token, given those before it; each row begins with the mark of the end, which has none."""

    @abstractmethod
    def step(self, ids: Int[Tensor, "n t"], memory: Any = None) -> tuple[Float[Tensor, "n v"], Any]:
        """Logits of the token after `ids`, which follow what `memory` holds; and what to remember of all of them."""

    @abstractmethod
    def modules(self) -> dict[str, nn.Module]:
        """The modules by name."""

    # What comes with it.

    def token_log_likelihoods(self, texts: Sequence[str]) -> list[Float[np.ndarray, " _"]]:
        """ln p of each text's tokens and of its end, in nats.

        Texts longer than the context are read in windows that overlap by half: no token is told from less than half
        a context (less one token), except at a text's beginning. What fills up a batch is never counted.

        Raises:
            ValueError: the texts are one string, or none, or what is told of them is not finite.
        """
        self._must_be_fitted()
        rows = [self._row(ids) for ids in self.own_tokenizer.encode(strings(texts))]
        modules = list(self.modules().values())
        with evaluating(modules), torch.inference_mode():
            found = self.score(rows)
        check_finite(np.array([row.sum() for row in found]), modules)
        return found

    def log_likelihoods(self, texts: Sequence[str]) -> Float[np.ndarray, " n"]:
        """ln p of each text, its end included, in nats."""
        return np.array([found.sum(dtype=np.float64) for found in self.token_log_likelihoods(texts)])

    def bits_per_character(self, texts: Sequence[str]) -> float:
        """Bits that it takes to tell the texts, per character; each text has one more, its end.

        It compares models with different tokenizers, as long as no text has a token that is unknown to one of them
        (byte pairs and bytes know all): an unknown token is told without saying which characters it stands for.
        """
        texts = strings(texts)
        characters = sum(map(len, texts)) + len(texts)
        return float(-self.log_likelihoods(texts).sum() / math.log(2) / characters)

    def perplexity(self, texts: Sequence[str]) -> float:
        """exp of the mean nats per token, ends included: it compares models with one tokenizer only."""
        told = np.concatenate(self.token_log_likelihoods(texts))
        return float(np.exp(-told.mean(dtype=np.float64)))

    def generate(
        self,
        prompt: str = "",
        *,
        tokens: int = 100,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        n: int = 1,
        random_state: int = 0,
    ) -> list[str]:
        """`n` texts that begin with `prompt`, drawn token by token until a text ends or `tokens` are written.

        Args:
            prompt: where to begin; best without a space at its end, for most tokens begin with theirs.
            tokens: new ones at most.
            temperature: logits are divided by it; 0 takes the most probable token each time.
            top_k: draw from the so many most probable tokens only (Fan et al. 2018, https://arxiv.org/abs/1805.04833).
            top_p: draw from the fewest tokens only whose probabilities add up to it (Holtzman et al. 2020,
                https://arxiv.org/abs/1904.09751).
            n: texts, all in one batch.
            random_state: seed of what is drawn; torch's own random state is left alone.

        Raises:
            ValueError: an argument is out of range.
        """
        if n < 1:
            raise ValueError(f"n counts the texts and must be at least 1; got {n}. Leave it out for one.")
        choice = Choice(temperature, top_k, top_p, random_state)
        begun = self.own_tokenizer.encode([prompt])[0]
        rows = self.continue_tokens([begun] * n, tokens=tokens, choice=choice)
        return [self.own_tokenizer.decode([*begun, *row]) for row in rows]

    def continue_tokens(
        self, prompts: Sequence[Sequence[int]], *, tokens: int, choice: Choice | None = None
    ) -> list[list[int]]:
        """The tokens that follow each of some beginnings of equal length, up to the end of the text.

        Args:
            prompts: ids; each is read as the beginning of a text.
            tokens: new ones at most.
            choice: how to choose them; None takes the most probable one each time.
        """
        self._must_be_fitted()
        end = self.own_tokenizer.special(LAST)
        begun = torch.tensor([[end, *row] for row in prompts])  # (n, t)
        with evaluating(list(self.modules().values())), torch.inference_mode():
            found = continued(
                self.step,
                begun,
                tokens=tokens,
                choice=choice or Choice(temperature=0.0),
                context=self.context,
                tokenizer=self.own_tokenizer,
            )
        return [row[: row.index(end)] if end in row else row for row in found.tolist()]

    def _row(self, ids: Sequence[int]) -> Int[np.ndarray, " _"]:
        end = self.own_tokenizer.special(LAST)
        return np.array([end, *ids, end])

    def _must_be_fitted(self) -> None:
        if not self.modules():
            raise NotFittedError(f"{type(self).__name__} must be fitted first. Call fit, or load a run.")


def strings(texts: Any) -> Sequence[str]:
    """Texts as they were given, or as samples hold them.

    Raises:
        ValueError: they are one string, or none.
    """
    found: Sequence[str] = texts.texts if isinstance(texts, TextSamples) else texts
    if isinstance(found, str) or len(found) == 0:
        given = "one string" if isinstance(found, str) else "none"
        raise ValueError(f"texts must be a list of at least one string; got {given}. Pass a list, [text].")
    return found
