"""Which samples lie far from all others?"""

import numpy as np
from jaxtyping import Float

from replearn.evaluate.checks import Array
from replearn.evaluate.neighbours import nearest


def outlying(
    rows: Array, *, neighbours: int = 10, fences: float = 2.0
) -> tuple[Float[np.ndarray, " n"], float]:
    """How far each sample lies from others, and from where on that is far out.

    The distance is the mean to the `neighbours` nearest others (Angiulli & Pizzuti 2002), far out if it exceeds the
    upper quartile by more than `fences` times the distance between the quartiles (Tukey 1977, section 2D).

    Args:
        rows: representations (n, d), without copies, which would lie near each other wherever they are.
        neighbours: fewer where there are fewer others.
        fences: Tukey has 1.5 and 3. By 2, of digits with noise, shuffled and inverted ones among them, 86 % and more of
            what was found had been planted, of two sizes of images; by 3, of the larger ones nothing was found.

    >>> far, limit = outlying(np.r_[np.random.default_rng(0).uniform(size=(200, 2)), [[3.0, 3.0]]])
    >>> int(far.argmax()), bool(far[200] > limit)
    (200, True)
    """
    k = min(neighbours, len(rows) - 1)
    if k < 1:
        return np.zeros(len(rows)), float("inf")
    _, similarity = nearest(rows, rows, k=k + 1, metric="euclidean")
    far = -similarity[:, 1:].mean(1)
    low, high = np.quantile(far, [0.25, 0.75])
    return far, float(high + fences * (high - low))
