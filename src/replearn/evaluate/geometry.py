"""What shape does the cloud of embeddings have? Measures that need no labels."""

import math

import numpy as np
import numpy.typing as npt
import torch

from replearn import objectives
from replearn.engine.health import number_in_use
from replearn.evaluate.checks import Array, check_features, check_same_columns

SAMPLES = 8192  # rows that uniformity looks at: 34 million pairs, in chunks
CHUNK = 1024


def singular_values(features: Array, *, centre: bool = False) -> npt.NDArray[np.float64]:
    """Singular values of the rows (n, d), largest first; min(n, d) of them.

    Taken from the d by d (or n by n) Gram matrix in double precision: values below about 1e-8 of the largest
    are rounding noise, and are returned as 0.

    >>> singular_values(np.array([[3.0, 0.0], [0.0, 4.0]])).tolist()
    [4.0, 3.0]
    """
    rows = torch.from_numpy(np.ascontiguousarray(check_features(features))).double()
    size = float(rows.abs().max())
    rows = rows / (size or 1.0)  # so that squares neither vanish nor overflow
    if centre:
        rows = rows - rows.mean(dim=0)
    gram = rows.T @ rows if rows.shape[0] >= rows.shape[1] else rows @ rows.T
    squares = torch.linalg.eigvalsh(gram).flip(0).clamp_min(0)
    squares[squares <= squares[0] * len(squares) * torch.finfo(torch.float64).eps] = 0
    return np.asarray((squares.sqrt() * size).numpy())


def effective_rank(features: Array, *, centre: bool = False) -> float:
    r"""RankMe: how many directions the embeddings use, 1 (collapsed) to min(n, d).

    $$\exp\Bigl(-\sum_k p_k \ln p_k\Bigr), \qquad p_k = \sigma_k / \textstyle\sum_j \sigma_j$$

    Not centred, as in the paper; `centre=True` leaves out the direction of a large common mean. All-zero rows
    give 0.

    Reference: Garrido et al., ICML 2023, equation 1. https://arxiv.org/abs/2210.02885

    >>> round(effective_rank(np.eye(5)), 6), round(effective_rank(np.ones((5, 3))), 6)
    (5.0, 1.0)
    """
    sigma = singular_values(features, centre=centre)
    return number_in_use(torch.from_numpy(sigma)) if sigma.any() else 0.0


def alpha_req(features: Array) -> float:
    r"""Alpha-ReQ: how fast the spectrum of the covariance decays, $\lambda_j \propto j^{-\alpha}$.

    Around 1 goes with good transfer; large values mean few dominant directions, 0 a flat spectrum. The slope
    is fitted by least squares of $\ln \lambda_j$ on $\ln j$ with weights $1/j$, so that every octave of the
    spectrum counts alike. NaN where fewer than 3 directions vary.

    Reference: Agrawal et al., NeurIPS 2022, section 3. https://arxiv.org/abs/2202.05808

    >>> rows = np.concatenate([np.diag(np.arange(1, 9) ** -0.5), -np.diag(np.arange(1, 9) ** -0.5)])
    >>> round(alpha_req(rows), 6)
    1.0
    """
    spectrum = singular_values(features, centre=True) ** 2
    spectrum = spectrum[spectrum > 0]
    if len(spectrum) < 3:
        return math.nan
    place = np.arange(1, len(spectrum) + 1)
    x, y, weight = np.log(place), np.log(spectrum), 1 / place
    x = x - np.average(x, weights=weight)
    return float(-(weight * x * y).sum() / (weight * x * x).sum())


def alignment(a: Array, b: Array, *, power: float = 2.0) -> float:
    r"""Mean distance of two views of the same samples on the unit sphere; 0 is perfect.

    $$\frac1n \sum_i \lVert a_i - b_i \rVert_2^{\text{power}}$$

    Args:
        a, b: embeddings of two views (n, d); row i of both is the same sample. Scaled to unit length here.
        power: the paper's alpha, at least 1.

    Raises:
        ValueError: when shapes differ, rows are not finite or power is below 1.

    Reference: Wang & Isola, ICML 2020, section 4.1. https://arxiv.org/abs/2005.10242

    >>> alignment(np.eye(3), np.eye(3)), alignment(np.eye(2), -np.eye(2))
    (0.0, 4.0)
    """
    a, b = check_features(a, "a"), check_features(b, "b")
    check_same_columns(a, b, ("a", "b"))
    if len(a) != len(b):
        raise ValueError(
            f"a and b must hold the same samples row by row; got {len(a)} and {len(b)} rows. "
            "Embed both views."
        )
    left, right = (torch.from_numpy(rows.astype(np.float64)) for rows in (a, b))
    return float(objectives.alignment(left, right, power=power))


