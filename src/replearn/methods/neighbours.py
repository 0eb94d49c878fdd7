"""The nearest of some representations to others: exact, by cosine."""

import numpy as np
from jaxtyping import Float, Int

AT_ONCE = 2**24  # cosines in memory


def nearest_rows(
    queries: Float[np.ndarray, "q d"], among: Float[np.ndarray, "n d"], k: int
) -> tuple[Int[np.ndarray, "q _"], Float[np.ndarray, "q _"]]:
    """Positions of the `k` rows of `among` whose cosines with each query are the greatest, and the cosines.

    Of equal cosines the earlier row comes first. A row of zeros has the cosine 0 with all others.

    >>> nearest_rows(np.array([[2.0, 0.0]]), np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), 2)[0]
    array([[1, 2]])
    """
    a, b = _unit(queries), _unit(among)
    k = min(k, len(b))
    places, cosines = np.empty((len(a), k), np.int64), np.empty((len(a), k), np.float32)
    step = max(1, AT_ONCE // max(1, len(b)))
    for start in range(0, len(a), step):
        found = (a[start : start + step] @ b.T).clip(-1, 1)  # (step, n)
        order = np.argsort(-found, axis=1, kind="stable")[:, :k]
        places[start : start + step] = order
        cosines[start : start + step] = np.take_along_axis(found, order, 1)
    return places, cosines


def _unit(rows: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: np.ndarray = rows / np.where(lengths > 0, lengths, 1)
    return unit
