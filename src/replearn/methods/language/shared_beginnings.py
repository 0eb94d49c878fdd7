"""Rows of tokens that begin alike, as prompts with several answers behind them do: what they share is read once."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Int

LEAST = 8  # tokens in common, below which nothing is gained
MOST = 2**14  # tokens of rows that are read together: a network remembers each


def together(
    rows: Sequence[Int[np.ndarray, " _"]], context: int, *, most: int = MOST
) -> Iterator[tuple[range, int]]:
    """Neighbouring rows that are alike for at least half their length, and how many tokens are.

    Rows longer than the context stay alone; so do those that share too little. Each has a token of its own, and
    together they have at most `most`, if filled up to the longest.

    >>> long = list(range(20))
    >>> rows = [np.array([*long, 1]), np.array([*long, 2, 3]), np.array([5, 6])]
    >>> list(together(rows, context=100))
    [(range(0, 2), 20), (range(2, 3), 0)]
    >>> list(together(rows, context=100, most=30))
    [(range(0, 1), 0), (range(1, 2), 0), (range(2, 3), 0)]
    """
    begun, common, longest = 0, 0, 0
    for i, row in enumerate(rows):
        alike = _common(rows[begun], row) if i > begun else len(row)
        alike, length = min(alike, common or alike), max(longest, len(row))
        fits = length - 1 <= context and length * (i + 1 - begun) <= most
        if i > begun and not (fits and alike >= max(LEAST, length // 2)):
            yield range(begun, i), common
            begun, common, longest = i, 0, len(row)
        else:
            common, longest = (alike if i > begun else 0), length
    if len(rows):
        yield range(begun, len(rows)), common


def _common(a: Int[np.ndarray, " _"], b: Int[np.ndarray, " _"]) -> int:
    """How many tokens two rows begin with, less the last of the shorter one."""
    length = min(len(a), len(b)) - 1
    differ = np.flatnonzero(a[:length] != b[:length])
    return int(differ[0]) if len(differ) else length
