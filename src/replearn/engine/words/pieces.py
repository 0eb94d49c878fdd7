"""Which rows of the input table a word is the mean of: its own, and with sub-words those of its n-grams.

    where --> <where>: <wh, whe, her, ere, re>, ... --hash--> rows

References: Bojanowski et al., TACL 2017, section 3.2. https://aclanthology.org/Q17-1010
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from replearn.engine.compiled import compiled

SHORTEST, LONGEST = 3, 6  # characters in an n-gram, with the signs for begin and end
_OFFSET, _PRIME = 2166136261, 16777619  # of the hash FNV-1a, 32 bits


class Pieces(NamedTuple):
    """Rows of each word.

    Attributes:
        starts: int64 `(n + 1,)`: word i has the rows at `starts[i] : starts[i + 1]`.
        rows: int64: the word's own comes first.
    """

    starts: np.ndarray
    rows: np.ndarray


def whole(words: int) -> Pieces:
    """Each word has its own row and no other."""
    return Pieces(np.arange(words + 1), np.arange(words))


def subwords(words: Sequence[str], buckets: int) -> Pieces:
    """Each word has its own row, and those of its n-grams: `buckets` rows behind the words' own, by a hash.

    >>> pieces = subwords(["a", "the"], 100)  # <a>; <th, the, he>, <the, the>, <the>
    >>> np.diff(pieces.starts)
    array([2, 7])
    """
    spelled = [f"<{word}>".encode() for word in words]
    ends = np.cumsum([len(word) for word in spelled])
    starts, grams = _grams(np.frombuffer(b"".join(spelled), np.uint8), ends, np.int64(buckets))
    own = starts[:-1]
    rows = grams + len(words)
    rows[own] = np.arange(len(words))
    return Pieces(starts, rows)


def composed(pieces: Pieces, table: Float[np.ndarray, "r d"]) -> Float[np.ndarray, "n d"]:
    """The vector of each word: the mean of its rows."""
    sums: np.ndarray = np.add.reduceat(table[pieces.rows], pieces.starts[:-1], axis=0)
    return sums / np.diff(pieces.starts)[:, None]


@compiled
def _grams(spelled: np.ndarray, ends: np.ndarray, buckets: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the rows of each word begin, its own first, left open; and the hash of each of its n-grams."""
    words = len(ends)
    starts = np.zeros(words + 1, np.int64)
    found = np.zeros(words + len(spelled) * (LONGEST - SHORTEST + 1), np.int64)
    count = 0
    for word in range(words):
        begin = ends[word - 1] if word else 0
        count += 1
        for first in range(begin, ends[word]):
            if spelled[first] & 0xC0 == 0x80:  # within a character of UTF-8
                continue
            value, letters = np.uint32(_OFFSET), 0
            last = first
            while last < ends[word] and letters < LONGEST:
                value = np.uint32((value ^ np.uint32(spelled[last])) * np.uint32(_PRIME))
                last += 1
                while last < ends[word] and spelled[last] & 0xC0 == 0x80:
                    value = np.uint32((value ^ np.uint32(spelled[last])) * np.uint32(_PRIME))
                    last += 1
                letters += 1
                if letters >= SHORTEST:
                    found[count] = np.int64(value) % buckets
                    count += 1
        starts[word + 1] = count
    return starts, found[:count]
