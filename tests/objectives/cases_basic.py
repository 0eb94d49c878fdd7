"""Cases of classification, reconstruction and SimCLR's contrast."""

from math import exp, log, sqrt, tanh
from typing import Any

import torch
from objective_case import Case, normal
from torch import Tensor


def slow_nt_xent(a: list[list[float]], b: list[list[float]], temperature: float = 0.5) -> float:
    def similarity(u: list[float], v: list[float]) -> float:
        dot = sum(s * t for s, t in zip(u, v, strict=True))
        return dot / sqrt(sum(s * s for s in u)) / sqrt(sum(t * t for t in v))

    n, z, total = len(a), [*a, *b], 0.0
    for i in range(2 * n):
        partner = (i + n) % (2 * n)
        others = sum(exp(similarity(z[i], z[k]) / temperature) for k in range(2 * n) if k != i)
        total -= log(exp(similarity(z[i], z[partner]) / temperature) / others)
    return total / (2 * n)


def slow_squared_error(x: list[list[float]], y: list[list[float]]) -> float:
    pairs = [pair for row, other in zip(x, y, strict=True) for pair in zip(row, other, strict=True)]
    return sum((s - t) ** 2 for s, t in pairs) / len(x)


def slow_bernoulli_error(logits: list[list[float]], x: list[list[float]]) -> float:
    total = 0.0
    for row, target in zip(logits, x, strict=True):
        for logit, t in zip(row, target, strict=True):
            p = 0.5 + 0.5 * tanh(logit / 2)
            total -= t * log(p) + (1 - t) * log(1 - p)
    return total / len(x)


def slow_cross_entropy(logits: list[list[float]], labels: list[int], smoothing: float = 0.0) -> float:
    total, labelled = 0.0, 0
    for row, label in zip(logits, labels, strict=True):
        if label == -1:
            continue
        labelled += 1
        whole = sum(exp(value) for value in row)
        for k, value in enumerate(row):
            target = (1 - smoothing) * (k == label) + smoothing / len(row)
            total -= target * log(exp(value) / whole)
    return total / max(labelled, 1)


def slow_weighted_error(x: list[Any], y: list[Any], weights: list[Any]) -> float:
    total = 0.0
    for row, other, heavy in zip(x, y, weights, strict=True):
        above = below = 0.0
        for channel, made in zip(row, other, strict=True):
            for i, line in enumerate(heavy[0]):
                for j, w in enumerate(line):
                    above += w * (channel[i][j] - made[i][j]) ** 2
                    below += w
        total += above / max(below, 1e-12)
    return total / len(x)


def slow_taken_for_real(logits: list[list[float]]) -> float:
    return -sum(log(1 / (1 + exp(-value))) for row in logits for value in row) / len(logits)


def pictures(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    shape = (n, 2, 3, 4)
    weights = torch.rand(n, 1, 3, 4, generator=random, dtype=torch.float64)
    weights[0] = 0  # nothing of it counts
    return normal(*shape, random=random), normal(*shape, random=random), 10 * weights


def logits_alone(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    return (normal(n, 4, random=random),)


def two_views(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    return normal(n, 4, random=random), normal(n, 4, random=random)


def logits_and_numbers(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    return normal(n, 4, random=random), torch.rand(n, 4, generator=random, dtype=torch.float64)


def logits_and_labels(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    labels = torch.arange(n) % 4
    # The first half has one labelled row only: processes that hold halves must not weigh alike.
    labels[1 : n // 2] = -1
    return normal(n, 4, random=random), labels


ONES = torch.ones(6, 4, dtype=torch.float64)
CUBE = torch.tensor([[0.0, 0.0], [2.0, 4.0]], dtype=torch.float64)  # mean (1, 2), total variance 1 + 4
MEANS = torch.tensor([[1.0, 2.0], [1.0, 2.0]], dtype=torch.float64)
SOME = torch.tensor([0, -1, 3, 2, -1, 1])

BRIGHT = torch.arange(6, dtype=torch.float64)[:, None, None, None].expand(6, 2, 1, 3)
HEAVY = torch.tensor([0.0, 1.0, 10.0], dtype=torch.float64).expand(6, 1, 1, 3)

CASES = [
    Case(
        "weighted_error",
        pictures,
        slow_weighted_error,
        ((BRIGHT, torch.full_like(BRIGHT, 2.5), HEAVY), 35 / 12),
        (0, 1),
        True,
        {},
    ),
    Case("taken_for_real", logits_alone, slow_taken_for_real, ((0 * ONES,), 4 * log(2)), (0,), False, {}),
    Case("nt_xent", two_views, slow_nt_xent, ((ONES, 3 * ONES), log(11)), (0, 1), True, {}),
    Case("nt_xent", two_views, slow_nt_xent, ((ONES, ONES), log(11)), (0, 1), True, {"temperature": 0.1}),
    Case("squared_error", two_views, slow_squared_error, ((CUBE, MEANS), 5.0), (0, 1), True, {}),
    Case(
        "bernoulli_error",
        logits_and_numbers,
        slow_bernoulli_error,
        ((0 * ONES, ONES), 4 * log(2)),
        (0,),
        False,
        {},
    ),
    Case("cross_entropy", logits_and_labels, slow_cross_entropy, ((ONES, SOME), log(4)), (0,), False, {}),
    Case(
        "cross_entropy",
        logits_and_labels,
        slow_cross_entropy,
        ((ONES, SOME), log(4)),
        (0,),
        False,
        {"smoothing": 0.2},
    ),
]
