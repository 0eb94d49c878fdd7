"""Loss and gradient on two processes equal those of one process on the joined batch, for every objective."""

import pytest
import torch
from objective_cases import CASES, Case
from objective_on_processes import every_case, loss_and_gradient
from torch import Tensor
from two_processes import on_two_processes


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
