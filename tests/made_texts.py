"""Made-up texts of a few words, for tests that only need some."""

import numpy as np

WORDS = ("the", "a", "cat", "dog", "sat", "ran", "on", "under", "mat", "tree")


def made_texts(n: int, *, least: int = 3, most: int = 19) -> list[str]:
    """`n` texts, each of `least` to `most` words; the same ones every time."""
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(WORDS, size=rng.integers(least, most + 1))) for _ in range(n)]
