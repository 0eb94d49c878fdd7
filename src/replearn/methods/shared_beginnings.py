"""Rows of tokens that begin alike, as prompts with several answers behind them do: what they share is read once."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Int

LEAST = 8  # tokens in common, below which nothing is gained


def together(rows: Sequence[Int[np.ndarray, " _"]], context: int) -> Iterator[tuple[range, int]]:
    """Neighbouring rows that are alike for at least half their length, and how many tokens are.

    Rows longer than the context stay alone; so do those that share too little. Each has a token of its own.

    >>> long = list(range(20))
    >>> rows = [np.array([*long, 1]), np.array([*long, 2, 3]), np.array([5, 6])]
    >>> list(together(rows, context=100))
    [(range(0, 2), 20), (range(2, 3), 0)]
    """
    begun, common = 0, 0
    for i in range(1, len(rows) + 1):
        alike = _common(rows[begun], rows[i]) if i < len(rows) else 0
        alike = min(alike, common or alike)
        longest = max(map(len, rows[begun : i + 1]))
        if alike >= max(LEAST, longest // 2) and longest - 1 <= context:
            common = alike
            continue
        yield range(begun, i), common
        begun, common = i, 0


def _common(a: Int[np.ndarray, " _"], b: Int[np.ndarray, " _"]) -> int:
    """How many tokens two rows begin with, less the last of the shorter one."""
    length = min(len(a), len(b)) - 1
    differ = np.flatnonzero(a[:length] != b[:length])
    return int(differ[0]) if len(differ) else length
