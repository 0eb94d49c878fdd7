"""What does each number of a code stand for? Codes in which one number moves, and grids over codes of two."""

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from replearn.evaluate.checks import Array, check_features

TAIL = 0.02  # share of codes beyond either end of a traversal


def unit_order(codes: Array, divergences: Array | None = None) -> Int[np.ndarray, " k"]:
    """The units, those first that say most.

    Args:
        codes: rows (n, k).
        divergences: what each unit tells, (k,): the mean KL divergence of a VAE's posterior from its prior. None:
            the variance of each unit orders them.

    Raises:
        ValueError: codes that are not finite, or not one divergence per unit.

    >>> unit_order(np.array([[0.0, 0.0, 1.0], [1.0, 5.0, 1.0]])).tolist()
    [1, 0, 2]
    """
    codes = check_features(codes, "codes")
    said = codes.astype(np.float64).var(axis=0) if divergences is None else np.asarray(divergences)
    if said.shape != (codes.shape[1],):
        raise ValueError(
            f"divergences must be one number for each of the {codes.shape[1]} units; got shape {said.shape}. "
            "Average them over samples."
        )
    return np.argsort(-said, kind="stable").astype(np.int64)


def traverse(
    code: Float[np.ndarray, " k"], codes: Array, units: Array, *, steps: int = 9
) -> Float[np.ndarray, "r steps k"]:
    """A row per unit: `code` with that unit moved from the 2 % to the 98 % quantile of `codes`.

    Args:
        code: where all other units stay (k,).
        codes: whose range is walked (n, k).
        units: positions of those to move (r,).
        steps: codes in a row, evenly spaced.

    >>> rows = traverse(np.zeros(2), np.array([[-1.0, 0.0], [1.0, 0.0]]), np.array([0]), steps=3)
    >>> rows[0].round(2).tolist()
    [[-0.96, 0.0], [0.0, 0.0], [0.96, 0.0]]
    """
    codes = check_features(codes, "codes").astype(np.float64)
    if steps < 2:
        raise ValueError(f"steps must be at least 2, both ends; got {steps}. 9 shows a way well.")
    found = np.tile(code.astype(np.float64), (len(units), steps, 1))  # (r, steps, k)
    for row, unit in zip(found, units, strict=True):
        low, high = np.quantile(codes[:, unit], [TAIL, 1 - TAIL])
        row[:, unit] = np.linspace(low, high, steps)
    return found


def typical(codes: Array) -> int:
    """The sample whose code is nearest to the mean of all, each unit over its deviation.

    >>> typical(np.array([[0.0], [4.0], [10.0]]))
    1
    """
    codes = check_features(codes, "codes").astype(np.float64)
    spread = codes.std(axis=0)
    scaled = (codes - codes.mean(axis=0)) / np.where(spread > 0, spread, 1)
    return int(np.linalg.norm(scaled, axis=1).argmin())


def code_grid(codes: Array, *, side: int = 15, normal: bool = False) -> Float[np.ndarray, "side side 2"]:
    """Codes of two numbers, evenly spaced in probability: the first grows to the right, the second upwards.

    Args:
        codes: rows (n, 2), whose quantiles the grid is made of.
        side: codes along both sides.
        normal: take the quantiles of the standard normal distribution, a VAE's prior, in place of the codes'.

    Raises:
        ValueError: codes of another number of units.

    >>> grid = code_grid(np.zeros((3, 2)), side=3, normal=True)
    >>> grid[0].round(2).tolist(), grid[:, 0, 1].round(2).tolist()
    ([[-0.97, 0.97], [0.0, 0.97], [0.97, 0.97]], [0.97, 0.0, -0.97])
    """
    codes = check_features(codes, "codes").astype(np.float64)
    if codes.shape[1] != 2:
        raise ValueError(
            f"codes must have 2 units to lie on a grid; got {codes.shape[1]}. Show traversals instead."
        )
    shares = (np.arange(side) + 0.5) / side
    places = np.stack([stats.norm.ppf(shares)] * 2, axis=1) if normal else np.quantile(codes, shares, axis=0)
    x, y = np.meshgrid(places[:, 0], places[::-1, 1])
    return np.stack([x, y], axis=2)
