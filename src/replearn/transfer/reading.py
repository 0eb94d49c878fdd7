"""What a task reads: single samples, pairs of texts, sentences of words; and texts as tokens whose places are known."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from replearn.data import Batch, Samples, TextSamples, Tokenizer, train_tokenizer
from replearn.data.splits import together
from replearn.data.text import text_samples
from replearn.data.tokenizer import UNKNOWN
from replearn.encoders import Vocabulary
from replearn.encoders.long_texts import tell_of_cuts
from replearn.encoders.vocabulary import LONGEST
from replearn.transfer.ragged import Ragged, ragged

SIDES = 2  # texts of a pair


class PairTexts(TextSamples):
    """Pairs of texts.

    Args:
        first, second: texts of each pair.
    """

    def __init__(self, first: Sequence[str], second: Sequence[str]) -> None:
        super().__init__(first)
        self.second = second

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Trained on both texts of all pairs."""
        return train_tokenizer([*self.texts, *self.second])

    def fingerprint(self) -> str:
        """A short hash of the pairs."""
        return TextSamples([*self.texts, *self.second]).fingerprint()


class WordTexts(TextSamples):
    """Sentences of words, joined by spaces.

    Args:
        words: of each sentence.
    """

    def __init__(self, words: Sequence[Sequence[str]]) -> None:
        super().__init__([" ".join(sentence) for sentence in words])
        self.words = words

    def ends(self, position: int) -> Int[np.ndarray, " w"]:
        """The character after each word of a sentence."""
        lengths = [len(word) + 1 for word in self.words[position]]
        return np.array(list(accumulate(lengths)), dtype=np.int64) - 1


def units_of(samples: Samples) -> Int[np.ndarray, " n"]:
    """A number per sample, shared by what must stay on one side of a split: see `replearn.data.splits.together`.

    Pairs are copies where both texts are equal.
    """
    if not isinstance(samples, PairTexts):
        return together(samples)
    return together(TextSamples([f"{a}\0{b}" for a, b in zip(samples.texts, samples.second, strict=True)]))


def read_pairs(X: Any) -> PairTexts:
    """Pairs of texts.

    Raises:
        ValueError: a row is no pair of texts, or there is none.
    """
    if isinstance(X, PairTexts):
        return X
    if isinstance(X, Samples):
        raise ValueError(
            f"X must hold pairs of texts, (a, b); got single samples ({X.kind}). Give two texts each."
        )
    rows = list(X.values.tolist() if hasattr(X, "columns") else X.tolist() if hasattr(X, "tolist") else X)
    for number, row in enumerate(rows):
        if isinstance(row, str) or not (isinstance(row, Sequence) and len(row) == SIDES):
            raise ValueError(
                f"X must hold pairs of texts, (a, b); number {number} is {row!r:.60}. Zip two lists of texts."
            )
    first, second = [row[0] for row in rows], [row[1] for row in rows]
    text_samples(first)
    text_samples(second)
    return PairTexts(first, second)


def read_words(X: Any) -> WordTexts:
    """Sentences of words.

    Raises:
        ValueError: a row is no list of texts, or there is none.
    """
    if isinstance(X, WordTexts):
        return X
    if isinstance(X, Samples):
        raise ValueError(
            f"X must hold lists of words; got whole samples ({X.kind}). Give each text as its words."
        )
    rows = [row.tolist() if hasattr(row, "tolist") else row for row in X]
    for number, row in enumerate(rows):
        if isinstance(row, str) or not all(isinstance(word, str) for word in row):
            raise ValueError(
                f"X must hold lists of words; number {number} is {row!r:.60}. Split each text into its words."
            )
    if not any(rows):
        raise ValueError("X must hold at least one word; got none. Give sentences as lists of words.")
    return WordTexts(rows)


def read_texts(X: Any) -> TextSamples:
    """Texts.

    Raises:
        ValueError: they are none.
    """
    if isinstance(X, TextSamples):
        return X
    rows = X.tolist() if hasattr(X, "tolist") else list(X)
    return text_samples(rows)


@dataclass(frozen=True, eq=False)
class Inputs:
    """Tokens of a batch; of pairs that are read apart, of both texts.

    Attributes:
        ids: of tokens, `(n, t)` or `(n, 2, t)`.
        mask: False where a text has ended.
        types: 0 in the first text of a pair, 1 in the second; None where all are alike.
        others: words that ids from the tokenizer's size on stand for, where the network spells.
    """

    ids: Int[Tensor, "n *s t"]
    mask: Bool[Tensor, "n *s t"]
    types: Int[Tensor, "n t"] | None = None
    others: Sequence[str] = ()

    @property
    def sides(self) -> int:
        """Rows of tokens per sample."""
        return self.ids.shape[1] if self.ids.ndim > 2 else 1

    def to(self, device: torch.device | str) -> "Inputs":
        """The same on `device`."""
        types = None if self.types is None else self.types.to(device)
        return replace(self, ids=self.ids.to(device), mask=self.mask.to(device), types=types)


