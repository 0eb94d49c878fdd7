"""Cases of predicting one view's embedding from another's."""

from math import sqrt

import torch
from objective_case import Case, normal
from torch import Tensor


def slow_negative_cosine(p: list[list[float]], z: list[list[float]]) -> float:
    total = 0.0
    for u, v in zip(p, z, strict=True):
        dot = sum(s * t for s, t in zip(u, v, strict=True))
        total -= dot / sqrt(sum(s * s for s in u)) / sqrt(sum(t * t for t in v))
    return total / len(p)


def prediction_and_embedding(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    return normal(n, 4, random=random), normal(n, 4, random=random)


ONES = torch.ones(6, 4, dtype=torch.float64)

CASES = [
    Case(
        "negative_cosine",
        prediction_and_embedding,
        slow_negative_cosine,
        ((ONES, 3 * ONES), -1.0),
        (0, 1),
        True,
        {},
    ),
]
