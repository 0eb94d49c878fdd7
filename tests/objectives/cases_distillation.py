"""Cases of a student's likenesses beside its teacher's."""

from math import exp, log, sqrt

import torch
from cases_basic import ONES
from objective_case import Case, normal
from torch import Tensor


def two_widths(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    return normal(n, 4, random=random), normal(n, 7, random=random)


def cosine(a: list[float], b: list[float]) -> float:
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return dot / sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def slow_similarity_divergence(
    h: list[list[float]], teacher: list[list[float]], *, temperature: float
) -> float:
    total = 0.0
    for i in range(len(h)):
        others = [j for j in range(len(h)) if j != i]
        shares = []
        for rows in (teacher, h):
            near = [exp(cosine(rows[i], rows[j]) / temperature) for j in others]
            shares.append([value / sum(near) for value in near])
        total += sum(p * log(p / q) for p, q in zip(*shares, strict=True))
    return total / len(h)


# Three pairs of equal rows, at right angles: of the five others one has cosine 1.
PAIRS = torch.eye(3, dtype=torch.float64).repeat(2, 1)
NEAR = exp(2.0) / (exp(2.0) + 4)
FAR = 1 / (exp(2.0) + 4)

CASES = [
    Case(
        "similarity_divergence",
        two_widths,
        slow_similarity_divergence,
        ((ONES, PAIRS), log(5) + NEAR * log(NEAR) + 4 * FAR * log(FAR)),
        (0,),
        False,
        {"temperature": 0.5},
    ),
]
