"""Random numbers within compiled loops, and draws from a distribution over many words in constant time."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, UInt64

from replearn.engine.compiled import compiled, inlined

_FACTOR = np.uint64(0x2545F4914F6CDD1D)
_12, _25, _27, _32 = (np.uint64(bits) for bits in (12, 25, 27, 32))


class Alias(NamedTuple):
    """A distribution over positions.

    Attributes:
        threshold: int64 `(n,)`: a drawn position is kept with this chance, in parts of 2³².
        other: int32 `(n,)`: what else to take.
    """

    threshold: np.ndarray
    other: np.ndarray


def alias(chances: Float[np.ndarray, " n"]) -> Alias:
    """Tables for `draw`, by the alias method.

    A position drawn evenly is kept, or another taken in its place. Reference: Vose, "A linear algorithm for generating
    random numbers with a given distribution", IEEE Transactions on Software Engineering 17, 1991.

    Args:
        chances: not negative; their sum may be any positive number.
    """
    threshold, other = _pair_up(chances / chances.sum() * len(chances))
    return Alias(threshold, other)


def seed_state(*numbers: int) -> UInt64[np.ndarray, " 1"]:
    """The state of a generator, for some numbers that tell it from others."""
    found: np.ndarray = np.random.SeedSequence(numbers).generate_state(1, np.uint64) | np.uint64(
        1
    )  # zero would stay
    return found


@inlined
def bits(state: np.ndarray) -> Any:
    """32 random bits (Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled", 2016)."""
    x = state[0]
    x ^= x >> _12
    x ^= x << _25
    x ^= x >> _27
    state[0] = x
    return (x * _FACTOR) >> _32


@inlined
def below(state: np.ndarray, n: int) -> Any:
    """An integer below n, at most 2³²."""
    return np.int64((bits(state) * np.uint64(n)) >> _32)


@inlined
def draw(state: np.ndarray, table: Alias) -> Any:
    """A position."""
    i = below(state, len(table.threshold))
    return i if np.int64(bits(state)) < table.threshold[i] else np.int64(table.other[i])


@compiled
def _pair_up(left: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fill each position, of even size, with what is left of its own chance and a part of one other's."""
    n = len(left)
    threshold, other = np.full(n, np.int64(2**32)), np.arange(n).astype(np.int32)
    small, large = np.empty(n, np.int64), np.empty(n, np.int64)
    few = many = 0
    for i in range(n):
        if left[i] < 1:
            small[few] = i
            few += 1
        else:
            large[many] = i
            many += 1
    while few and many:
        few -= 1
        i, j = small[few], large[many - 1]
        threshold[i], other[i] = np.int64(left[i] * 2**32), j
        left[j] -= 1 - left[i]
        if left[j] < 1:
            many -= 1
            small[few] = j
            few += 1
    return threshold, other
