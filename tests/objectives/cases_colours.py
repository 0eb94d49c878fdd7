"""Cases of colours that are shared by bins."""

from math import exp, log

import torch
from objective_case import Case, normal
from torch import Tensor


def slow_colour_cross_entropy(
    logits: list[list[float]], bins: list[list[int]], shares: list[list[float]], weights: list[float]
) -> float:
    total = 0.0
    for row, places, parts, weight in zip(logits, bins, shares, weights, strict=True):
        whole = sum(exp(value) for value in row)
        target = [0.0] * len(row)
        for k, share in zip(places, parts, strict=True):
            target[k] += share
        total -= weight * sum(z * log(exp(value) / whole) for z, value in zip(target, row, strict=True))
    return total / len(logits)


def places(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    bins = torch.stack([torch.randperm(4, generator=random)[:3] for _ in range(n)])
    shares = torch.rand(n, 3, generator=random, dtype=torch.float64)
    weights = torch.rand(n, generator=random, dtype=torch.float64) * (torch.arange(n) % 3 > 0)  # some grey
    return normal(n, 4, random=random), bins, shares / shares.sum(1, keepdim=True), weights


ONES = torch.ones(4, 1, dtype=torch.float64)
WEIGHTS = torch.tensor([0.0, 1.0, 2.0, 5.0], dtype=torch.float64)

CASES = [
    Case(
        "colour_cross_entropy",
        places,
        slow_colour_cross_entropy,
        ((ONES.expand(4, 4), 3 * ONES.long(), ONES, WEIGHTS), 2 * log(4)),
        (0,),
        False,
        {},
    )
]
