"""Cases of the contrast with labels."""

from math import exp, log, sqrt

import torch
from objective_case import Case, normal
from torch import Tensor

Views = list[list[list[float]]]


def slow_supervised_contrast(
    z: Views, labels: list[int], temperature: float = 0.1, keep: Tensor | None = None
) -> float:
    # One view below the other, as in `keep`; samples of unknown label are told apart by their position.
    rows = [(z[i][k], labels[i], i) for k in range(len(z[0])) for i in range(len(z))]

    def similarity(u: list[float], v: list[float]) -> float:
        dot = sum(s * t for s, t in zip(u, v, strict=True))
        return dot / sqrt(sum(s * s for s in u)) / sqrt(sum(t * t for t in v)) / temperature

    total = 0.0
    for i, (row, label, sample) in enumerate(rows):
        positives = [
            k
            for k, (_, other, of) in enumerate(rows)
            if k != i and (of == sample or (label != -1 and other == label))
        ]
        others = [
            k for k in range(len(rows)) if k != i and (k in positives or keep is None or bool(keep[i, k]))
        ]
        below = sum(exp(similarity(row, rows[k][0])) for k in others)
        total -= sum(log(exp(similarity(row, rows[k][0])) / below) for k in positives) / len(positives)
    return total / len(rows)


def views_and_labels(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    labels = torch.arange(n) % 3
    labels[1 : n // 2 : 2] = -1
    return normal(n, 2, 4, random=random), labels


def three_views(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    return normal(n, 3, 4, random=random), torch.arange(n) // 2


ONES = torch.ones(6, 2, 4, dtype=torch.float64)
SOME = torch.tensor([0, -1, 3, 0, -1, 0])

CASES = [
    Case(
        "supervised_contrast",
        views_and_labels,
        slow_supervised_contrast,
        ((ONES, SOME), log(11)),
        (0,),
        False,
        {},
    ),
    Case(
        "supervised_contrast",
        three_views,
        slow_supervised_contrast,
        ((torch.ones(6, 3, 4, dtype=torch.float64), SOME), log(17)),
        (0,),
        False,
        {"temperature": 0.5},
    ),
]
