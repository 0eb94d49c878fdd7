"""Gradients of several losses as one: those that work against each other are bent until they don't, here or by TorchJD.

References: Quinton & Rey, "Jacobian descent for multi-objective optimization", 2024 (TorchJD).
    https://arxiv.org/abs/2406.16232
    Yu et al., "Gradient surgery for multi-task learning", NeurIPS 2020, algorithm 1.
    https://arxiv.org/abs/2001.06782
"""

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from replearn.data.needed import check_installed

PCGRAD = "pcgrad"
# Aggregators of TorchJD, which choose by the gradients alone and draw nothing.
AGGREGATORS = {
    "upgrad": "UPGrad",
    "mgda": "MGDA",
    "dualproj": "DualProj",
    "alignedmtl": "AlignedMTL",
    "imtlg": "IMTLG",
    "config": "ConFIG",
}
PROGRAMS = ("upgrad", "dualproj")  # which solve a quadratic program, by a package of its own


def combined(name: str, gradients: Float[Tensor, "t p"], orders: Float[Tensor, "t t"]) -> Float[Tensor, " p"]:
    """The gradients of several losses as one; a loss without any, nothing of which is known, has no say.

    Args:
        name: `pcgrad`, or one of `AGGREGATORS`.
        gradients: of each loss, by the same parameters.
        orders: random numbers, for `without_conflicts`.
    """
    there = gradients.any(1)
    if name == PCGRAD or not there.any():
        return without_conflicts(gradients, orders)
    one: Tensor = _aggregator(name)(gradients[there])
    return one


def check_combiner(name: str) -> None:
    """Raises ValueError where gradients can't be combined so, since a package is not installed."""
    if name in AGGREGATORS:
        check_installed(f"weighting={name!r} needs", "torchjd")
    if name in PROGRAMS and find_spec("quadprog") is None:
        raise ValueError(
            f"weighting={name!r} needs a package that is not installed, quadprog (its licence is the GPL). Run: pip "
            "install 'torchjd[quadprog-projector]'"
        )


@cache
def _aggregator(name: str) -> Any:
    return getattr(import_module("torchjd.aggregation"), AGGREGATORS[name])()


def without_conflicts(gradients: Float[Tensor, "t p"], orders: Float[Tensor, "t t"]) -> Float[Tensor, " p"]:
    """The sum of gradients, each without its part against any other.

    Each gradient meets the others one after another. Where the two conflict (their product is negative), it is
    projected onto the plane across the other, as that one was before:

        g_i <- g_i - (g_i . g_j) / |g_j|^2 g_j    where g_i . g_j < 0

    Each is a combination of all, so the products of all pairs, `(t, t)`, are enough to tell which.

    Args:
        gradients: of each loss, by the same parameters.
        orders: random numbers; task `i` meets the others in the order of row `i`.

    Example:
        >>> against = torch.tensor([[1.0, 0.0], [-1.0, 1.0]])
        >>> without_conflicts(against, torch.rand(2, 2)).tolist()  # (0.5, 0.5) and (0, 1)
        [0.5, 1.5]
        >>> without_conflicts(against.abs(), torch.rand(2, 2)).tolist()
        [2.0, 1.0]
    """
    tasks = torch.arange(len(gradients), device=gradients.device)
    products = gradients @ gradients.T  # (t, t)
    bent = torch.eye(len(gradients), dtype=gradients.dtype, device=gradients.device)  # row i makes g_i of all
    met = orders.clone().fill_diagonal_(2).argsort(1)[:, :-1].to(gradients.device)  # (t, t - 1), others only
    for other in met.unbind(1):
        against = (bent * products[other]).sum(1).clamp(max=0)  # g_i . g_other, where they conflict
        length = products[other, other]
        bent[tasks, other] -= torch.where(length > 0, against / length, 0)
    return bent.sum(0) @ gradients
