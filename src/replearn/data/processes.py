"""Processes that train together: how many there are, which one this is, and rows that others hold."""

from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor


def processes() -> int:
    """The number of processes that train together; 1 outside of a distributed run."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def process() -> int:
    """The position of this process among them, from 0."""
    return dist.get_rank() if processes() > 1 else 0


def collect(rows: Tensor) -> Tensor:
    """Rows of all processes, in the order of the joined batch, without a gradient."""
    if processes() == 1:
        return rows
    parts = [torch.empty_like(rows) for _ in range(processes())]
    dist.all_gather(parts, rows.contiguous())
    return torch.cat(parts)


def gather(rows: Float[Tensor, "n ..."]) -> Float[Tensor, "m ..."]:
    """Rows of all processes, `m = processes * n`, in the order of the joined batch; differentiable.

    Every process must compute the same loss from the gathered rows.
    """
    return rows if processes() == 1 else _Gather.apply(rows)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        ctx.n = len(rows)
        return collect(rows)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        # Every process holds the same loss, so the sum over processes of this slice is that many times ours.
        start = process() * ctx.n
        return gradient[start : start + ctx.n] * processes()
