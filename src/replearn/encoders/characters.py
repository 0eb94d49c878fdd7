"""Encoders that read words by their letters: nothing is unknown, and words of like letters are alike from the start.

words --letters--> character network --> x --two recurrent networks, of the past and of the future--> states
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor, nn

from replearn.data.samples import Batch
from replearn.data.tokenizer import UNKNOWN, Tokenizer
from replearn.encoders.dropout import RowDropout, rows_of
from replearn.encoders.text import TextBody, TextEncoder
from replearn.encoders.vocabulary import LONGEST, Tokens, Vocabulary

LETTERS = 24  # bytes of a word that are read, those that mark its ends included
BEGIN, END, SYMBOLS = 257, 258, 259  # after 0, which fills up, and the bytes
FILTERS = ((1, 32), (2, 32), (3, 64), (4, 128), (5, 128))  # width in letters, number


@dataclass(frozen=True, eq=False, kw_only=True)
class SpelledTokens(Tokens):
    """Words as ids and as letters; each distinct one is spelled once.

    Attributes:
        letters: of the distinct words.
        which: row in `letters` of each word.
    """

    letters: Int[Tensor, "w c"]
    which: Int[Tensor, "n t"]

    def rows(self, start: int, stop: int) -> "SpelledTokens":
        """The rows from `start` up to `stop`, as a part of these."""
        plain = Tokens(self.ids, self.mask, self.start, self.total, self.types).rows(start, stop)
        return SpelledTokens(
            plain.ids,
            plain.mask,
            plain.start,
            plain.total,
            plain.types,
            letters=self.letters,
            which=self.which[start:stop],
        )


class SpellingVocabulary(Vocabulary):
    """A tokenizer into words, and the letters of every word, known or not.

    Args:
        tokenizer: of words.
    """

    spells = True

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__(tokenizer)
        self.known = spelled(tokenizer.words)  # (v, c)

    def read(self, batch: Batch, length: int) -> SpelledTokens:
        """The batch as words, at most `length` of each text."""
        tokens = super().read(batch, length)
        assert isinstance(tokens, SpelledTokens)
        if isinstance(batch.x, Tensor):
            return tokens
        heads = self.tokenizer.spaced([text[: length * LONGEST] for text in batch.x])
        words, unknown = self._unknown(heads, tokens.ids)
        return self.tokens(words, tokens.mask, tokens.start, tokens.total, others=unknown)

    def tokens(
        self,
        ids: Int[Tensor, "n t"],
        mask: Bool[Tensor, "n t"],
        start: int = 0,
        total: int | None = None,
        types: Int[Tensor, "n t"] | None = None,
        *,
        others: Sequence[str] = (),
    ) -> SpelledTokens:
        """Ids with the letters of each word; those from the number of known words on stand for `others`."""
        letters = torch.cat([self.known, spelled(others)])
        distinct, which = torch.unique(ids, return_inverse=True)  # (w,), (n, t)
        chosen = letters[distinct.cpu()].to(ids.device).long()
        if others:
            ids = ids.masked_fill(ids >= len(self.known), self.tokenizer.special(UNKNOWN))
        return SpelledTokens(ids, mask, start, total, types, letters=chosen, which=which)

    def _unknown(self, texts: Sequence[str], ids: Int[Tensor, "n t"]) -> tuple[Int[Tensor, "n t"], list[str]]:
        """Unknown words as ids from the number of known ones on, and what they are."""
        unknown = self.tokenizer.special(UNKNOWN)
        places = (ids == unknown).nonzero().tolist()
        if not places:
            return ids, []
        found = self.tokenizer.inner.encode_batch(list(texts), add_special_tokens=True)
        numbers: dict[str, int] = {}
        ids = ids.clone()
        for row, column in places:
            start, end = found[row].offsets[column]
            ids[row, column] = len(self.known) + numbers.setdefault(texts[row][start:end], len(numbers))
        return ids, list(numbers)

    def _load_from_state_dict(self, state: Mapping[str, Any], prefix: str, *rest: Any) -> None:
        super()._load_from_state_dict(state, prefix, *rest)
        self.known = spelled(self.tokenizer.words)


def spelled(words: Sequence[str]) -> Shaped[Tensor, "w c"]:
    """The bytes of words as UTF-8, from 1 on, between marks of their beginning and end; 0 where a word has ended.

    Of long words, the last bytes are left out.

    >>> spelled(["to"])[0, :5].tolist()
    [257, 117, 112, 258, 0]
    """
    rows = np.zeros((len(words), LETTERS), dtype=np.int16)
    for row, word in zip(rows, words, strict=True):
        found = [BEGIN, *(byte + 1 for byte in word.encode("utf-8", "replace")[: LETTERS - 2]), END]
        row[: len(found)] = found
    return torch.from_numpy(rows)


class Highway(nn.Module):
    """g relu(W x + b) + (1 - g) x, with a gate g = sigmoid(V x + c) for each number.

    References: Srivastava, Greff & Schmidhuber, 2015, equation 3. https://arxiv.org/abs/1505.00387
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.change, self.gate = nn.Linear(dim, dim), nn.Linear(dim, dim)
        nn.init.constant_(self.gate.bias, -2.0)  # at first most of x is carried on

    def forward(self, x: Float[Tensor, "w d"]) -> Float[Tensor, "w d"]:
        gate: Tensor = self.gate(x).sigmoid()
        return gate * F.relu(self.change(x)) + (1 - gate) * x


