"""Cases of total correlation, by both estimates."""

from math import exp, log, pi

import torch
from objective_case import Case, normal
from torch import Tensor

Rows = list[list[float]]


def density(z: float, mean: float, log_variance: float) -> float:
    return exp(-((z - mean) ** 2) / (2 * exp(log_variance))) / (2 * pi * exp(log_variance)) ** 0.5


def slow_decomposed_kl(
    z: Rows,
    mean: Rows,
    log_variance: Rows,
    samples: int | None = None,
    alpha: float = 1.0,
    beta: float = 6.0,
    gamma: float = 1.0,
) -> float:
    """Equation 2 of Chen et al., each density of a mixture by equation S5."""
    n, d, total = len(z), len(z[0]), 0.0
    whole = n if samples is None else samples

    def q(i: int, k: int, units: range) -> float:
        found = 1.0
        for j in units:
            found *= density(z[i][j], mean[k][j], log_variance[k][j])
        return found

    for i in range(n):
        mixture = sum(q(i, k, range(d)) for k in range(n)) / (n * whole)
        units = [sum(q(i, k, range(j, j + 1)) for k in range(n)) / (n * whole) for j in range(d)]
        total += alpha * (log(q(i, i, range(d))) - log(mixture))
        total += beta * (log(mixture) - sum(log(unit) for unit in units))
        total += gamma * sum(log(unit) - log(density(z[i][j], 0.0, 0.0)) for j, unit in enumerate(units))
    return total / n


def sigmoid(logit: float) -> float:
    return 1 / (1 + exp(-logit))


def slow_told_apart(real: Rows, other: Rows) -> float:
    rows = [pair for a, b in zip(real, other, strict=True) for pair in zip(a, b, strict=True)]
    return -sum(log(sigmoid(r)) + log(1 - sigmoid(o)) for r, o in rows) / (2 * len(rows))


def slow_density_ratio(logits: Rows) -> float:
    chances = [sigmoid(logit) for row in logits for logit in row]
    return sum(log(chance / (1 - chance)) for chance in chances) / len(chances)


def codes(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    mean, log_variance = normal(n, 4, random=random), 1e-5 * normal(n, 4, random=random)
    return mean + normal(n, 4, random=random), mean, log_variance


def two_tables(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    return normal(n, 4, random=random), normal(n, 4, random=random)


def one_table(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    return (normal(n, 4, random=random),)


ONES = torch.ones(6, 4, dtype=torch.float64)
PRIOR = (0.5 * ONES, 0 * ONES, 0 * ONES)

CASES = [
    # ln N (α + (d - 1) β - d γ), with d = 4
    Case("decomposed_kl", codes, slow_decomposed_kl, (PRIOR, log(6) * 15), (0, 1, 2), False, {}),
    Case(
        "decomposed_kl",
        codes,
        slow_decomposed_kl,
        (PRIOR, log(100) * (0.5 + 3 * 4 - 4 * 2)),
        (0, 1, 2),
        False,
        {"samples": 100, "alpha": 0.5, "beta": 4.0, "gamma": 2.0},
    ),
    Case(
        "decomposed_kl",
        codes,
        slow_decomposed_kl,
        (PRIOR, 0.0),
        (0, 1, 2),
        False,
        {"samples": 100, "beta": 1.0},
    ),
    Case("told_apart", two_tables, slow_told_apart, ((0 * ONES, 0 * ONES), log(2)), (0, 1), False, {}),
    Case("density_ratio", one_table, slow_density_ratio, ((0 * ONES,), 0.0), (0,), False, {}),
]
