"""Levels of images deeper than bytes: one range for a whole set becomes [0, 1], and no level is lost.

Files keep 12 bits in 16, depth in metres, or counts. A range of its own for each image would make brightness mean
nothing between images, and 256 levels would lose most of them; so levels are stored as they are, and a batch is
float32, `(level - low) / (high - low)`.
"""

import numpy as np

Levels = tuple[float, float]  # what becomes 0 and what becomes 1

SIXTEEN_BITS = (0.0, 65535.0)
# float32 holds every whole number up to this.
MOST = 2**24
# Larger floats have a range that float32 does not hold.
LARGEST = 1e18
# Images of 255 levels whose brightest is below this are said to be dark.
DARK = 32


def range_of(low: float, high: float, *, whole: bool) -> Levels:
    """The range of a set whose levels lie in `low ... high`.

    Whole numbers from 0 on have a depth in bits: the range ends at 255, or at the first of 511, 1,023, 2,047, ... that
    holds all of them, so that a few more images seldom change it. Fractions in [0, 1] stay as they are. Anything else
    (negative levels, metres) is stretched from the lowest to the highest.

    >>> range_of(3, 4012, whole=True), range_of(0, 200, whole=True), range_of(0.1, 0.9, whole=False)
    ((0.0, 4095.0), (0.0, 255.0), (0.0, 1.0))
    >>> range_of(-1024, 3071, whole=True), range_of(0.4, 8.5, whole=False)
    ((-1024.0, 3071.0), (0.4, 8.5))
    """
    if whole and low >= 0:
        return 0.0, float(2 ** max(8, int(high).bit_length()) - 1)
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    return float(low), float(high if high > low else low + 1)


def is_depth(levels: Levels) -> bool:
    """Whether a range is that of so many bits, 8 or more, rather than from the lowest to the highest level of a set.

    >>> is_depth((0.0, 4095.0)), is_depth((0.0, 16.0)), is_depth((0.4, 8.5))
    (True, False, False)
    """
    return levels in {(0.0, float(2**bits - 1)) for bits in range(8, 25)}


def scaled(x: np.ndarray, levels: Levels) -> np.ndarray:
    """Levels as float32 in [0, 1]; what lies outside the range is cut to it."""
    low, high = np.float32(levels[0]), np.float32(levels[1])
    result: np.ndarray = np.clip((x.astype(np.float32) - low) / (high - low), 0, 1)
    return result


def in_words(levels: Levels) -> str:
    """A range for a reader.

    >>> in_words((0.0, 4095.0))
    '0 ... 4,095'
    """
    return " ... ".join(f"{level:,.0f}" if level == int(level) else f"{level:.4g}" for level in levels)


def dark_in_words(highest: float) -> str:
    """For a reader, that the brightest of 255 levels is no more than this; nothing where that is bright, or none is.

    >>> dark_in_words(16)
    '; they are dark, at most 16 of 255 (for the whole range, give x / 16)'
    """
    if not 0 < highest < DARK:
        return ""
    return f"; they are dark, at most {highest:.0f} of 255 (for the whole range, give x / {highest:.0f})"
