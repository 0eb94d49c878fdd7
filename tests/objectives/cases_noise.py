"""Cases of noise contrast: InstDisc's and PIRL's forms."""

from math import exp, log, sqrt

import torch
from objective_case import Case, normal
from torch import Tensor

Rows = list[list[float]]
SAMPLES = 50  # in the bank, of Wu's equations; any number gives the same loss


def cosine(u: list[float], v: list[float]) -> float:
    dot = sum(s * t for s, t in zip(u, v, strict=True))
    return dot / sqrt(sum(s * s for s in u)) / sqrt(sum(t * t for t in v))


def slow_instdisc(
    z: Rows,
    positive: Rows,
    noise: Rows,
    log_constant: float,
    temperature: float = 0.07,
    proximal: float = 0.0,
) -> float:
    m, whole, total = len(noise), exp(log_constant) * SAMPLES, 0.0  # Z of equation 4

    def h(v: list[float], f: list[float]) -> float:
        p = exp(cosine(v, f) / temperature) / whole
        return p / (p + m / SAMPLES)

    for f, v in zip(z, positive, strict=True):
        total -= log(h(v, f)) + sum(log(1 - h(u, f)) for u in noise)
        total += proximal * (2 - 2 * cosine(v, f))  # the squared distance of unit rows
    return total / len(z)


def slow_pirl(z: Rows, positive: Rows, noise: Rows, temperature: float = 0.07) -> float:
    total = 0.0
    for f, v in zip(z, positive, strict=True):
        others = sum(exp(cosine(f, u) / temperature) for u in noise)

        own = exp(cosine(f, v) / temperature)
        total -= log(own / (own + others))
        for u in noise:  # 1 - h, as a quotient: a difference would lose digits
            total -= log(others / (exp(cosine(f, u) / temperature) + others))
    return total / len(z)


def rows_and_noise(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    return tuple(normal(n, 4, random=random) for _ in range(3))


ONES = torch.ones(6, 4, dtype=torch.float64)
COLLAPSED = (ONES, 2 * ONES, 3 * ONES)
VALUE = log(1 + 6) + 6 * log(1 + 1 / 6)
TRUE = {"temperature": 0.5, "log_constant": 2.0}

CASES = [
    Case("nce", rows_and_noise, slow_pirl, (COLLAPSED, VALUE), (0,), False, {}),
    Case("nce", rows_and_noise, slow_pirl, (COLLAPSED, VALUE), (0,), False, {"temperature": 0.5}),
    Case("nce", rows_and_noise, slow_instdisc, (COLLAPSED, VALUE), (0,), False, TRUE),
    Case("nce", rows_and_noise, slow_instdisc, (COLLAPSED, VALUE), (0,), False, TRUE | {"proximal": 30.0}),
]
