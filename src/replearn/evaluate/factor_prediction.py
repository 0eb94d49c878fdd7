"""Disentanglement by prediction: what do codes say of the factors, and which code says it?

All three learn from one half of the rows and are judged by the other; the halves are drawn by a seed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from replearn.evaluate.checks import Array, unit_columns
from replearn.evaluate.mutual_information import check_codes, discretise

LEAF = 10  # rows
ROWS = 10_000  # that models learn from and are judged by, together


@dataclass(frozen=True)
class DCI:
    """Disentanglement, completeness and informativeness; 1 is perfect for all three.

    Attributes:
        disentanglement: whether each code is important for one factor only.
        completeness: whether each factor needs one code only.
        informativeness: accuracy of predicting the factors from all codes.
        importance: share of each code in predicting each factor (d, f); columns sum to 1.
    """

    disentanglement: float
    completeness: float
    informativeness: float
    importance: Float[np.ndarray, "d f"]


def dci(
    codes: Array,
    factors: Array,
    *,
    trees: int = 20,
    boosted: bool = False,
    rows: int = ROWS,
    random_state: int = 0,
) -> DCI:
    r"""Predict every factor from all codes, and see how the importance R of codes is spread.

    With $P_{i \cdot}$ the shares of factors in the importance of code i, $Q_{\cdot k}$ those of codes for factor k:

    $$D = \sum_i \rho_i \bigl(1 - H_f(P_{i \cdot})\bigr), \quad \rho_i = \frac{\sum_k R_{ik}}{\sum_{ik} R_{ik}}, \qquad
      C = \frac1f \sum_k \bigl(1 - H_d(Q_{\cdot k})\bigr)$$

    where $H_b$ is entropy to base b. A random forest of scikit-learn predicts each factor: a seed fixes it, all codes
    are looked at in every split, leaves hold 10 rows (deeper trees split by the noise of codes that tell nothing), and
    importance is the mean decrease of Gini's impurity. Two equal codes share it: disentanglement stays 1, completeness
    falls to 1 - ln 2 / ln d. The paper measures informativeness by an error; here it is the accuracy on rows that the
    forest has not seen, the mean over factors (chance: the mean of 1 / values).

    Importance is the model's as much as the codes': with noise, boosted trees and forests differ in D and C by up to
    0.15 either way on codes made by hand (`docs/stages/evaluation.md`), by half on codes of a VAE. Compare numbers of
    one model only.

    Args:
        codes: rows (n, d).
        factors: numbers of the factors' values (n, f).
        trees: of each forest; not of boosted trees.
        boosted: predict by gradient boosting of 100 trees of depth 3 for each value, as disentanglement_lib does, to
            stand beside tables made with it. It takes 30 times as long.
        rows: most rows to use, half of them to learn from.
        random_state: seed of halves and forests.

    Raises:
        ValueError: codes that are not finite; factors that are not whole numbers or do not vary; under 4 rows.

    Reference: Eastwood & Williams, ICLR 2018, section 2. https://openreview.net/forum?id=By-7dz-AZ

    >>> factors = np.stack(np.unravel_index(np.arange(4096) % 512, (8, 8, 8)), axis=1)
    >>> found = dci(factors, factors)
    >>> found.disentanglement, found.completeness, found.informativeness
    (1.0, 1.0, 1.0)
    """
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier

    codes, factors = check_codes(codes, factors)
    codes = unit_columns(codes)  # trees take differences under 1e-7 for none
    learn, judge = _halves(len(codes), rows, random_state)
    importance, right = [], []
    for factor in factors.T:
        forest = (
            GradientBoostingClassifier(random_state=random_state)
            if boosted
            else RandomForestClassifier(
                trees, max_features=None, min_samples_leaf=LEAF, random_state=random_state
            )
        )
        forest.fit(codes[learn], factor[learn])
        importance.append(forest.feature_importances_)
        right.append(forest.score(codes[judge], factor[judge]))
    table = np.stack(importance, axis=1)  # (d, f)
    weight = table.sum(axis=1) / max(table.sum(), 1e-12)
    return DCI(
        disentanglement=float((weight * _concentration(table)).sum()),
        completeness=float(_concentration(table.T).mean()),
        informativeness=float(np.mean(right)),
        importance=table,
    )


def separated_attribute_predictability(
    codes: Array,
    factors: Array,
    *,
    ordered: Sequence[int] = (),
    bins: int | None = None,
    rows: int = ROWS,
    random_state: int = 0,
) -> float:
    r"""SAP: how much better the best code predicts a factor, alone, than the second best; the mean over factors.

    A factor whose values are amounts (`ordered`) is predicted by a line: the score of a code is its squared correlation
    with the factor. Any other is predicted by thresholds: the code is cut into bins of as many rows, each bin names
    the value that is most over-represented in it, and the score is the mean over values of the accuracy on rows not
    seen (disentanglement_lib: a linear support vector machine). 1 if one code predicts a factor and all others predict
    nothing of amounts, 1 - 1 / values for a factor of that many values without order; 0 where two codes tell the same.

    Args:
        codes: rows (n, d). A single code has no rival: its gap is its score.
        factors: numbers of the factors' values (n, f).
        ordered: columns of `factors` whose numbers are amounts, in equal steps.
        bins: of a code; None: 20, or as many as the factor has values.
        rows: most rows to use, half of them to learn from.
        random_state: seed of the halves.

    Raises:
        ValueError: codes that are not finite; factors that are not whole numbers or do not vary; under 4 rows; an
            ordered column that is not there.

    Reference: Kumar et al., ICLR 2018, section 3. https://arxiv.org/abs/1711.00848

    >>> factors = np.stack(np.unravel_index(np.arange(64), (8, 8)), axis=1)
    >>> round(separated_attribute_predictability(factors, factors, ordered=(0, 1)), 4)
    1.0
    """
    codes, factors = check_codes(codes, factors)
    missing = [column for column in ordered if not 0 <= column < factors.shape[1]]
    if missing:
        raise ValueError(
            f"ordered must name columns 0 ... {factors.shape[1] - 1} of factors; got {missing[0]}."
        )
    learn, judge = _halves(len(codes), rows, random_state)
    gaps = []
    for column, factor in enumerate(factors.T):
        if column in ordered:
            scores = _squared_correlations(codes, factor)
        else:
            values, numbers = np.unique(factor, return_inverse=True)
            binned = discretise(codes, bins=bins or max(20, len(values)))
            scores = [_by_thresholds(code, numbers, learn, judge) for code in binned.T]
        ranked = sorted([*scores, 0.0] if len(scores) == 1 else scores)
        gaps.append(ranked[-1] - ranked[-2])
    return float(np.mean(gaps))


def explicitness(codes: Array, factors: Array, *, rows: int = ROWS, random_state: int = 0) -> float:
    r"""How well linear classifiers find each value of each factor in all codes, as the area under the ROC curve.

    For every value a logistic regression tells it from all other values of its factor. The score is the mean over
    values, then over factors, of the area on rows that were not seen: 1 is perfect, 1/2 is chance. A code that holds a
    factor as one number is not explicit in this sense: a line can single out the least and the largest value only. Of m
    equally frequent values, value j (from 0) then gets max(j, m - 1 - j) / (m - 1).

    Args:
        codes: rows (n, d); divided by their deviation.
        factors: numbers of the factors' values (n, f).
        rows: most rows to use, half of them to learn from.
        random_state: seed of the halves.

    Raises:
        ValueError: codes that are not finite; factors that are not whole numbers or do not vary; under 4 rows.

    Reference: Ridgeway & Mozer, NeurIPS 2018, section 3. https://arxiv.org/abs/1802.05312

    >>> factors = np.stack(np.unravel_index(np.arange(90) % 9, (3, 3)), axis=1)
    >>> one_hot = np.hstack([factors == value for value in range(3)])
    >>> explicitness(one_hot, factors)
    1.0
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    codes, factors = check_codes(codes, factors)
    learn, judge = _halves(len(codes), rows, random_state)
    scaled = unit_columns(codes)
    areas = []
    for factor in factors.T:
        found = []
        for value in np.unique(factor):
            told = factor == value
            if told[learn].any() and told[judge].any() and not told[learn].all() and not told[judge].all():
                classifier = LogisticRegression(max_iter=1000).fit(scaled[learn], told[learn])
                found.append(roc_auc_score(told[judge], classifier.decision_function(scaled[judge])))
        if found:
            areas.append(np.mean(found))
    return float(np.mean(areas)) if areas else float("nan")


