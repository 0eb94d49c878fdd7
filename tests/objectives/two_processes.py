"""Run work on two processes, each with half of the rows, as two machines would."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

Work = Callable[[int], Any]


def on_two_processes(work: Work, folder: Path) -> list[Any]:
    """What `work(rank)` returns on each of two gloo processes, ranks 0 and 1.

    Args:
        work: a function of a module that the processes can import; it returns tensors, or lists or
            dictionaries of them.
        folder: an empty one, for the meeting point and the results.
    """
    mp.spawn(_process, args=(work, str(folder)), nprocs=2)  # type: ignore[no-untyped-call]
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


def half(rows: torch.Tensor, rank: int) -> torch.Tensor:
    """The rows that process `rank` of two holds."""
    return rows.tensor_split(2)[rank]


def _process(rank: int, work: Work, folder: str) -> None:
    torch.set_num_threads(1)
    meeting = f"file://{folder}/meeting"
    wait = timedelta(seconds=60)
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=2, timeout=wait)
    torch.save(work(rank), Path(folder) / f"{rank}.pt")
    dist.destroy_process_group()
