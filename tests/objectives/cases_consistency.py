"""Cases of predictions that agree, and of sure ones."""

from math import exp, log

import torch
from cases_basic import ONES, logits_alone, two_views
from objective_case import Case


def softmax(row: list[float]) -> list[float]:
    whole = sum(exp(value) for value in row)
    return [exp(value) / whole for value in row]


def slow_kl_divergence(logits: list[list[float]], targets: list[list[float]]) -> float:
    total = 0.0
    for row, target in zip(logits, targets, strict=True):
        for q, p in zip(softmax(row), softmax(target), strict=True):
            total += p * log(p / q)
    return total / len(logits)


def slow_probability_error(logits: list[list[float]], targets: list[list[float]]) -> float:
    total = 0.0
    for row, target in zip(logits, targets, strict=True):
        total += sum((q - p) ** 2 for q, p in zip(softmax(row), softmax(target), strict=True))
    return total / len(logits)


def slow_entropy(logits: list[list[float]]) -> float:
    return -sum(p * log(p) for row in logits for p in softmax(row)) / len(logits)


HALVES = torch.tensor([[1e3, 1e3, 0.0, 0.0]], dtype=torch.float64).expand(6, 4)  # two classes of four

CASES = [
    Case("kl_divergence", two_views, slow_kl_divergence, ((ONES, HALVES), log(2)), (0, 1), False, {}),
    Case("probability_error", two_views, slow_probability_error, ((ONES, HALVES), 0.25), (0, 1), True, {}),
    Case("entropy", logits_alone, slow_entropy, ((ONES,), log(4)), (0,), False, {}),
]
