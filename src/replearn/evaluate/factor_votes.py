"""Disentanglement by fixing one factor: which one was it? Asked of a linear classifier, or of a vote.

Both draw rows that agree in one factor, the others as they come; so rows should hold the factors in all combinations.
"""

import numpy as np
from jaxtyping import Int

from replearn.evaluate.checks import Array, moves, unit_columns
from replearn.evaluate.mutual_information import check_codes


def beta_vae_score(
    codes: Array,
    factors: Array,
    *,
    points: int = 2000,
    rows: int = 64,
    random_state: int = 0,
) -> float:
    r"""Accuracy of a linear classifier that tells which factor was the same in pairs of rows.

    A point is the mean over `rows` pairs of $|z_1 - z_2|$, where both rows of a pair have one value of the factor in
    question. The code of that factor hardly differs. A logistic regression learns on half of the points, and its
    accuracy on the other half is the score: 1 if every factor shows itself, 1 / f by chance. Here codes are divided by
    their deviation first, so that units of measure do not matter.

    Args:
        codes: rows (n, d).
        factors: numbers of the factors' values (n, f).
        points: to learn and to judge by, together.
        rows: L, pairs in a point.
        random_state: seed of the draws.

    Raises:
        ValueError: codes that are not finite; factors that are not whole numbers, do not vary, or have no value
            that two rows share.

    Reference: Higgins et al., ICLR 2017, section 3, algorithm 1. https://openreview.net/forum?id=Sy2fzU9gl

    >>> factors = np.stack(np.unravel_index(np.arange(64), (4, 4, 4)), axis=1)
    >>> beta_vae_score(factors, factors, points=200)
    1.0
    """
    from sklearn.linear_model import LogisticRegression

    codes, factors = check_codes(codes, factors)
    scaled = unit_columns(codes)
    rng = np.random.default_rng(random_state)
    asked = np.arange(points) % factors.shape[1]
    differences = np.empty((points, codes.shape[1]))
    for factor in range(factors.shape[1]):
        chosen = np.flatnonzero(asked == factor)
        first, second = _alike(factors[:, factor], rng, groups=len(chosen) * rows, rows=2).T
        pairs = np.abs(scaled[first] - scaled[second])  # (points, rows of each) in one axis
        differences[chosen] = pairs.reshape(len(chosen), rows, -1).mean(axis=1)
    learn = rng.permutation(points) < points // 2
    classifier = LogisticRegression(C=100.0, max_iter=1000).fit(differences[learn], asked[learn])
    return float(classifier.score(differences[~learn], asked[~learn]))


def factor_vae_score(
    codes: Array,
    factors: Array,
    *,
    votes: int = 4000,
    rows: int = 64,
    collapsed: float = 0.0,
    random_state: int = 0,
) -> float:
    r"""Accuracy of a vote: the code that varies least where a factor is fixed names that factor.

    A vote: fix a factor at the value of a row drawn at random, draw `rows` rows with that value, and find the code
    whose variance in them is the smallest share of its variance in all rows. In the first half of the votes each code
    is given the factor for which it was found most often; the score is how often that is right in the second half. (Kim
    & Mnih count the first half itself, which is a little too high.) 1 if every factor has a code that holds still
    with it, 1 / f by chance, also where all codes are constant.

    Args:
        codes: rows (n, d).
        factors: numbers of the factors' values (n, f).
        votes: M, to learn and to judge by, together.
        rows: L, rows in a vote.
        collapsed: codes of a smaller variance are left out. It is in the unit of the codes: for means of a VAE, whose
            prior has variance 1, Kim & Mnih take 0.05, which leaves out those that collapsed to the prior. At 0 only
            constant codes are left out, and units of measure do not matter.
        random_state: seed of the draws.

    Raises:
        ValueError: codes that are not finite; factors that are not whole numbers, do not vary, or have no value
            that two rows share.

    Reference: Kim & Mnih, ICML 2018, section 4 and appendix. https://arxiv.org/abs/1802.05983

    >>> factors = np.stack(np.unravel_index(np.arange(64), (4, 4, 4)), axis=1)
    >>> factor_vae_score(factors, factors, votes=200)
    1.0
    """
    codes, factors = check_codes(codes, factors)
    variance = codes.astype(np.float64).var(axis=0)
    scaled = unit_columns(codes[:, moves(codes) & (variance >= collapsed)])
    if scaled.shape[1] == 0:
        return 1 / int(factors.shape[1])
    rng = np.random.default_rng(random_state)
    table = np.zeros((2, scaled.shape[1], factors.shape[1]), dtype=np.int64)  # (half, code, factor)
    for half in range(2):
        for factor in range(factors.shape[1]):
            groups = votes // (2 * factors.shape[1]) or 1
            chosen = _alike(factors[:, factor], rng, groups=groups, rows=rows)  # (groups, rows)
            stillest = scaled[chosen].var(axis=1).argmin(axis=1)
            table[half, :, factor] = np.bincount(stillest, minlength=scaled.shape[1])
    named = table[0].argmax(axis=1)
    return float(table[1, np.arange(len(named)), named].sum() / table[1].sum())


def _alike(
    factor: Array, rng: np.random.Generator, *, groups: int, rows: int
) -> Int[np.ndarray, "groups rows"]:
    """Positions of rows that share a value, drawn with replacement; the value is that of a row at random."""
    values, numbers, counts = np.unique(factor, return_inverse=True, return_counts=True)
    if counts.max() < 2:
        raise ValueError(
            f"factors must share values between rows, to fix one; a column has {len(values)} values in as many rows. "
            "Give more rows, or coarser values."
        )
    order, starts = np.argsort(numbers, kind="stable"), np.cumsum(counts) - counts
    shared = np.flatnonzero(counts[numbers] > 1)  # a value of one row alone would make all codes hold still
    value = numbers[rng.choice(shared, size=groups)]
    place = rng.integers(0, counts[value][:, None], size=(groups, rows))
    return np.asarray(order[starts[value][:, None] + place])
