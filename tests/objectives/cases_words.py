"""Cases of word vectors: negative sampling, hierarchical softmax, GloVe."""

from math import exp, log

import torch
from objective_case import Case, normal
from torch import Tensor

Rows = list[list[float]]


def dot(u: list[float], v: list[float]) -> float:
    return sum(s * t for s, t in zip(u, v, strict=True))


def sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x))


def slow_negative_sampling(hidden: Rows, true: Rows, noise: list[Rows]) -> float:
    total = 0.0
    for h, u, drawn in zip(hidden, true, noise, strict=True):
        total -= log(sigmoid(dot(u, h)))
        for other in drawn:
            total -= log(sigmoid(-dot(other, h)))
    return total / len(hidden)


def slow_hierarchical_softmax(hidden: Rows, nodes: list[Rows], turns: list[list[int]]) -> float:
    total = 0.0
    for h, way, taken in zip(hidden, nodes, turns, strict=True):
        p = 1.0  # of the word: equation 3
        for u, turn in zip(way, taken, strict=True):
            if turn == 0:
                p *= sigmoid(dot(u, h))
            elif turn == 1:
                p *= sigmoid(-dot(u, h))
        total -= log(p)
    return total / len(hidden)


def slow_glove(
    word: Rows,
    context: Rows,
    bias: list[float],
    context_bias: list[float],
    count: list[float],
    most: float = 100.0,
    power: float = 0.75,
) -> float:
    total = 0.0
    for w, c, b, a, x in zip(word, context, bias, context_bias, count, strict=True):
        weight = (x / most) ** power if x < most else 1.0
        total += weight * (dot(w, c) + b + a - log(x)) ** 2
    return total / len(word)


def hidden_true_noise(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    return normal(n, 4, random=random), normal(n, 4, random=random), normal(n, 5, 4, random=random)


def hidden_way_turns(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    turns = torch.randint(0, 2, (n, 6), generator=random)
    ended = torch.arange(6) >= torch.randint(1, 7, (n, 1), generator=random)
    return normal(n, 4, random=random), normal(n, 6, 4, random=random), turns.masked_fill(ended, -1)


def counted_pairs(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    pairs = [normal(*shape, random=random) for shape in ((n, 4), (n, 4), (n,), (n,))]
    return (*pairs, 10 ** (1.5 + normal(n, random=random)))  # some above 100, some below


def zeros(*shape: int) -> Tensor:
    return torch.zeros(*shape, dtype=torch.float64)


NOTHING = zeros(6, 4), zeros(6, 4), zeros(6, 5, 4)
ONES = torch.ones(6, 3, dtype=torch.int64)
PAIRS = (
    *(zeros(2, 4), zeros(2, 4), zeros(2), zeros(2)),
    torch.tensor([50.0, 200.0], dtype=torch.float64),
)
AT_ZERO = (0.5**0.75 * log(50) ** 2 + log(200) ** 2) / 2
ALL_ALIKE = (log(50) ** 2 + log(200) ** 2) / 2  # where both counts are above the most

CASES = [
    Case(
        *("negative_sampling", hidden_true_noise, slow_negative_sampling),
        *((NOTHING, 6 * log(2)), (0, 1, 2), False, {}),
    ),
    Case(
        *("hierarchical_softmax", hidden_way_turns, slow_hierarchical_softmax),
        *(((NOTHING[0], zeros(6, 3, 4), ONES), 3 * log(2)), (0, 1), False, {}),
    ),
    Case("glove", counted_pairs, slow_glove, (PAIRS, AT_ZERO), (0, 1), True, {}),
    Case(
        *("glove", counted_pairs, slow_glove, (PAIRS, ALL_ALIKE), (0, 1), True, {"most": 10.0, "power": 0.5}),
    ),
]
