"""How many texts are longer than an encoder reads: what it leaves out is told in one line."""

import warnings
from collections.abc import Sequence

import numpy as np

from replearn.data.told import DataWarning
from replearn.encoders.vocabulary import LONGEST, Vocabulary

LOOKED_AT = 512  # texts that are tokenised to tell
BYTES = 4  # of a character in UTF-8, at most; a token has one at least


def warn_of_long_texts(texts: Sequence[str], vocabulary: Vocabulary, length: int) -> None:
    """A `DataWarning` where some of the texts have more than `length` tokens: how many, and how much is left out.

    Of many long texts, some are looked at, and the line says "about".
    """
    marks = len(vocabulary.tokenizer.encode([""], framed=True)[0])
    long = np.flatnonzero([BYTES * len(text) + marks > length for text in texts])
    chosen = long
    if len(long) > LOOKED_AT:  # drawn, since texts may come in turns
        chosen = np.random.default_rng(0).choice(long, LOOKED_AT, replace=False)
    sizes = np.array([_tokens(texts[i], vocabulary, length) for i in chosen.tolist()])
    cut = sizes[sizes > length]
    about = "about " if len(chosen) < len(long) else ""
    tell_of_cuts(round(len(cut) * len(long) / max(1, len(chosen))), len(texts), cut, length, about=about)


def tell_of_cuts(
    cut: int, n: int, sizes: Sequence[int] | np.ndarray, length: int, *, about: str = ""
) -> None:
    """The warning itself, unless nothing was cut.

    Args:
        cut: texts that are too long.
        n: texts.
        sizes: tokens of those that are too long, or of some of them.
        length: tokens that are read.
    """
    if not cut:
        return
    lost = 1 - length * len(sizes) / float(np.sum(sizes))
    line = (
        f"{about}{cut:,} of {n:,} texts are longer than the {length:,} tokens that are read: the rest of them is left "
        f"out, {lost:.0%} of these texts (the longest has {'about ' if about else ''}{int(np.max(sizes)):,} tokens)"
    )
    warnings.warn(line, DataWarning, stacklevel=3)


def _tokens(text: str, vocabulary: Vocabulary, length: int) -> int:
    """Tokens of a text, marks included; of one that is far too long, by its beginning."""
    head = text[: LONGEST * length]
    found = len(vocabulary.tokenizer.encode([head], framed=True)[0])
    return found if len(head) == len(text) else max(length + 1, round(found * len(text) / len(head)))
