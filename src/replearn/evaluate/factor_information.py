"""Disentanglement by mutual information: does each factor have one code, and each code one factor?"""

import numpy as np

from replearn.evaluate.checks import Array
from replearn.evaluate.mutual_information import entropy, mutual_information


def mutual_information_gap(
    codes: Array, factors: Array, *, bins: int | None = None, spacing: str = "quantile"
) -> float:
    r"""MIG: how much more the best code tells of a factor than the second best, as a share of the factor's entropy.

    $$\frac1f \sum_k \frac{1}{H(v_k)} \Bigl(I(z_{j_k}; v_k) - \max_{j \ne j_k} I(z_j; v_k)\Bigr), \quad
      j_k = \arg\max_j I(z_j; v_k)$$

    1 if every factor has one code to itself; 0 if for every factor two codes tell the same. A single code has no
    rival: its gap is what it tells. Random codes score near 0, since the bias of counting is about the same for all.
    Chen et al. take samples of q(z | x) for codes: give those where the noise of a code matters.

    Args:
        codes: rows (n, d).
        factors: numbers of the factors' values (n, f).
        bins, spacing: of `mutual_information`. With `bins=20, spacing="width"` the estimate is that of
            disentanglement_lib, but for columns of up to 20 values, which keep them.

    Raises:
        ValueError: as `mutual_information` does.

    Reference: Chen et al., NeurIPS 2018, equation 6. https://arxiv.org/abs/1802.04942

    >>> factors = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> mutual_information_gap(factors, factors), mutual_information_gap(factors[:, [0, 1, 1]], factors)
    (1.0, 0.5)
    """
    told = mutual_information(codes, factors, bins=bins, spacing=spacing)  # (d, f)
    ranked = np.sort(np.vstack([told, np.zeros((1, told.shape[1]))]), axis=0)[::-1]
    return float(np.mean((ranked[0] - ranked[1]) / [entropy(factor) for factor in np.asarray(factors).T]))


def modularity(codes: Array, factors: Array, *, bins: int | None = None, spacing: str = "quantile") -> float:
    r"""Whether each code tells of one factor only, whatever it tells of that one.

    $$\frac1d \sum_i \Bigl(1 - \frac{\sum_{k \ne k_i} I_{ik}^2}{I_{i k_i}^2 (f - 1)}\Bigr), \quad
      k_i = \arg\max_k I_{ik}$$

    1 if every code tells of one factor, 0 if every code tells as much of all. Two codes for one factor cost nothing,
    and codes that tell of no factor at all are left out of the mean (disentanglement_lib counts them as 0); without
    any other code the score is 0. Random codes do not score 0: what they seem to tell is the bias of counting, in
    proportion to K - 1 for K values, so they score about 1 minus the mean of ((K - 1) / (largest K - 1))² over all
    other factors.

    Args:
        codes: rows (n, d).
        factors: numbers of the factors' values (n, f), f at least 2.
        bins, spacing: of `mutual_information`.

    Raises:
        ValueError: a single factor, or as `mutual_information` does.

    Reference: Ridgeway & Mozer, NeurIPS 2018, section 3. https://arxiv.org/abs/1802.05312

    >>> factors = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> modularity(factors[:, [0, 0]], factors), modularity(2 * factors[:, :1] + factors[:, 1:], factors)
    (1.0, 0.0)
    """
    told = mutual_information(codes, factors, bins=bins, spacing=spacing)  # (d, f)
    if told.shape[1] < 2:
        raise ValueError("factors must have two columns at least, since modularity compares them; got 1.")
    told = told[told.max(axis=1) > 1e-12]
    if len(told) == 0:
        return 0.0
    shares = (told / told.max(axis=1, keepdims=True)) ** 2
    return float(np.mean(1 - (shares.sum(axis=1) - 1) / (told.shape[1] - 1)))
