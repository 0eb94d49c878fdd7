"""Clips of squares that move, some of which stand still at the end."""

import numpy as np

from replearn.data import Samples, as_samples


def made_clips(n: int, *, frames: int = 6, size: int = 12, still: bool = True) -> Samples:
    """Coloured squares on coloured noise that move to the right, down or both ways, of three classes.

    Args:
        n: clips.
        frames: of each.
        size: pixels a side.
        still: whether every fifth clip begins and ends in frames that are repeated, so that it is not asked.
    """
    draw = np.random.default_rng(0)
    x = np.repeat(draw.integers(0, 60, (n, 1, 3, size, size), dtype=np.uint8), frames, axis=1)
    for i in range(n):
        colour, first = draw.integers(90, 255, 3), draw.integers(0, size - frames - 1, 2)
        for t in range(frames):
            moved = min(max(t, 1), frames - 2) if still and i % 5 == 4 else t
            top, left = first + np.array([moved * (i % 3 != 0), moved * (i % 3 != 1)])
            x[i, t, :, top : top + 3, left : left + 3] = colour[:, None, None]
    return as_samples(x, np.arange(n) % 3, kind="video")
