"""Cases of contrast along time."""

from math import exp, log

import torch
from objective_case import Case, normal
from torch import Tensor


def slow_future_contrast(
    predicted: list[list[float]], later: list[list[float]], temperature: float = 1.0
) -> float:
    def density(p: list[float], z: list[float]) -> float:
        return exp(sum(s * t for s, t in zip(p, z, strict=True)) / temperature)

    pairs = enumerate(predicted)
    return sum(-log(density(p, later[i]) / sum(density(p, z) for z in later)) for i, p in pairs) / len(later)


def past_and_future(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    return normal(n, 4, random=random), normal(n, 4, random=random)


ONES = torch.ones(6, 4, dtype=torch.float64)
CASES = [
    Case(
        "future_contrast",
        past_and_future,
        slow_future_contrast,
        ((ONES, 3 * ONES), log(6)),
        (0, 1),
        False,
        knobs,
    )
    for knobs in ({}, {"temperature": 10.0})
]