def uniformity(
    features: Array, *, scale: float = 2.0, samples: int = SAMPLES, random_state: int = 0
) -> float:
    r"""How evenly embeddings fill the unit sphere; 0 is one point, about $-2\,\text{scale}$ the best.

    $$\ln \frac{1}{n(n-1)} \sum_{i \ne j} \exp\bigl(-\text{scale}\, \lVert z_i - z_j \rVert_2^2\bigr)$$

    The objective of the same name holds all pairs at once, as gradients ask; here they come in chunks.

    Args:
        features: rows (n, d), scaled to unit length here.
        scale: t of the paper.
        samples: at most so many rows, drawn at random, take part; all their pairs count, in bounded memory.
        random_state: seed of that draw.

    Raises:
        ValueError: for fewer than 2 rows, or rows that are not finite.

    Reference: Wang & Isola, ICML 2020, section 4.1. https://arxiv.org/abs/2005.10242

    >>> round(uniformity(np.array([[1.0, 0.0], [-3.0, 0.0]])), 9)  # opposite points, squared distance 4
    -8.0
    """
    features = check_features(features)
    if len(features) < 2:
        raise ValueError(
            "uniformity must see at least 2 rows, since it compares pairs; got 1. Pass more samples."
        )
    if len(features) > samples:
        features = features[np.random.default_rng(random_state).choice(len(features), samples, replace=False)]
    rows = torch.from_numpy(_unit(features))
    norms = rows.square().sum(dim=1)  # 1, or 0 for a dead row
    total, start = 0.0, 0
    for part, own in zip(torch.split(rows, CHUNK), torch.split(norms, CHUNK), strict=True):
        squares = (own[:, None] + norms - 2 * part @ rows.T).clamp_min(0)  # (n', n)
        near = torch.exp(-scale * squares)
        near.diagonal(offset=start).zero_()  # a row and itself are no pair
        total, start = total + float(near.sum()), start + len(part)
    return math.log(total / (len(rows) * (len(rows) - 1)))


def sparsity(features: Array) -> float:
    r"""Hoyer's sparseness of a row, mean over rows: 0 for equal entries, 1 for a single one.

    $$\frac{\sqrt d - \lVert x \rVert_1 / \lVert x \rVert_2}{\sqrt d - 1}$$

    Rows of zeros have none and are left out; NaN where no row is left, or d is 1.

    Reference: Hoyer, JMLR 2004, section 3.1. https://jmlr.org/papers/v5/hoyer04a.html

    >>> sparsity(np.eye(4)), sparsity(np.ones((2, 4)))
    (1.0, 0.0)
    """
    rows = check_features(features).astype(np.float64)
    size = np.linalg.norm(rows, axis=1)
    rows, size, root = rows[size > 0], size[size > 0], math.sqrt(rows.shape[1])
    if len(rows) == 0 or root == 1:
        return math.nan
    return float(((root - np.abs(rows).sum(axis=1) / size) / (root - 1)).mean())


def lifetime_sparseness(features: Array) -> float:
    r"""How rarely a number of the representation is large: of each column over samples, mean over columns.

    $$\Bigl(1 - \frac{(\sum_i r_i / n)^2}{\sum_i r_i^2 / n}\Bigr) \Big/ \Bigl(1 - \frac1n\Bigr)$$

    with $r_i = |x_i|$, since the measure is of rates: 0 for a column of equal sizes, 1 for one that answers to a
    single sample. Columns of zeros are left out; NaN where none is left, or there is one row.

    References: Vinje & Gallant, Science 2000. https://doi.org/10.1126/science.287.5456.1273; after
        Treves & Rolls, Network 1991. https://doi.org/10.1088/0954-898X_2_4_004

    >>> lifetime_sparseness(np.eye(4)), lifetime_sparseness(np.array([[1.0], [-1.0]]))
    (1.0, 0.0)
    """
    return _sparseness(np.abs(check_features(features).astype(np.float64)).T)


def population_sparseness(features: Array) -> float:
    """How few numbers of a sample's representation are large: `lifetime_sparseness` of rows, mean over rows.

    A code can be sparse in one way and not in the other: a unit that always answers, alone, is sparse in every sample
    and never rests.

    Reference: Willmore & Tolhurst, Network 2001. https://doi.org/10.1080/net.12.3.255.270

    >>> alone = np.array([[1.0, 0.0], [1.0, 0.0]])
    >>> population_sparseness(alone), lifetime_sparseness(alone)
    (1.0, 0.0)
    """
    return _sparseness(np.abs(check_features(features).astype(np.float64)))


def dead_dimensions(features: Array, *, tolerance: float = 1e-6) -> float:
    """Share of columns that (almost) never change: a deviation of up to `tolerance` times their own largest value.

    A column's unit does not matter, nor do other columns. What trembles around 0 is alive.

    >>> dead_dimensions(np.array([[0.0, 1.0, 5.0], [1.0, 1.0, 6.0]])) == 1 / 3
    True
    """
    rows = check_features(features).astype(np.float64)
    size = np.abs(rows).max(axis=0)
    return float(((rows / np.where(size > 0, size, 1)).std(axis=0) <= tolerance).mean())


def _sparseness(rates: npt.NDArray[np.float64]) -> float:
    """Sparseness of each row of rates (m, n), mean over rows that are not all zero."""
    count = rates.shape[1]
    rates = rates[rates.max(axis=1) > 0]
    if len(rates) == 0 or count == 1:
        return math.nan
    rates = rates / rates.max(axis=1, keepdims=True)  # so that squares neither vanish nor overflow
    even = np.square(rates.mean(axis=1)) / np.square(rates).mean(axis=1)
    return float(((1 - even) / (1 - 1 / count)).mean())


def _unit(rows: Array) -> npt.NDArray[np.float64]:
    """Scale rows to unit length; rows of zeros stay."""
    rows = rows.astype(np.float64)
    size = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(size > 0, size, 1.0))
