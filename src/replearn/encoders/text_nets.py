"""Encoders of texts by name."""

from copy import deepcopy
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from replearn.data.tokenizer import Tokenizer
from replearn.encoders.characters import two_way_encoder
from replearn.encoders.folders import folder_tokenizer, pretrained, pretrained_head
from replearn.encoders.recurrent import LSTM
from replearn.encoders.stand_ins import meant_by
from replearn.encoders.text import TextBody, TextEncoder
from replearn.encoders.transformer import TRANSFORMERS, make_transformer
from replearn.encoders.two_halves import HeadedTexts
from replearn.encoders.vocabulary import Tokens, Vocabulary

TEXT_ENCODERS = ("words", "lstm", "elmo", *TRANSFORMERS)
FOLDER = "hf:"


class WordVectors(nn.Module):
    """A vector per token, and no more: the mean of a text's is a bag of words.

    Args:
        vocabulary: number of tokens.
        dim: numbers per vector.
    """

    length = 1024

    def __init__(self, vocabulary: int, dim: int = 256) -> None:
        super().__init__()
        self.dim = dim
        self.embedding = nn.Embedding(vocabulary, dim)

    def states(self, tokens: Tokens) -> list[Float[Tensor, "n t d"]]:
        """The vectors of the tokens."""
        return [self.embedding(tokens.ids)]  # (n, t, d)

    def word_vectors(self) -> Float[Tensor, "v d"]:
        """The vector of each token."""
        return self.embedding.weight


def text_encoder(spec: str | nn.Module, samples: Any) -> TextEncoder:
    """An encoder of texts like these.

    Args:
        spec: `auto` (`bert_mini`), one of `TEXT_ENCODERS`, `hf:FOLDER` (a local folder of the Hugging Face libraries,
            with its own tokenizer) or a `TextEncoder`, which is copied.
        samples: have a `tokenizer`.

    Raises:
        ValueError: there is no such encoder.

    >>> import numpy as np
    >>> from replearn.data.text import TextSamples
    >>> samples = TextSamples(["to be or not to be"])
    >>> encoder = text_encoder("lstm", samples)
    >>> encoder(samples[np.array([0])]).shape
    torch.Size([1, 256])
    """
    spec = meant_by(spec)
    if isinstance(spec, TextEncoder):
        return deepcopy(spec)
    if isinstance(spec, nn.Module):
        raise ValueError(
            f"an encoder of texts must be a TextEncoder, which has a vocabulary; got {type(spec).__name__}. "
            "Give a name, or TextEncoder(Vocabulary(tokenizer), TextBody(module))."
        )
    if spec.startswith(FOLDER):
        body, own = pretrained(_path(spec))
        vocabulary = body.vocabulary if isinstance(body, HeadedTexts) else Vocabulary
        return TextEncoder(vocabulary(own or samples.tokenizer), body)
    if "@" in spec:
        raise ValueError(
            f"an encoder of texts has its weights from a run or a folder, with its tokenizer; got {spec!r}. "
            "Give the run folder alone, or hf:FOLDER."
        )
    tokenizer = samples.tokenizer
    if spec == "elmo":
        return two_way_encoder(tokenizer)
    return TextEncoder(
        Vocabulary(tokenizer), TextBody(_net("bert_mini" if spec == "auto" else spec, tokenizer))
    )


def _net(name: str, tokenizer: Tokenizer) -> nn.Module:
    if name in TRANSFORMERS:
        return make_transformer(name, tokenizer)
    if name == "lstm":
        return LSTM(tokenizer.size)
    if name == "words":
        return WordVectors(tokenizer.size)
    near = get_close_matches(name, TEXT_ENCODERS, n=3, cutoff=0.4) or TEXT_ENCODERS[:3]
    raise ValueError(
        "an encoder of texts must be auto, words, lstm, elmo, a transformer such as bert_mini, or hf:FOLDER; "
        f"got {name!r}. Nearest: {', '.join(near)}."
    )


def tokenizer_of(spec: Any) -> Tokenizer | None:
    """The tokenizer that an encoder brings along: that of `hf:FOLDER`, or of a `TextEncoder`; None: of others.

    Raises:
        ValueError: the folder lacks it.
    """
    spec = meant_by(spec)
    if isinstance(spec, TextEncoder):
        return spec.vocabulary.tokenizer
    return folder_tokenizer(_path(spec)) if isinstance(spec, str) and spec.startswith(FOLDER) else None


def head_in(spec: str | nn.Module) -> nn.Module | None:
    """The layer by which a language model in `hf:FOLDER` tells the next token, unless by the tokens' own vectors.

    Raises:
        ValueError: it tells it in another way.
    """
    return pretrained_head(_path(spec)) if isinstance(spec, str) and spec.startswith(FOLDER) else None


def _path(spec: str) -> Path:
    return Path(spec.removeprefix(FOLDER)).expanduser()
