"""The rows that stand for a Jacobian: exact for a layer of sigmoids, exact on average for any network."""

import pytest
import torch
from torch import nn
from torch.func import jacrev, vmap

from replearn.objectives import contraction, hinge_discriminator, kl_sparsity, l1_sparsity
from replearn.objectives.contraction import projected_rows, sigmoid_rows


@pytest.fixture
def layer() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(5, 3).double()


def test_one_layer_of_sigmoids_is_equation_7_and_the_jacobian_itself(layer) -> None:  # type: ignore[no-untyped-def]
    x = torch.randn(4, 5, dtype=torch.float64)
    h = layer.requires_grad_(False)(x).sigmoid()
    by_hand = sum(
        float((h[i, j] * (1 - h[i, j])) ** 2 * sum(w * w for w in layer.weight[j]))
        for i in range(4)
        for j in range(3)
    )
    exact = contraction(vmap(jacrev(lambda row: layer(row).sigmoid()))(x))
    found = contraction(sigmoid_rows(h, layer.weight))
    assert found.item() == pytest.approx(by_hand / 4, rel=1e-12)
    assert found.item() == pytest.approx(exact.item(), rel=1e-12)


@pytest.mark.parametrize("directions", [1, 7])
def test_projections_are_right_on_average(layer, directions) -> None:  # type: ignore[no-untyped-def]
    net = nn.Sequential(layer, nn.Tanh(), nn.Linear(3, 4).double(), nn.Sigmoid())
    x = torch.randn(2, 5, dtype=torch.float64)
    exact = contraction(vmap(jacrev(net))(x)).item()
    many = x.repeat(20_000, 1).requires_grad_()
    rows = projected_rows(net(many), many, torch.randn(40_000, directions, 4).double())
    assert rows.shape == (40_000, directions, 5)
    assert contraction(rows).item() == pytest.approx(exact, rel=0.03)


def test_projections_can_be_differentiated_further(layer) -> None:  # type: ignore[no-untyped-def]
    x, v = torch.randn(4, 5).double().requires_grad_(), torch.randn(4, 2, 3).double()
    contraction(projected_rows(layer(x).sigmoid(), x, v)).backward()
    found, layer.weight.grad = layer.weight.grad, None
    mixed = torch.einsum("nmk,nkd->nmd", v, vmap(jacrev(lambda row: layer(row).sigmoid()))(x)) / 2**0.5
    contraction(mixed).backward()
    torch.testing.assert_close(found, layer.weight.grad)


def test_no_scale_of_a_unit_changes_its_l1() -> None:
    code = torch.rand(50, 4)
    torch.testing.assert_close(
        l1_sparsity(code * torch.tensor([1e-4, 1.0, 5.0, 1e4])), l1_sparsity(code), rtol=1e-5, atol=0
    )
    few = (torch.rand(10_000, 1) < 0.04).float()
    assert l1_sparsity(few).item() == pytest.approx(0.2, abs=0.01)
    assert l1_sparsity(torch.zeros(5, 3)).item() == 0


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: kl_sparsity(torch.zeros(0, 3)), "at least one sample"),
        (lambda: kl_sparsity(torch.zeros(2, 3), target=1.0), "target between 0 and 1; got 2 and 1.0"),
        (lambda: l1_sparsity(torch.zeros(0, 3)), "at least one sample"),
        (lambda: contraction(torch.zeros(0, 3, 2)), "at least one sample"),
        (lambda: hinge_discriminator(torch.zeros(0, 1), torch.zeros(0, 1)), "as many scores"),
    ],
)
def test_the_door(call, says) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=says) as error:
        call()
    assert len(str(error.value).splitlines()) == 1
