"""What each process computes: loss and gradient of every objective, on the rows that it holds."""

import torch
import torch.distributed as dist
from objective_cases import CASES, Case
from torch import Tensor
from two_processes import half

from replearn.data.processes import collect, gather, processes


def loss_and_gradient(case: Case, rank: int) -> tuple[Tensor, Tensor]:
    """A linear network under `case`; its gradient is averaged over processes, as DDP does."""
    random = torch.Generator().manual_seed(7)
    args = case.make(8, random)
    net = torch.randn(4, 4, generator=random, dtype=torch.float64, requires_grad=True)
    mine = [half(arg, rank) if processes() == 2 else arg for arg in args]
    rows = [arg @ net if i in case.learned else arg for i, arg in enumerate(mine)]
    loss = case(*(gather(row) if row.is_floating_point() else collect(row) for row in rows))
    loss.backward()
    assert net.grad is not None
    if processes() == 2:
        dist.all_reduce(net.grad)
    return loss.detach(), net.grad / processes()


def every_case(rank: int) -> dict[str, list[Tensor]]:
    return {str(case): list(loss_and_gradient(case, rank)) for case in CASES}