class TokenSamples(Samples):
    """Texts, or pairs of them, as tokens.

    Args:
        raw: the texts.
        ids: of tokens; of pairs that are read apart, of the first and the second text in turn.
        types: of tokens, or None.
        spans: for each token the characters it stands for, `(start, end)`; two equal numbers for none.
        sides: rows of `ids` per sample.
        others: as `Inputs` has them.
    """

    kind = "text"
    shape = ()

    def __init__(
        self,
        raw: TextSamples,
        ids: Ragged,
        types: Ragged | None,
        spans: Ragged,
        *,
        sides: int = 1,
        others: Sequence[str] = (),
    ) -> None:
        self.raw = raw
        self.ids = ids
        self.types = types
        self.spans = spans
        self.sides = sides
        self.others = others

    def __len__(self) -> int:
        return len(self.ids) // self.sides

    @property
    def lengths(self) -> Int[np.ndarray, " n"]:
        """Tokens of each sample; of a pair, those of the longer text."""
        longest: np.ndarray = self.ids.lengths.reshape(-1, self.sides).max(1)
        return longest

    def __getitem__(self, index: np.ndarray) -> Batch:
        rows = (index[:, None] * self.sides + np.arange(self.sides)).ravel()
        ids, mask = self.ids[rows], self.ids.mask(rows)  # (n * sides, t)
        if self.sides > 1:
            shape = (len(index), self.sides, -1)
            ids, mask = ids.view(shape), mask.view(shape)  # (n, 2, t)
        where = torch.from_numpy(np.asarray(index, dtype=np.int64))
        types = None if self.types is None else self.types[rows]
        return Batch(x=Inputs(ids, mask, types, self.others), labels=torch.full_like(where, -1), index=where)


def token_samples(
    raw: TextSamples, vocabulary: Vocabulary, length: int, *, joined: bool = False
) -> TokenSamples:
    """Texts, or pairs of them, as tokens.

    Args:
        raw: texts, sentences of words, or pairs.
        vocabulary: of the network that reads them.
        length: tokens that are read at most; of pairs in one row, the longer text is cut.
        joined: whether pairs go in one row, between the marks the tokenizer has for them; else each text has its own.
    """
    inner = Tokenizer(vocabulary.tokenizer.json).inner  # its own, since it cuts
    inner.enable_truncation(length)
    spaced = vocabulary.tokenizer.spaced
    rows: list[Any] = spaced([text[: length * LONGEST] for text in raw.texts])
    sides = 1
    if isinstance(raw, PairTexts):
        pairs = list(zip(rows, spaced([text[: length * LONGEST] for text in raw.second]), strict=True))
        sides = 1 if joined else SIDES
        rows = pairs if joined else [text for pair in pairs for text in pair]
    read = inner.encode_batch(rows, add_special_tokens=True)
    whole = vocabulary.tokenizer.inner.encode_batch_fast(rows, add_special_tokens=True)
    long = [len(row.ids) for row in whole if len(row.ids) > length]
    tell_of_cuts(len(long), len(rows), long, length)
    ids, others = ragged([np.array(row.ids, dtype=np.int64) for row in read]), []
    if vocabulary.spells:
        others = _name_unknown(ids, read, rows, vocabulary.tokenizer)
    spans = ragged([np.array(row.offsets, dtype=np.int64).reshape(-1, 2) for row in read])
    types = ragged([np.array(row.type_ids, dtype=np.int64) for row in read]) if joined else None
    return TokenSamples(raw, ids, types, spans, sides=sides, others=others)


def _name_unknown(ids: Ragged, read: list[Any], texts: list[Any], tokenizer: Tokenizer) -> list[str]:
    """Give each unknown word an id of its own, from the tokenizer's size on; what the words are."""
    unknown, found, start = tokenizer.special(UNKNOWN), dict[str, int](), 0
    for row, text in zip(read, texts, strict=True):
        for place in np.flatnonzero(ids.values[start : start + len(row.ids)] == unknown).tolist():
            whole = text if isinstance(text, str) else text[row.sequence_ids[place]]
            word = whole[slice(*row.offsets[place])]
            ids.values[start + place] = tokenizer.size + found.setdefault(word, len(found))
        start += len(row.ids)
    return list(found)
