"""Inputs that the objectives of variational methods refuse, and what their pieces have in common."""

from math import log

import pytest
import torch
from jaxtyping import TypeCheckError

from replearn.objectives import (
    bernoulli_error,
    decomposed_kl,
    density_ratio,
    gaussian_error,
    gaussian_kl,
    importance_bound,
    score_function,
    told_apart,
)

REFUSED = (ValueError, TypeCheckError)  # the shape checks under pytest come first


@pytest.mark.parametrize("objective", [gaussian_kl, score_function, told_apart, gaussian_error])
def test_arguments_of_two_shapes_are_refused(objective) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(REFUSED):
        objective(torch.ones(3, 2), torch.ones(3, 1))
    with pytest.raises(ValueError, match="at least one"):
        objective(torch.ones(0, 2), torch.ones(0, 2))


@pytest.mark.parametrize("objective", [importance_bound, density_ratio])
def test_no_row_is_refused(objective) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="at least one"):
        objective(torch.ones(0, 2))


def test_knobs_that_cannot_work_are_refused() -> None:
    z = torch.ones(3, 2)
    with pytest.raises(ValueError, match=r"samples >= 1; got .* samples 0"):
        decomposed_kl(z, z, z, samples=0)
    with pytest.raises(ValueError, match="at least 2 draws per sample; got 1"):
        score_function(z[:, :1], z[:, :1], baseline=True)
    with pytest.raises(ValueError, match="variance must be greater than 0"):
        gaussian_error(z, z, variance=0.0)


def test_the_bound_rises_with_draws_for_any_weights() -> None:
    log_weights = 3 * torch.randn(2000, 16, generator=torch.Generator().manual_seed(0))
    bounds = [-importance_bound(log_weights[:, :k]).item() for k in (1, 4, 16)]
    assert bounds[0] + 1 < bounds[1] < bounds[2] - 0.5


def test_weights_beyond_what_exp_can_hold() -> None:
    assert importance_bound(torch.tensor([[-2000.0, -2000.0]])).item() == 2000
    assert importance_bound(torch.tensor([[900.0, -900.0]])).item() == pytest.approx(-900 + 0.6931, abs=1e-3)


def test_a_gaussian_of_a_bits_chances_is_not_a_bernoulli() -> None:
    """The two likelihoods of the same numbers are on scales of their own: one of densities, one of chances."""
    x = torch.tensor([[0.0, 1.0]])
    assert bernoulli_error(40 * (2 * x - 1), x).item() == pytest.approx(0, abs=1e-6)
    assert gaussian_error(x, x, variance=1e-4).item() < -7


def test_independent_units_have_no_total_correlation() -> None:
    """With all of a set in the batch and narrow posteriors on a grid, the TC term is 0 and MI is ln n."""
    grid = torch.cartesian_prod(*[torch.arange(3.0).double() * 10] * 2)  # (9, 2)
    narrow = torch.full_like(grid, -4.0)
    none = {"alpha": 0.0, "beta": 0.0, "gamma": 0.0}
    parts = [decomposed_kl(grid, grid, narrow, samples=1, **none | {part: 1.0}) for part in ("alpha", "beta")]
    assert parts[0].item() == pytest.approx(log(9), abs=1e-9)
    assert parts[1].item() == pytest.approx(0.0, abs=1e-9)
    doubled = grid[:, :1].repeat(1, 2)[::3]  # one unit, twice: TC is its entropy
    tied = decomposed_kl(doubled, doubled, narrow[:3], samples=1, **none | {"beta": 1.0})
    assert tied.item() == pytest.approx(log(3), abs=1e-9)
