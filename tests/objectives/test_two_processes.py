"""Loss and gradient on two processes equal those of one process on the joined batch, for every objective."""

import pytest
import torch
import torch.distributed as dist
from objective_cases import CASES, Case
from torch import Tensor
from two_processes import half, on_two_processes

from replearn.engine.distributed import gather, gather_labels, processes


def loss_and_gradient(case: Case, rank: int) -> tuple[Tensor, Tensor]:
    """A linear network under `case`; its gradient is averaged over processes, as DDP does."""
    random = torch.Generator().manual_seed(7)
    args = case.make(8, random)
    net = torch.randn(4, 4, generator=random, dtype=torch.float64, requires_grad=True)
    mine = [half(arg, rank) if processes() == 2 else arg for arg in args]
    rows = [arg @ net if i in case.learned else arg for i, arg in enumerate(mine)]
    loss = case(*(gather(row) if row.is_floating_point() else gather_labels(row) for row in rows))
    loss.backward()
    assert net.grad is not None
    if processes() == 2:
        dist.all_reduce(net.grad)
    return loss.detach(), net.grad / processes()


def every_case(rank: int) -> dict[str, list[Tensor]]:
    return {str(case): list(loss_and_gradient(case, rank)) for case in CASES}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, list[Tensor]]]:
    results: list[dict[str, list[Tensor]]] = on_two_processes(every_case, tmp_path_factory.mktemp("two"))
    return results


@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_two_processes_compute_what_one_would(case: Case, rank: int, found) -> None:  # type: ignore[no-untyped-def]
    loss, gradient = loss_and_gradient(case, 0)
    torch.testing.assert_close(found[rank][str(case)][0], loss, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(found[rank][str(case)][1], gradient, rtol=1e-9, atol=1e-12)
