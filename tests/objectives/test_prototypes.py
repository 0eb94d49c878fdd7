"""Sinkhorn's assignments, and what the objectives over prototypes refuse."""

from math import exp

import pytest
import torch

from replearn.objectives import soft_cross_entropy, swapped_prediction
from replearn.objectives.prototypes import sinkhorn


def slow_sinkhorn(scores: list[list[float]], smoothing: float, iterations: int) -> list[list[float]]:
    """Scaling of whole sums, as section 3.1 of the paper has it: prototypes to 1/k, then samples to 1/n."""
    n, k = len(scores), len(scores[0])
    q = [[exp(score / smoothing) for score in row] for row in scores]
    for _ in range(iterations):
        for j in range(k):
            total = sum(q[i][j] for i in range(n))
            for i in range(n):
                q[i][j] /= total * k
        for i in range(n):
            total = sum(q[i])
            for j in range(k):
                q[i][j] /= total * n
    return [[n * value for value in row] for row in q]


def some_scores(n: int, k: int) -> torch.Tensor:
    return torch.randn(n, k, generator=torch.Generator().manual_seed(n), dtype=torch.float64)


@pytest.mark.parametrize(("n", "k"), [(6, 4), (3, 8), (1, 5)])
@pytest.mark.parametrize("iterations", [1, 3, 50])
def test_sinkhorn_is_the_scaling_of_the_paper(n: int, k: int, iterations: int) -> None:
    scores = some_scores(n, k)
    expected = slow_sinkhorn(scores.tolist(), 0.3, iterations)
    found = sinkhorn(scores, smoothing=0.3, iterations=iterations)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), rtol=1e-10, atol=1e-14)


def test_sinkhorn_shares_samples_equally() -> None:
    found = sinkhorn(some_scores(12, 4), smoothing=0.5, iterations=200)
    torch.testing.assert_close(found.sum(1), torch.ones(12, dtype=torch.float64))
    torch.testing.assert_close(found.sum(0), torch.full((4,), 3.0, dtype=torch.float64))
    assert not found.requires_grad


def test_equal_scores_are_assigned_evenly() -> None:
    torch.testing.assert_close(sinkhorn(torch.ones(5, 4)), torch.full((5, 4), 0.25))


def test_neither_order_nor_shifts_of_rows_and_columns_matter() -> None:
    scores, order = some_scores(6, 4), torch.tensor([3, 0, 5, 1, 2, 4])
    found = sinkhorn(scores)
    torch.testing.assert_close(sinkhorn(scores[order]), found[order])
    converged = sinkhorn(scores, smoothing=1.0, iterations=500)
    shifted = sinkhorn(scores + some_scores(1, 4) + some_scores(6, 1), smoothing=1.0, iterations=500)
    torch.testing.assert_close(shifted, converged)


@pytest.mark.parametrize("scale", [0.0, 1e-12, 1e6, 1e30])
def test_scores_of_any_size_give_shares(scale: float) -> None:
    found = sinkhorn(some_scores(6, 4).float() * scale)
    assert found.isfinite().all()
    torch.testing.assert_close(found.sum(1), torch.ones(6))


def test_sinkhorn_under_autocast_is_float32() -> None:
    scores = some_scores(6, 4).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(sinkhorn(scores), sinkhorn(scores.float()))


@pytest.mark.parametrize("knobs", [{"smoothing": 0.0}, {"iterations": 0}])
def test_sinkhorn_needs_smoothing_and_iterations(knobs: dict) -> None:
    with pytest.raises(ValueError, match="smoothing > 0 and at least 1 iteration"):
        sinkhorn(torch.ones(3, 2), **knobs)


def test_doors_of_the_objectives() -> None:
    with pytest.raises(ValueError, match="temperature > 0; got"):
        soft_cross_entropy(torch.ones(3, 2), torch.ones(3, 2), temperature=0.0)
    with pytest.raises(ValueError, match="at least one row"):
        soft_cross_entropy(torch.ones(0, 2), torch.ones(0, 2))
    with pytest.raises(ValueError, match="at least 2 views"):
        swapped_prediction(torch.ones(3, 1, 2), torch.ones(3, 1, 2))
    with pytest.raises(ValueError, match="of the first of them"):
        swapped_prediction(torch.ones(3, 2, 2), torch.ones(3, 3, 2))
    with pytest.raises(ValueError, match="temperature > 0"):
        swapped_prediction(torch.ones(3, 2, 2), torch.ones(3, 2, 2), temperature=-1.0)


def test_two_views_may_change_places() -> None:
    scores, assignments = torch.randn(6, 2, 4), torch.rand(6, 2, 4)
    swapped = swapped_prediction(scores.flip(1), assignments.flip(1))
    torch.testing.assert_close(swapped, swapped_prediction(scores, assignments))


def test_a_view_does_not_predict_itself() -> None:
    scores = torch.zeros(1, 2, 3)
    scores[0, 0, 0] = scores[0, 1, 1] = 1.0  # the first view sees prototype 0, the second prototype 1
    own = torch.eye(3)[None, :2]
    assert swapped_prediction(scores, own.flip(1), temperature=0.01) < 1e-3
    assert swapped_prediction(scores, own, temperature=0.01) > 50
