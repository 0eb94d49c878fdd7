"""Cases of contrast among the keys of a batch and of a queue."""

from math import exp, log, sqrt

import torch
from objective_case import Case, normal
from torch import Tensor

Rows = list[list[float]]
Mask = list[list[bool]]


def cosine(u: list[float], v: list[float]) -> float:
    dot = sum(s * t for s, t in zip(u, v, strict=True))
    return dot / sqrt(sum(s * s for s in u)) / sqrt(sum(t * t for t in v))


def slow_info_nce(queries: Rows, keys: Rows, temperature: float = 0.2, keep: Mask | None = None) -> float:
    total = 0.0
    for i, query in enumerate(queries):
        positive = exp(cosine(query, keys[i]) / temperature)
        whole = positive
        for j, key in enumerate(keys):
            if j != i and (keep is None or keep[i][j]):
                whole += exp(cosine(query, key) / temperature)
        total -= log(positive / whole)
    return total / len(queries)


def slow_info_nce_queue(
    queries: Rows, keys: Rows, queue: Rows, temperature: float = 0.07, keep: Mask | None = None
) -> float:
    total = 0.0
    for i, query in enumerate(queries):
        positive = exp(cosine(query, keys[i]) / temperature)
        whole = positive
        for j, row in enumerate(queue):
            if keep is None or keep[i][j]:
                whole += exp(cosine(query, row) / temperature)
        total -= log(positive / whole)
    return total / len(queries)


def two_views(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    return normal(n, 4, random=random), normal(n, 4, random=random)


def two_views_and_a_queue(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    return *two_views(n, random), normal(n, 4, random=random)


ONES = torch.ones(6, 4, dtype=torch.float64)
QUEUE = 5 * torch.ones(9, 4, dtype=torch.float64)

CASES = [
    Case("info_nce", two_views, slow_info_nce, ((ONES, 3 * ONES), log(6)), (0, 1), False, {}),
    Case("info_nce", two_views, slow_info_nce, ((ONES, ONES), log(6)), (0, 1), False, {"temperature": 1.0}),
    Case(
        "info_nce_queue",
        two_views_and_a_queue,
        slow_info_nce_queue,
        ((ONES, 3 * ONES, QUEUE), log(10)),
        (0, 1),
        False,
        {},
    ),
    Case(
        "info_nce_queue",
        two_views_and_a_queue,
        slow_info_nce_queue,
        ((ONES, ONES, QUEUE), log(10)),
        (0, 1),
        False,
        {"temperature": 0.5},
    ),
]
