"""Processes that train together: how many there are, which one this is, and rows that others hold."""

import torch
import torch.distributed as dist
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
