"""Cases of cross-entropy against soft targets and of SwAV's swapped prediction."""

from math import exp, log

import torch
from objective_case import Case, normal
from torch import Tensor


def slow_entropy(scores: list[float], targets: list[float], temperature: float) -> float:
    """`l(z, q)` of SwAV's equation 2, `H(q, p)` of DINO's equation 2, for one row."""
    whole = sum(exp(score / temperature) for score in scores)
    return -sum(q * log(exp(score / temperature) / whole) for score, q in zip(scores, targets, strict=True))


def slow_soft_cross_entropy(
    scores: list[list[float]], targets: list[list[float]], temperature: float = 0.1
) -> float:
    rows = zip(scores, targets, strict=True)
    return sum(slow_entropy(row, target, temperature) for row, target in rows) / len(scores)


def slow_swapped_prediction(
    scores: list[list[list[float]]], assignments: list[list[list[float]]], temperature: float = 0.1
) -> float:
    total = 0.0
    for views, assigned in zip(scores, assignments, strict=True):
        pairs = [(g, v) for g in range(len(assigned)) for v in range(len(views)) if v != g]
        total += sum(slow_entropy(views[v], assigned[g], temperature) for g, v in pairs) / len(pairs)
    return total / len(scores)


def scores_and_targets(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    return normal(n, 4, random=random), normal(n, 4, random=random).softmax(1)


def crops_and_assignments(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    """Two large crops and three small ones."""
    return normal(n, 5, 4, random=random), normal(n, 2, 4, random=random).softmax(2)


def pairs_and_assignments(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    return normal(n, 2, 4, random=random), normal(n, 2, 4, random=random).softmax(2)


EQUAL = torch.ones(6, 4, dtype=torch.float64)
ONE_HOT = torch.eye(4, dtype=torch.float64)[[0, 1, 2, 3, 0, 0]]
EQUAL_CROPS = torch.ones(6, 5, 4, dtype=torch.float64)
SOFT, SWAPPED = "soft_cross_entropy", "swapped_prediction"

CASES = [
    Case(SOFT, scores_and_targets, slow_soft_cross_entropy, ((EQUAL, ONE_HOT), log(4)), (0,), False, {}),
    Case(
        SOFT,
        scores_and_targets,
        slow_soft_cross_entropy,
        ((EQUAL, EQUAL / 4), log(4)),
        (0, 1),
        False,
        {"temperature": 0.5},
    ),
    Case(
        SWAPPED,
        crops_and_assignments,
        slow_swapped_prediction,
        ((EQUAL_CROPS, ONE_HOT[:, None].repeat(1, 2, 1)), log(4)),
        (0,),
        False,
        {},
    ),
    Case(
        SWAPPED,
        pairs_and_assignments,
        slow_swapped_prediction,
        ((EQUAL_CROPS[:, :2], EQUAL_CROPS[:, :2] / 4), log(4)),
        (0,),
        False,
        {"temperature": 0.3},
    ),
]
