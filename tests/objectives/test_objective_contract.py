"""What every objective owes its callers."""

from inspect import getdoc, signature

import pytest
import torch
from objective_cases import CASES, Case
from torch import Tensor

from replearn import objectives

ROWS = 8


def made(case: Case) -> tuple[Tensor, ...]:
    return case.make(ROWS, torch.Generator().manual_seed(3))


def test_every_objective_has_a_case() -> None:
    assert {case.name for case in CASES} == set(objectives.__all__)


@pytest.mark.parametrize("name", objectives.__all__)
def test_knobs_are_keywords_with_defaults_and_the_paper_is_named(name: str) -> None:
    function = getattr(objectives, name)
    optional = [p for p in signature(function).parameters.values() if p.default is not p.empty]
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in optional)
    doc = getdoc(function) or ""
    assert all(
        word in doc
        for word in ("loss = ", "collapse", "Args:", "Raises:", "Example:", "References:", "https://")
    )


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_is_the_equation_of_the_paper(case: Case) -> None:
    args = made(case)
    loss = case(*args)
    assert loss.shape == ()
    assert loss.item() == pytest.approx(case.slow(*(arg.tolist() for arg in args), **case.knobs), rel=1e-12)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_closed_form_at_collapse(case: Case) -> None:
    args, value = case.collapsed
    assert case(*args).item() == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_gradient(case: Case) -> None:
    args = list(made(case))
    for i in case.learned:
        args[i].requires_grad_()
    assert torch.autograd.gradcheck(case, args)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_order_of_rows_does_not_matter(case: Case) -> None:
    args = made(case)
    order = torch.randperm(ROWS, generator=torch.Generator().manual_seed(0))
    assert case(*(arg[order] for arg in args)).item() == pytest.approx(case(*args).item(), rel=1e-12)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_symmetry(case: Case) -> None:
    if not case.symmetric:
        pytest.skip("its arguments mean different things")
    first, second, *rest = made(case)
    assert case(second, first, *rest).item() == pytest.approx(case(first, second, *rest).item(), rel=1e-12)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_at_least_float32_under_autocast_and_from_bfloat16(case: Case) -> None:
    exact = made(case)
    coarse = [arg.bfloat16() if arg.is_floating_point() else arg for arg in exact]
    wide = [arg.float() if arg.is_floating_point() else arg for arg in coarse]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = case(*coarse)
        assert loss.dtype == torch.float32
        assert torch.equal(case(*wide), loss)
        assert case(*exact).dtype == torch.float64
    assert torch.equal(case(*wide), loss)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_gradients_stay_finite_for_extreme_inputs(case: Case) -> None:
    for scale in (0.0, 1e-12, 1e6):
        args = [arg.float() if arg.is_floating_point() else arg for arg in made(case)]
        for i in case.learned:
            args[i] = (args[i] * scale).requires_grad_()
        loss = case(*args)
        loss.backward()
        assert loss.isfinite()
        assert all(args[i].grad.isfinite().all() for i in case.learned)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_inputs_are_left_as_they_are(case: Case) -> None:
    args = made(case)
    before = [arg.clone() for arg in args]
    case(*args)
    assert all(torch.equal(arg, copy) for arg, copy in zip(args, before, strict=True))
