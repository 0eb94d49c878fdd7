"""Cases of Barlow Twins and VICReg."""

from math import sqrt

import torch
from cases_basic import two_views
from objective_case import Case

Rows = list[list[float]]


def mean(column: list[float]) -> float:
    return sum(column) / len(column)


def slow_barlow_twins(a: Rows, b: Rows, redundancy: float = 5e-3) -> float:
    n, d, total = len(a), len(a[0]), 0.0
    for j in range(d):
        for k in range(d):
            left, right = mean([row[j] for row in a]), mean([row[k] for row in b])
            both = sum((a[i][j] - left) * (b[i][k] - right) for i in range(n))
            lengths = sqrt(sum((row[j] - left) ** 2 for row in a)) * sqrt(
                sum((row[k] - right) ** 2 for row in b)
            )
            total += (1 - both / lengths) ** 2 if j == k else redundancy * (both / lengths) ** 2
    return total


def slow_vicreg(
    a: Rows, b: Rows, invariance: float = 25.0, variance: float = 25.0, covariance: float = 1.0
) -> float:
    n, d = len(a), len(a[0])
    total = sum(invariance / n * (s - t) ** 2 for i in range(n) for s, t in zip(a[i], b[i], strict=True))
    for z in (a, b):
        means = [mean([row[j] for row in z]) for j in range(d)]
        for j in range(d):
            for k in range(d):
                entry = sum((row[j] - means[j]) * (row[k] - means[k]) for row in z) / (n - 1)
                if j == k:
                    total += variance / d * max(0.0, 1 - sqrt(entry + 1e-4))
                else:
                    total += covariance / d * entry**2
    return total


ONES = torch.ones(6, 4, dtype=torch.float64)
SQUARE = torch.tensor([[1, 1], [1, -1], [-1, 1], [-1, -1]], dtype=torch.float64)  # columns uncorrelated

CASES = [
    Case("barlow_twins", two_views, slow_barlow_twins, ((ONES, 3 * ONES), 4.0), (0, 1), True, {}),
    Case(
        "barlow_twins",
        two_views,
        slow_barlow_twins,
        ((SQUARE, -3 * SQUARE), 8.0),  # each number is its own opposite: (1 + 1)² each
        (0, 1),
        True,
        {"redundancy": 0.5},
    ),
    Case("vicreg", two_views, slow_vicreg, ((ONES, ONES), 50 * 0.99), (0, 1), True, {}),
    Case("vicreg", two_views, slow_vicreg, ((ONES, 2 * ONES), 100 + 50 * 0.99), (0, 1), True, {}),
    Case(
        "vicreg",
        two_views,
        slow_vicreg,
        ((SQUARE / 2, SQUARE / 2), 4 * (1 - sqrt(1 / 3 + 1e-4))),  # 4/4 / (4 - 1) each
        (0, 1),
        True,
        {"invariance": 0.5, "variance": 2.0, "covariance": 7.0},
    ),
]
