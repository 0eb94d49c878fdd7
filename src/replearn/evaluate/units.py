"""What excites a unit? The samples at which each number of a layer is largest."""

import numpy as np
from jaxtyping import Int

from replearn.evaluate.checks import Array, check_features, unit_columns


def top_samples(activations: Array, *, count: int = 8) -> Int[np.ndarray, "d k"]:
    """For each unit, the samples that excite it most, strongest first; of equals, the earlier.

    Args:
        activations: rows (n, d), a column per unit.
        count: how many samples; all where there are fewer.

    Raises:
        ValueError: activations that are not finite, or a count below 1.

    >>> top_samples(np.array([[0.1, 9.0], [0.9, 0.0], [0.5, 1.0]]), count=2).tolist()
    [[1, 2], [0, 2]]
    """
    activations = check_features(activations, "activations")
    if count < 1:
        raise ValueError(f"count must be at least 1; got {count}. 8 show well what excites a unit.")
    return np.argsort(-activations, axis=0, kind="stable")[:count].T.astype(np.int64)


def telling_units(activations: Array, *, count: int = 6) -> Int[np.ndarray, " d"]:
    """The units whose activations are the most peaked (kurtosis): few samples excite them, much.

    Units that never change come last.

    >>> telling_units(np.array([[0.0, 1.0], [0.0, 0.0], [0.0, 1.0], [9.0, 0.0]]), count=1).tolist()
    [0]
    """
    rows = unit_columns(check_features(activations, "activations"))
    second = np.square(rows).mean(axis=0)
    alive = second > 0
    peaked = np.where(alive, (rows**4).mean(axis=0) / np.where(alive, second, 1) ** 2, -1.0)
    return np.argsort(-peaked, kind="stable")[:count].astype(np.int64)
