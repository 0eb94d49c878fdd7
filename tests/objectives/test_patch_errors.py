"""Errors of predicted patches: rows number by number, sets of points by the Chamfer distance."""

import math

import pytest
import torch

from replearn.objectives.patches import chamfer, denormalised, normalised, patch_errors


def sets(k: int, *, n: int = 3) -> torch.Tensor:
    return torch.randn(n, k, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(k))


def by_hand(a: list[list[float]], b: list[list[float]], power: int) -> float:
    """Both ways, point by point."""
    one = sum(min(math.dist(x, y) ** power for y in b) for x in a) / len(a)
    return one + sum(min(math.dist(x, y) ** power for x in a) for y in b) / len(b)


@pytest.mark.parametrize("power", [1, 2])
def test_chamfer_is_that_of_the_paper(power: int) -> None:
    a, b = sets(5), sets(7)
    expected = [by_hand(x, y, power) for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    assert chamfer(a, b, power=power).tolist() == pytest.approx(expected, rel=1e-9)
    torch.testing.assert_close(chamfer(b, a, power=power), chamfer(a, b, power=power))
    torch.testing.assert_close(chamfer(a.flip(1), b, power=power), chamfer(a, b, power=power))
    assert chamfer(a, a, power=power).max() < 1e-5
    far = torch.tensor([[[3.0, 0, 4.0]]], dtype=torch.float64)
    assert chamfer(far, torch.zeros_like(far), power=power).item() == pytest.approx(2 * 5.0**power)


@pytest.mark.parametrize("power", [1, 2])
def test_gradients_are_right_and_finite_where_points_meet(power: int) -> None:
    a, b = sets(4).requires_grad_(), sets(6)
    assert torch.autograd.gradcheck(lambda x: chamfer(x, b, power=power), [a])
    same = sets(4).requires_grad_()
    chamfer(same, same.detach(), power=power).sum().backward()
    assert same.grad is not None
    assert same.grad.isfinite().all()


def test_rows_are_compared_number_by_number_and_sets_in_no_order() -> None:
    told, true = sets(8), sets(8).flip(0)
    rows = told.flatten(1)[:, None], true.flatten(1)[:, None]  # (n, 1, v)
    torch.testing.assert_close(patch_errors(*rows), (told - true).square().mean((1, 2))[:, None])
    torch.testing.assert_close(patch_errors(*rows, power=1), (told - true).abs().mean((1, 2))[:, None])
    torch.testing.assert_close(patch_errors(*rows, sets=3), chamfer(told, true)[:, None])


def test_a_normalised_set_loses_its_middle_and_its_size() -> None:
    points = sets(8) * 5 + torch.tensor([7.0, 0.0, -2.0])
    rows = points.flatten(1)[:, None]
    found = normalised(rows, sets=3).view(3, 8, 3)
    torch.testing.assert_close(found.mean(1), torch.zeros(3, 3).double(), atol=1e-9, rtol=0)
    torch.testing.assert_close(found.square().sum((1, 2)) / 23, torch.ones(3).double(), rtol=1e-6, atol=0)
    torch.testing.assert_close(denormalised(normalised(rows, sets=3), rows, sets=3), rows)
    proportions = found.std(1) / found.std(1)[:, :1], points.std(1) / points.std(1)[:, :1]
    torch.testing.assert_close(*proportions)  # axes keep them
