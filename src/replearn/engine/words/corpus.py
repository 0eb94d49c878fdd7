"""What is counted and cut before training: how often tokens occur, and stretches of text that windows do not leave."""

import numpy as np
from jaxtyping import Float, Int

from replearn.engine.words.predict import LONGEST

AT_ONCE = 2**24  # tokens
LONELY = (
    "word vectors are learned from words that stand in one text with others; no text has two known words. "
    "Give longer texts, or lower `least`."
)


def count_tokens(ids: Int[np.ndarray, " t"], size: int) -> Int[np.ndarray, " size"]:
    """How often each of `size` tokens occurs, in bounded memory.

    >>> count_tokens(np.array([2, 0, 2], dtype=np.int32), 4)
    array([1, 0, 2, 0])
    """
    counts = np.zeros(size, dtype=np.int64)
    for start in range(0, len(ids), AT_ONCE):
        counts += np.bincount(ids[start : start + AT_ONCE], minlength=size)
    return counts


def kept_chances(counts: Int[np.ndarray, " n"], sample: float) -> Int[np.ndarray, " n"]:
    r"""With which chance an occurrence of each word is kept, in parts of 2³²; 0 for words that do not occur.

    With f the word's share of all words, and s = `sample`:  sqrt(s / f) + s / f, at most 1.

    The first term is the paper's (equation 5); the second is in the authors' program, so that no word is lost whose
    share is about s. https://arxiv.org/abs/1310.4546

    Args:
        counts: of words; 0 for tokens that are none.
        sample: about the share of all words beyond which a word counts as frequent; 0 keeps all.

    >>> kept_chances(np.array([0, 1, 99]), 0.01) / 2**32
    array([0.        , 1.        , 0.1106...])
    """
    if sample == 0:
        return np.where(counts > 0, 2**32, 0)
    ratio = sample * counts.sum() / np.maximum(counts, 1)
    return np.where(counts > 0, np.minimum(2.0**32, (np.sqrt(ratio) + ratio) * 2**32), 0).astype(np.int64)


def noise_chances(counts: Int[np.ndarray, " n"], power: float) -> Float[np.ndarray, " n"]:
    """How often words are drawn as negatives, in proportion: their counts, to some power."""
    return np.where(counts > 0, np.maximum(counts, 1).astype(np.float64) ** power, 0.0)


def spans_of(ends: Int[np.ndarray, " n"]) -> Int[np.ndarray, "s 2"]:
    """Begin and end of each text, without the token that marks its end; long ones in pieces of at most 10,000 tokens.

    Args:
        ends: the position after each text, as in `TokenStream`.

    >>> spans_of(np.array([3, 4, 10_006])).tolist()
    [[0, 2], [4, 10004], [10004, 10005]]
    """
    begins = np.concatenate([[0], ends[:-1]])
    lengths = ends - 1 - begins
    pieces = -(-lengths // LONGEST)  # 0 of empty texts
    within = np.arange(pieces.sum()) - np.repeat(pieces.cumsum() - pieces, pieces)
    starts = np.repeat(begins, pieces) + within * LONGEST
    return np.stack([starts, np.minimum(starts + LONGEST, np.repeat(ends - 1, pieces))], axis=1)


def portions(spans: Int[np.ndarray, "s 2"], tokens: int) -> list[Int[np.ndarray, "_ 2"]]:
    """The spans in consecutive portions of about so many tokens each."""
    before = np.cumsum(spans[:, 1] - spans[:, 0]) - 1
    cuts = np.flatnonzero(np.diff(before // tokens)) + 1
    return np.split(spans, cuts)


def shares(spans: Int[np.ndarray, "s 2"], workers: int) -> list[Int[np.ndarray, "_ 2"]]:
    """The spans in `workers` consecutive shares with about as many tokens each; some may be empty."""
    before = np.cumsum(spans[:, 1] - spans[:, 0])
    cuts = np.searchsorted(before, before[-1] * np.arange(1, workers) / workers)
    return np.split(spans, cuts)
