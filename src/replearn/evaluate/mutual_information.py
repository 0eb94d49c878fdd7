"""How much does one code tell of one factor? Mutual information by counting, with a bias that is known.

Codes are cut into bins and everything is counted: one rule, written here, so that scores which rest on it cannot drift
with another package's estimator. The price of counting is a bias upwards, stated in `mutual_information`.
"""

import numpy as np
from jaxtyping import Float, Int

from replearn.evaluate.checks import Array, check_features

BINS = 20


def entropy(values: Array) -> float:
    r"""Entropy of counted values (n,), in nats: $-\sum_k p_k \ln p_k$ with the shares $p_k$ of each value.

    It is too low by about (values - 1) / (2 n).

    >>> round(entropy(np.array([3, 3, 7, 7])), 4)  # ln 2
    0.6931
    """
    shares = np.unique(np.asarray(values), return_counts=True)[1] / len(values)
    return float(max(0.0, -(shares * np.log(shares)).sum()))


def mutual_information(
    codes: Array, factors: Array, *, bins: int | None = None, spacing: str = "quantile"
) -> Float[np.ndarray, "d f"]:
    r"""Mutual information of every code with every factor, in nats, from counts of (bin, value):

    $$I = \sum_{b,k} p_{bk} \ln \frac{p_{bk}}{p_b p_k}$$

    Of independent columns it is not 0 but on average about (B - 1)(K - 1) / (2 n), with B bins and K values
    (Miller 1955): 0.03 nats for 20 bins and 15 values in 4,500 rows. No more than ln B can be seen of a factor.

    Args:
        codes: rows (n, d).
        factors: numbers of the factors' values (n, f).
        bins: B, into which codes are cut (`discretise`). None: 20, or as many as the factor with the most values has,
            so that a code which holds that factor can show all of it.
        spacing: of the bins, see `discretise`.

    Raises:
        ValueError: codes that are not finite, factors that are not whole numbers or do not vary, under 2 bins.

    Reference: Miller, Note on the bias of information estimates, 1955 (the bias).

    >>> factor = np.array([[0], [1], [0], [1]])
    >>> mutual_information(np.array([[0.1, 5.0], [0.9, 5.0], [0.1, 7.0], [0.9, 7.0]]), factor).round(4).tolist()
    [[0.6931], [0.0]]
    """
    codes, factors = check_codes(codes, factors)
    numbers = [np.unique(column, return_inverse=True)[1] for column in factors.T]
    if bins is None:
        bins = max(BINS, *(int(column.max()) + 1 for column in numbers))
    binned = discretise(codes, bins=bins, spacing=spacing)
    return np.array([[_from_counts(code, factor) for factor in numbers] for code in binned.T])


def discretise(codes: Array, *, bins: int = BINS, spacing: str = "quantile") -> Int[np.ndarray, "n d"]:
    """Cut every column of codes into bins, numbered from 0.

    A column of at most `bins` values keeps them, a bin for each: nothing is joined or cut that need not be.

    Args:
        codes: rows (n, d).
        bins: the most that a column may have.
        spacing: `quantile`, bins that hold as many rows each, which no monotone change of a code alters; or
            `width`, bins of equal width from the least to the largest value.

    Raises:
        ValueError: codes that are not finite, under 2 bins, or an unknown spacing.

    >>> discretise(np.array([[0.0], [0.1], [0.2], [9.0]]), bins=2).T.tolist()
    [[0, 0, 1, 1]]
    >>> discretise(np.array([[0.0], [0.1], [0.2], [9.0]]), bins=2, spacing="width").T.tolist()
    [[0, 0, 0, 1]]
    """
    codes = check_features(codes, "codes")
    if bins < 2:
        raise ValueError(f"bins must be at least 2, or a code would tell nothing; got {bins}.")
    if spacing not in ("quantile", "width"):
        raise ValueError(f"spacing must be 'quantile' or 'width'; got {spacing!r}.")
    return np.stack([_bins(column, bins, spacing) for column in codes.T], axis=1)


def check_codes(codes: Array, factors: Array) -> tuple[Array, Array]:
    """Return finite codes (n, d) and factors (n, f) of whole numbers, each of which varies."""
    codes = check_features(codes, "codes")
    factors = np.asarray(factors)
    if factors.ndim != 2 or len(factors) != len(codes) or factors.shape[1] == 0:
        raise ValueError(
            f"factors must be a table with a row for each of the {len(codes)} codes and a column per factor; "
            f"got shape {factors.shape}."
        )
    if factors.dtype.kind not in "iub":
        raise ValueError(
            f"factors must be whole numbers, one per value; got dtype {factors.dtype}. Number the values."
        )
    still = np.flatnonzero((factors == factors[0]).all(axis=0))
    if len(still):
        raise ValueError(
            f"every factor must take two values at least; column {still[0]} is always {factors[0, still[0]]}. "
            "Leave it out."
        )
    return codes, factors


def _bins(column: Array, bins: int, spacing: str) -> Int[np.ndarray, " n"]:
    values, numbers = np.unique(column, return_inverse=True)
    if len(values) <= bins:
        return numbers.astype(np.int64)
    if spacing == "quantile":
        edges = np.quantile(column, np.arange(1, bins) / bins)
    else:
        edges = np.linspace(values[0], values[-1], bins + 1)[1:-1]
    places = np.searchsorted(edges, column, side="right")
    return np.unique(places, return_inverse=True)[1].astype(np.int64)  # without the bins that no row is in


def _from_counts(code: Array, factor: Array) -> float:
    """Mutual information of two columns of numbers from 0 on."""
    shape = int(code.max()) + 1, int(factor.max()) + 1
    joint = np.bincount(code * shape[1] + factor, minlength=shape[0] * shape[1]).reshape(shape) / len(code)
    expected = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    there = joint > 0
    return float(max(0.0, (joint[there] * np.log(joint[there] / expected[there])).sum()))
