"""Cases of SIGReg."""

from cmath import exp

import torch
from objective_case import Case, normal

Rows = list[list[float]]


def numbers(rows: int, random: torch.Generator) -> tuple[torch.Tensor, ...]:
    return (2 * normal(rows, 4, random=random) + 0.5,)


def slow_sigreg(x: Rows, knots: int = 9) -> float:
    """Algorithm 1 of the paper, on the whole interval."""
    n, m = len(x), len(x[0])
    step, last = 5.0 / (knots - 1), 2 * (knots - 1)
    total = 0.0
    for j in range(m):
        for k in range(last + 1):
            t = -5.0 + k * step
            normal = exp(-(t**2) / 2).real
            empirical = sum(exp(1j * t * row[j]) for row in x) / n
            weight = step / 2 if k in (0, last) else step
            total += weight * n * abs(empirical - normal) ** 2 * normal
    return total / m


def collapsed(n: int, knots: int) -> float:
    """Of zeros, whose characteristic function is 1."""
    step = 5.0 / (knots - 1)
    g = [exp(-((k * step) ** 2) / 2).real for k in range(knots)]
    heights = [(1 - value) ** 2 * value for value in g]
    return 2 * n * step * (sum(heights) - (heights[0] + heights[-1]) / 2)


ZEROS = torch.zeros(8, 5, dtype=torch.float64)

CASES = [
    Case("sigreg", numbers, slow_sigreg, ((ZEROS,), collapsed(8, 9)), (0,), False, {}),
    Case("sigreg", numbers, slow_sigreg, ((ZEROS,), collapsed(8, 40)), (0,), False, {"knots": 40}),
]