def _halves(count: int, rows: int, random_state: int) -> tuple[Int[np.ndarray, " a"], Int[np.ndarray, " b"]]:
    """Positions of two halves of at most `rows` rows."""
    if min(count, rows) < 4:
        raise ValueError(
            f"codes must have 4 rows at least, to learn from and to judge by; got {min(count, rows)}."
        )
    chosen = np.random.default_rng(random_state).permutation(count)[:rows]
    return chosen[: len(chosen) // 2], chosen[len(chosen) // 2 :]


def _concentration(table: Float[np.ndarray, "a b"]) -> Float[np.ndarray, " a"]:
    """One minus the entropy of each row's shares, to the base of their number; 0 for a row of zeros."""
    total = table.sum(axis=1, keepdims=True)
    shares = np.where(total > 0, table / np.maximum(total, 1e-12), 1 / table.shape[1])
    if table.shape[1] == 1:
        return np.ones(len(table))
    logs = np.log(np.where(shares > 0, shares, 1))
    return np.asarray(1 + (shares * logs).sum(axis=1) / np.log(table.shape[1]))


def _squared_correlations(codes: Array, factor: Array) -> list[float]:
    centred, amount = unit_columns(codes), factor - factor.mean()
    products = (centred * amount[:, None]).sum(axis=0) ** 2
    norms = (centred**2).sum(axis=0) * (amount**2).sum()
    return [float(value) for value in np.where(norms > 0, products / np.where(norms > 0, norms, 1), 0)]


def _by_thresholds(
    code: Int[np.ndarray, " n"], factor: Int[np.ndarray, " n"], learn: Array, judge: Array
) -> float:
    """Mean over values of the accuracy, of bins of one code that each name a value."""
    table = np.zeros((int(code.max()) + 1, int(factor.max()) + 1))
    np.add.at(table, (code[learn], factor[learn]), 1)
    named = (table / np.maximum(table.sum(axis=0), 1)).argmax(axis=1)
    right = named[code[judge]] == factor[judge]
    return float(np.mean([right[factor[judge] == value].mean() for value in np.unique(factor[judge])]))
