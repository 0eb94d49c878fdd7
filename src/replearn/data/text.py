"""Samples that are texts: in memory, or on disk as one file of UTF-8 and the places where texts begin."""

import copy
import hashlib
import os
import weakref
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, SupportsIndex, overload

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from replearn.data.chosen import Chosen, chosen_of
from replearn.data.labels import UNLABELLED
from replearn.data.samples import Batch, Samples, positions
from replearn.data.tokenizer import Tokenizer
from replearn.data.tokenizer_training import train_tokenizer

COLUMNS = 4096  # of the counts that stand for texts where rows of numbers are asked for


class Texts(tuple[str, ...]):
    """The texts of a batch, in place of a tensor: encoders turn them into numbers.

    >>> Texts(["a", "b", "c"])[1:]
    Texts('b', 'c')
    """

    __slots__ = ()

    def to(self, device: torch.device | str) -> "Texts":
        """The same: texts lie on no device."""
        return self

    @overload
    def __getitem__(self, index: SupportsIndex) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> "Texts": ...
    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return type(self)(found) if isinstance(index, slice) else found

    def each(self) -> Iterator[bytes]:
        """The bytes of each text."""
        return (text.encode("utf-8", "surrogatepass") for text in self)

    def flat(self) -> Float[Tensor, "n d"]:
        """Bags of words: the logarithm of 1 + how often each word occurs, in 4,096 columns, of length 1.

        A word's column is a hash of it (Weinberger et al. 2009), so nothing is learned and any two sets of texts
        compare. https://arxiv.org/abs/0902.2206
        """
        from sklearn.feature_extraction.text import HashingVectorizer
        from sklearn.preprocessing import normalize

        counts = HashingVectorizer(n_features=COLUMNS, norm=None, alternate_sign=False).transform(self)
        rows: np.ndarray = normalize(counts.log1p()).toarray().astype(np.float32)
        return torch.from_numpy(rows)  # (n, 4096)

    def __repr__(self) -> str:
        return f"Texts({', '.join(map(repr, self))})"


class StoredTexts(Sequence[str]):
    """Texts in a file of UTF-8, read when asked for; not through a map, whose pages would count as memory.

    Args:
        path: all texts, one after the other.
        ends: int64 `(n,)`, the byte after each text.
        key: what tells these texts from others, where it is known; else they are read to tell.
    """

    def __init__(self, path: Path, ends: np.ndarray, *, key: str = "") -> None:
        self.path = path
        self.ends = ends.view(np.ndarray)  # a map's own class looks numbers up five times as slowly
        self.key = key
        # Held open, so the texts stay readable if the file is replaced or deleted.
        self._file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self._close = weakref.finalize(self, os.close, self._file)

    def __len__(self) -> int:
        return len(self.ends)

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, (self.path, np.asarray(self.ends), self.key)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        position = range(len(self))[index]
        start = int(self.ends[position - 1]) if position else 0
        return os.pread(self._file, int(self.ends[position]) - start, start).decode("utf-8", "replace")


def _reopen(path: Path, ends: np.ndarray, key: str) -> StoredTexts:
    return StoredTexts(path, ends, key=key)


class TextSamples(Samples):
    """Texts, one per sample.

    Attributes:
        texts: by position.
        tokenizer: the one that methods take which have none of their own: byte pairs, at most 8,192 tokens, trained
            on these texts when first asked for.

    >>> samples = TextSamples(["to be", "or not"])
    >>> samples[np.array([1])].x
    Texts('or not')
    """

    kind = "text"
    shape = ()
    content: ClassVar[type[Texts]] = Texts

    def __init__(
        self,
        texts: Sequence[str],
        labels: np.ndarray | None = None,
        *,
        classes: Sequence[str] = (),
        names: Sequence[str] | None = None,
        skipped: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.texts = texts
        self.labels = labels
        self.classes = tuple(classes)
        self.names = names
        self.skipped = skipped

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, index: np.ndarray) -> Batch:
        labels = np.full(len(index), UNLABELLED) if self.labels is None else self.labels[index]
        return Batch(
            x=self.content(self.texts[i] for i in index.tolist()),
            labels=torch.from_numpy(labels.astype(np.int64)),
            index=torch.from_numpy(np.asarray(index, dtype=np.int64)),
        )

    def subset(self, index: np.ndarray | Sequence[int]) -> "TextSamples":
        """The texts at `index` (integers or a boolean mask)."""
        chosen = positions(index)
        some = TextSamples(
            chosen_of(self.texts, chosen),
            None if self.labels is None else self.labels[chosen],
            classes=self.classes,
            names=None if self.names is None else chosen_of(self.names, chosen),
        )
        some.targets = None if self.targets is None else self.targets[chosen]
        some.groups = None if self.groups is None else self.groups[chosen]
        return some

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Trained on these texts."""
        return train_tokenizer(self.texts)

    def read_by(self, tokenizer: Tokenizer) -> "TextSamples":
        """The same texts, with this tokenizer."""
        changed = copy.copy(self)
        changed.__dict__["tokenizer"] = tokenizer  # where `cached_property` would keep it
        return changed

    def content_hash(self) -> str:
        """A hash that other texts do not have: of all texts, or of stored ones' key and which of them these are."""
        digest = hashlib.blake2b(digest_size=16)
        whole = self.texts.names if isinstance(self.texts, Chosen) else self.texts
        if isinstance(whole, StoredTexts) and whole.key:
            digest.update(b"stored\0" + whole.key.encode())
            if isinstance(self.texts, Chosen):
                digest.update(self.texts.positions.tobytes())
            return digest.hexdigest()
        for text in self.texts:
            content = text.encode("utf-8", "surrogatepass")
            digest.update(len(content).to_bytes(8, "little") + content)
        return digest.hexdigest()

    def fingerprint(self) -> str:
        """A short hash of labels and at most 4,096 texts."""
        digest = hashlib.blake2b(repr((self.kind, len(self))).encode(), digest_size=8)
        if self.labels is not None:
            digest.update(self.labels.tobytes())
        for position in self.spread().tolist():
            digest.update(self.texts[position].encode("utf-8", "surrogatepass") + b"\0")
        return digest.hexdigest()


def text_samples(texts: Sequence[Any]) -> TextSamples:
    """Samples of strings.

    Raises:
        ValueError: there is none, one is no string, or none has a character.
    """
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(
                f"texts must be strings; number {position} is {type(text).__name__}. Leave it out, or write str(...)."
            )
    if not any(text.strip() for text in texts):
        raise ValueError(f"texts must hold at least one character; got {len(texts)} empty ones. Give more.")
    return TextSamples(texts)
