"""Cases of sparsity, contraction and the adversarial hinge."""

from math import exp, log, sqrt

import torch
from objective_case import Case, normal
from torch import Tensor

Rows = list[list[float]]


def slow_kl_sparsity(logits: Rows, target: float = 0.05) -> float:
    total = 0.0
    for column in zip(*logits, strict=True):
        mean = sum(1 / (1 + exp(-logit)) for logit in column) / len(column)
        total += target * log(target / mean) + (1 - target) * log((1 - target) / (1 - mean))
    return total


def slow_l1_sparsity(code: Rows) -> float:
    total = 0.0
    for column in zip(*code, strict=True):
        size = sqrt(sum(c * c for c in column) / len(column))
        total += sum(abs(c) for c in column) / len(column) / size
    return total


def slow_contraction(rows: list[Rows]) -> float:
    return sum(number * number for jacobian in rows for row in jacobian for number in row) / len(rows)


def slow_hinge_discriminator(real: Rows, fake: Rows) -> float:
    def below(t: float) -> float:
        return max(0.0, 1 - t)

    return sum(below(s) for row in real for s in row) / len(real) + sum(
        below(-s) for row in fake for s in row
    ) / len(fake)


def slow_hinge_generator(real: Rows, fake: Rows) -> float:
    return sum(s for row in real for s in row) / len(real) - sum(s for row in fake for s in row) / len(fake)


def a_code(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    return (normal(n, 4, random=random),)


def jacobians(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    return (normal(n, 3, 4, random=random),)


def scores(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    return normal(n, 4, random=random), normal(n, 4, random=random)


ONES = torch.ones(6, 4, dtype=torch.float64)
ZEROS = 0 * ONES
COIN = -(0.2 * log(0.2) + 0.8 * log(0.8))

CASES = [
    Case(
        "kl_sparsity", a_code, slow_kl_sparsity, ((ZEROS,), 4 * (log(2) - COIN)), (0,), False, {"target": 0.2}
    ),
    Case("kl_sparsity", a_code, slow_kl_sparsity, ((ONES - 1 + log(0.05 / 0.95),), 0.0), (0,), False, {}),
    Case("l1_sparsity", a_code, slow_l1_sparsity, ((3 * ONES,), 4.0), (0,), False, {}),
    Case(
        "contraction", jacobians, slow_contraction, ((torch.zeros(6, 3, 4).double(),), 0.0), (0,), False, {}
    ),
    Case("hinge_discriminator", scores, slow_hinge_discriminator, ((ZEROS, ZEROS), 8.0), (0, 1), False, {}),
    Case("hinge_generator", scores, slow_hinge_generator, ((ONES, ONES), 0.0), (0, 1), False, {}),
]
