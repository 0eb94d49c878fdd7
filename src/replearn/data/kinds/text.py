"""Texts, and the tokens that they are read as."""

from typing import ClassVar

from replearn.data.kinds.base import WORDS, Kind
from replearn.data.samples import Batch, Samples
from replearn.data.text import TextSamples


class Text(Kind):
    """Strings. As rows they are bags of words, 4,096 hashes to compare with, of which no method is made to learn."""

    plural: ClassVar[str] = "texts"
    offers: ClassVar[frozenset[str]] = frozenset({WORDS})

    def of_batch(self, batch: Batch, like: Samples) -> Samples:
        return TextSamples(batch.x)


class Tokens(Kind):
    """Windows of a stream of tokens, int64 `(t,)`: what language models go through, made of texts."""

    plural: ClassVar[str] = "windows of tokens"
    listed: ClassVar[bool] = False
    offers: ClassVar[frozenset[str]] = frozenset()
