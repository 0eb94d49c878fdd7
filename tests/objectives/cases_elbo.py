"""Cases of the likelihoods and of the evidence lower bound."""

from math import exp, log, pi

import torch
from objective_case import Case, normal
from torch import Tensor


def slow_gaussian_error(mean: list[list[float]], x: list[list[float]], variance: float = 1.0) -> float:
    total = 0.0
    for row, target in zip(mean, x, strict=True):
        for m, t in zip(row, target, strict=True):
            total -= log(exp(-((t - m) ** 2) / (2 * variance)) / (2 * pi * variance) ** 0.5)
    return total / len(x)


def slow_categorical_error(logits: list[list[float]], x: list[list[float]]) -> float:
    total = 0.0
    for row, target in zip(logits, x, strict=True):
        whole = sum(exp(value) for value in row)
        total -= sum(t * log(exp(value) / whole) for value, t in zip(row, target, strict=True))
    return total / len(x)


def slow_gaussian_kl(mean: list[list[float]], log_variance: list[list[float]]) -> float:
    """Appendix B of Kingma & Welling, number by number, with variances."""
    total = 0.0
    for means, logs in zip(mean, log_variance, strict=True):
        for m, v in zip(means, logs, strict=True):
            total -= 0.5 * (1 + log(exp(v)) - m**2 - exp(v))
    return total / len(mean)


def slow_importance_bound(log_weights: list[list[float]]) -> float:
    return -sum(log(sum(exp(w) for w in row) / len(row)) for row in log_weights) / len(log_weights)


def slow_score_function(
    log_density: list[list[float]], reward: list[list[float]], baseline: bool = False
) -> float:
    total, n, k = 0.0, len(reward), len(reward[0])
    for i in range(n):
        for j in range(k):
            others = [reward[i][other] for other in range(k) if other != j]
            b = sum(others) / (k - 1) if baseline else 0.0
            total -= log_density[i][j] * (reward[i][j] - b) / k
    return total / n


def two_tables(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    return normal(n, 4, random=random), normal(n, 4, random=random)


def one_table(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    return (3 * normal(n, 4, random=random),)


def logits_and_choices(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    counts = torch.randint(0, 3, (n, 4), generator=random).double()
    return normal(n, 4, random=random), counts


def small_posteriors(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    """Means and log-variances that stay within what exp can hold when the contract scales them."""
    return normal(n, 4, random=random), 1e-5 * normal(n, 4, random=random)


ONES = torch.ones(6, 4, dtype=torch.float64)
SPREAD = torch.tensor([[0.0], [4.0]], dtype=torch.float64)  # mean 2, variance 4
CHOSEN = torch.eye(4, dtype=torch.float64)[[0, 2, 3, 1, 1, 1]]

CASES = [
    Case("gaussian_error", two_tables, slow_gaussian_error, ((ONES, ONES), 2 * log(2 * pi)), (0,), True, {}),
    Case(
        "gaussian_error",
        two_tables,
        slow_gaussian_error,
        ((0 * SPREAD + 2, SPREAD), 0.5 * log(2 * pi * exp(1) * 4)),
        (0,),
        True,
        {"variance": 4.0},
    ),
    Case(
        "categorical_error",
        logits_and_choices,
        slow_categorical_error,
        ((0 * ONES, CHOSEN), log(4)),
        (0,),
        False,
        {},
    ),
    Case("gaussian_kl", small_posteriors, slow_gaussian_kl, ((0 * ONES, 0 * ONES), 0.0), (0, 1), False, {}),
    Case("importance_bound", one_table, slow_importance_bound, ((7 * ONES,), -7.0), (0,), False, {}),
    Case("score_function", two_tables, slow_score_function, ((3 * ONES, 2 * ONES), -6.0), (0,), False, {}),
    Case(
        "score_function",
        two_tables,
        slow_score_function,
        ((3 * ONES, 2 * ONES), 0.0),
        (0,),
        False,
        {"baseline": True},
    ),
]
