"""Samples that are sequences of symbols: texts without words, which say themselves how they become tokens."""

import copy
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, overload

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from replearn.data.chosen import chosen_of
from replearn.data.kmer_tokenizer import kmer_tokenizer
from replearn.data.samples import positions
from replearn.data.text import Texts, TextSamples
from replearn.data.tokenizer import Tokenizer
from replearn.data.tokenizer_training import train_tokenizer

log = logging.getLogger("replearn")

SYMBOLS = 128  # of ASCII; all others are counted as one more


class Symbols(Texts):
    """The sequences of a batch."""

    __slots__ = ()

    def flat(self) -> Float[Tensor, "n d"]:
        """Of each sequence the shares of its symbols, and the logarithm of its length."""
        rows = np.zeros((len(self), SYMBOLS + 2), dtype=np.float32)
        for row, text in zip(rows, self, strict=True):
            codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
            row[:-1] = np.bincount(codes.clip(max=SYMBOLS), minlength=SYMBOLS + 1) / max(1, len(codes))
            row[-1] = np.log(max(1, len(codes))) / 10  # about as large as shares are
        return torch.from_numpy(rows)  # (n, 130)

    def __repr__(self) -> str:
        return f"Symbols({', '.join(map(repr, self))})"


@dataclass(frozen=True)
class Spelling:
    """How sequences become tokens.

    Attributes:
        tokens: `characters`, `kmers`, or `bpe` (byte pairs).
        k, stride: of k-mers, letters of one, and from one to the next.
    """

    tokens: str
    k: int = 3
    stride: int = 3

    def __str__(self) -> str:
        if self.tokens != "kmers":
            return {"bpe": "byte pairs"}.get(self.tokens, self.tokens)
        return f"k-mers of {self.k} letters, one every {self.stride}"


class Strands(Sequence[str]):
    """Sequences, in memory or stored, that become tokens by a spelling."""

    def __init__(self, stored: Sequence[str], spelling: Spelling) -> None:
        self.stored = stored
        self.spelling = spelling

    def __len__(self) -> int:
        return len(self.stored)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return self.stored[index]

    def tokenizer(self, *, size: int, least: int) -> Tokenizer:
        """Trained on these; methods have their own for texts, which would look for words."""
        log.info("tokens are %s, as set for sequences", self.spelling)
        if self.spelling.tokens == "kmers":
            k, stride = self.spelling.k, self.spelling.stride
            return kmer_tokenizer(self.stored, k=k, stride=stride, size=size, least=least)
        return train_tokenizer(iter(self.stored), self.spelling.tokens, size=size, least=least)


class SequenceSamples(TextSamples):
    """Sequences, one per sample.

    Args:
        texts, labels, options: as of `TextSamples`.
        alphabet: see `replearn.data.alphabets`.
        spelling: how they become tokens.

    >>> SequenceSamples(["ATGACC"], alphabet="dna", spelling=Spelling("kmers")).tokenizer.words[5:]
    ['ACC', 'ATG']
    """

    kind = "sequence"
    content: ClassVar[type[Texts]] = Symbols
    texts: Strands

    def __init__(
        self,
        texts: Sequence[str],
        labels: np.ndarray | None = None,
        *,
        alphabet: str,
        spelling: Spelling,
        **options: Any,
    ) -> None:
        super().__init__(Strands(texts, spelling), labels, **options)
        self.details: Mapping[str, Any] = {"alphabet": alphabet, **vars(spelling)}

    def subset(self, index: np.ndarray | Sequence[int]) -> "SequenceSamples":
        """The sequences at `index` (integers or a boolean mask)."""
        some = copy.copy(self)
        vars(some).update(vars(super().subset(index)))
        some.texts = Strands(chosen_of(self.texts.stored, positions(index)), self.texts.spelling)
        vars(some).pop("tokenizer", None)  # of all of them
        return some

    def content_hash(self) -> str:
        return TextSamples(self.texts.stored).content_hash()


def as_sequences(samples: TextSamples, alphabet: str, spelling: Spelling) -> SequenceSamples:
    """Texts as sequences."""
    made = SequenceSamples(
        *(samples.texts, samples.labels),
        alphabet=alphabet,
        spelling=spelling,
        classes=samples.classes,
        names=samples.names,
        skipped=samples.skipped,
    )
    made.targets, made.groups = samples.targets, samples.groups
    return made
