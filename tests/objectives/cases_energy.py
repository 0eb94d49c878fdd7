"""Cases of energies: each is summed over all states of the hidden units."""

from itertools import product
from math import exp, log

import torch
from objective_case import Case, normal
from torch import Tensor

Rows = list[list[float]]


def slow_free_energy(visible: list[float], inputs: list[float]) -> float:
    """Minus the log of the sum over hidden states h of exp(b·v + c·h + h·W v)."""
    states = product((0, 1), repeat=len(inputs))
    total = sum(
        exp(sum(visible) + sum(h * x for h, x in zip(state, inputs, strict=True))) for state in states
    )
    return -log(total)


def slow_contrastive_divergence(
    visible: Rows, inputs: Rows, model_visible: Rows, model_inputs: Rows
) -> float:
    def mean(rows: Rows, of_hidden: Rows) -> float:
        return sum(slow_free_energy(v, x) for v, x in zip(rows, of_hidden, strict=True)) / len(rows)

    return mean(visible, inputs) - mean(model_visible, model_inputs)


def data_and_states(n: int, random: torch.Generator) -> tuple[Tensor, ...]:
    return tuple(normal(n, 4, random=random) for _ in range(4))


ONES = torch.ones(6, 4, dtype=torch.float64)
SILENT = (0 * ONES, 0 * ONES, 3 * ONES, 0 * ONES)  # hidden units without input cancel: 4 · 3 is left

CASES = [
    Case(
        "contrastive_divergence",
        data_and_states,
        slow_contrastive_divergence,
        (SILENT, 12.0),
        (0, 1, 2, 3),
        False,
        {},
    )
]