class CharacterNetwork(nn.Module):
    """One vector per word: convolutions over its letters, the largest answer of each, two highway layers.

    Args:
        dim: numbers per word.

    References: Kim et al., AAAI 2016, section 2.2 and 2.3. https://arxiv.org/abs/1508.06615
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.letters = nn.Embedding(SYMBOLS, 16, padding_idx=0)
        self.filters = nn.ModuleList(nn.Conv1d(16, number, width) for width, number in FILTERS)
        total = sum(number for _, number in FILTERS)
        self.highways = nn.Sequential(Highway(total), Highway(total))
        self.project = nn.Linear(total, dim)

    def forward(self, letters: Int[Tensor, "w c"]) -> Float[Tensor, "w d"]:
        x = self.letters(letters).transpose(1, 2)  # (w, 16, c)
        found: Tensor = torch.cat([F.relu(part(x).amax(2)) for part in self.filters], 1)  # (w, filters)
        words: Tensor = self.project(self.highways(found))  # (w, d)
        return words


class TwoWayLSTM(nn.Module):
    """Two language models over words read by their letters: of what came before, and of what comes after.

    A state has two halves: the first tells of the past up to the word, the second of the future down to it. Layers
    after the first add to what they read.

    Args:
        dim: numbers per half.
        depth: recurrent layers.
        dropout: share of numbers that are lost while training.

    References: Peters et al., NAACL 2018, sections 3.1 and 3.4. https://arxiv.org/abs/1802.05365
    """

    length = 1024
    causal = False

    def __init__(self, dim: int = 256, *, depth: int = 2, dropout: float = 0.1) -> None:
        super().__init__()
        self.dim = 2 * dim
        self.words = CharacterNetwork(dim)
        self.past = nn.ModuleList(nn.LSTM(dim, dim, batch_first=True) for _ in range(depth))
        self.future = nn.ModuleList(nn.LSTM(dim, dim, batch_first=True) for _ in range(depth))
        self.dropout = RowDropout(dropout)

    def states(self, tokens: SpelledTokens) -> list[Float[Tensor, "n t d"]]:
        """The words' vectors (twice), and the states after each layer."""
        back = backwards(tokens)[..., None]  # (n, t, 1)
        with rows_of(tokens):
            x = self.dropout(self.words(tokens.letters)[tokens.which])  # (n, t, d)
            past, future = x, x.take_along_dim(back, 1)
            found = [torch.cat([x, x], 2)]
            for i, (before, after) in enumerate(zip(self.past, self.future, strict=True)):
                past = self.dropout(before(past)[0]) + (past if i else 0)
                future = self.dropout(after(future)[0]) + (future if i else 0)
                found.append(torch.cat([past, future.take_along_dim(back, 1)], 2))  # (n, t, 2 d)
        return found


def backwards(tokens: Tokens) -> Int[Tensor, "n t"]:
    """Positions of each text's tokens from last to first; what fills up stays at the end.

    >>> ids = torch.tensor([[7, 8, 9, 0]])
    >>> backwards(Tokens(ids, ids > 0)).tolist()
    [[2, 1, 0, 3]]
    """
    places = torch.arange(tokens.ids.shape[1], device=tokens.ids.device)  # (t,)
    lengths = tokens.mask.sum(1, keepdim=True)  # (n, 1)
    return torch.where(places < lengths, lengths - 1 - places, places)


def two_way_encoder(tokenizer: Tokenizer) -> TextEncoder:
    """ELMo's encoder, for a tokenizer into words."""
    return TextEncoder(SpellingVocabulary(tokenizer), TextBody(TwoWayLSTM()))
