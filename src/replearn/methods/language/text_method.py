"""`TextMethod`: what methods share that read texts by a tokenizer of their own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from replearn.data import Description, Samples, TextSamples
from replearn.data.tokenizer import Tokenizer
from replearn.data.tokenizer_training import Spelled, make_tokenizer
from replearn.encoders import TextEncoder, text_encoder, tokenizer_of
from replearn.methods.base import Method


@dataclass(kw_only=True, eq=False, repr=False)
class TextMethod(Method):
    """A method that trains a tokenizer on the texts, or takes one, before it learns from them.

    Attributes:
        tokenizer: kind of tokenizer that is trained on the texts: `bpe`, `wordpiece`, `unigram`, `words`,
            `characters` or `bytes`; or a tokenizer.json of the `tokenizers` library. An encoder `hf:FOLDER` has its
            own.
        vocabulary: tokens at most.
        lowercase: whether capitals are lost.
    """

    family: ClassVar[str] = "language"
    needs: ClassVar[tuple[str, ...]] = ("encoder", "words")

    tokenizer: str = "bpe"
    vocabulary: int = 4096
    lowercase: bool = False

    def reading(self, samples: Samples) -> Samples:
        """The texts, with this method's tokenizer."""
        if not isinstance(samples, TextSamples):
            return samples  # refused by `check`
        return samples.read_by(self._tokenizer(samples))

    def _tokenizer(self, samples: TextSamples) -> Tokenizer:
        own = tokenizer_of(self.encoder)
        if own is None:
            return make_tokenizer(
                self.tokenizer, samples.texts, size=self.vocabulary, lowercase=self.lowercase
            )
        for name in ("tokenizer", "vocabulary", "lowercase"):
            value = getattr(self, name)
            if value != type(self).__dataclass_fields__[name].default:
                raise ValueError(
                    f"{name} must be left out beside an encoder that brings its own tokenizer; got {value!r}."
                )
        return own

    def idle(self, samples: Samples) -> Mapping[str, str]:
        return idle_of_sequences(samples, "tokenizer", "lowercase")

    def build(self, samples: Description) -> None:
        self.encoder_: TextEncoder = text_encoder(self.encoder, samples)


def idle_of_sequences(samples: Samples, *names: str) -> Mapping[str, str]:
    """Fields of a tokenizer, which do nothing where texts are sequences, since these say how they become tokens."""
    if not isinstance(getattr(samples, "texts", None), Spelled):
        return {}
    return dict.fromkeys(names, "sequences say how they become tokens (kind='sequence:tokens=...')")
