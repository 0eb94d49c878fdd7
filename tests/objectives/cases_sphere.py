"""Cases of alignment and uniformity."""

from math import exp, log, sqrt

import torch
from cases_basic import two_views
from objective_case import Case, normal
from torch import Tensor

Rows = list[list[float]]


def distance(u: list[float], v: list[float]) -> float:
    """Of two rows made unit vectors."""
    size_u, size_v = sqrt(sum(s * s for s in u)), sqrt(sum(t * t for t in v))
    return sqrt(sum((s / size_u - t / size_v) ** 2 for s, t in zip(u, v, strict=True)))


def slow_alignment(a: Rows, b: Rows, power: float = 2.0) -> float:
    return sum(distance(u, v) ** power for u, v in zip(a, b, strict=True)) / len(a)


def slow_uniformity(z: Rows, scale: float = 2.0, keep: Tensor | None = None) -> float:
    pairs = [(i, j) for i in range(len(z)) for j in range(i) if keep is None or bool(keep[i, j])]
    return log(sum(exp(-scale * distance(z[i], z[j]) ** 2) for i, j in pairs) / len(pairs))


def one_view(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    return (normal(n, 4, random=random),)


ONES = torch.ones(6, 4, dtype=torch.float64)
EYE = torch.eye(4, dtype=torch.float64)

CASES = [
    Case("alignment", two_views, slow_alignment, ((ONES, 3 * ONES), 0.0), (0, 1), True, {}),
    Case("alignment", two_views, slow_alignment, ((ONES, -ONES), 8.0), (0, 1), True, {"power": 3.0}),
    Case(
        "alignment", two_views, slow_alignment, ((EYE, EYE.roll(1, 0)), sqrt(2)), (0, 1), True, {"power": 1.0}
    ),
    Case("uniformity", one_view, slow_uniformity, ((ONES,), 0.0), (0,), False, {}),
    Case("uniformity", one_view, slow_uniformity, ((EYE,), -1.0), (0,), False, {"scale": 0.5}),
]
