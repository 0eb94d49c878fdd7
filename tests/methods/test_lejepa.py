"""LeJEPA and SIGReg: what the paper asks for."""

import math

import numpy as np
import pytest
import torch

from made_methods import few_images
from replearn import LeJEPA
from replearn.objectives import sigreg
from replearn.objectives.sigreg import directions


def method(**fields):
    torch.manual_seed(0)
    return LeJEPA(encoder="linear", hidden=16, dim=6, epochs=2, batch_size=32, **fields).prepare(few_images())


def test_a_normal_distribution_has_the_least_and_collapse_grows_with_the_batch():
    x = torch.randn(64, 4000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = math.sqrt(2 * math.pi) * (1 - 1 / math.sqrt(3))
    assert sigreg(x).item() == pytest.approx(expected, rel=0.02)
    for other in (2 * x, x / 2, x + 1, x.sign(), torch.rand_like(x) * 2 - 1, 0 * x):
        assert sigreg(other).item() > 2 * expected
    at_collapse = math.sqrt(2 * math.pi) * (1 - math.sqrt(2) + 1 / math.sqrt(3))
    for n in (8, 64):
        assert sigreg(torch.zeros(n, 1)).item() == pytest.approx(n * at_collapse, rel=1e-4)
    torch.testing.assert_close(sigreg(-x), sigreg(x))


def test_half_of_the_knots_do_since_the_integrand_is_even():
    x = torch.randn(20, 3, dtype=torch.float64)
    t = torch.linspace(-5, 5, 17, dtype=torch.float64)
    g = (-t.square() / 2).exp()
    f = torch.exp(1j * x[:, :, None] * t).mean(0)
    expected = 20 * torch.trapezoid((f - g).abs().square() * g, t, dim=1).mean()
    torch.testing.assert_close(sigreg(x), expected)


def test_sigreg_makes_any_rows_normal():
    torch.manual_seed(0)
    z = (torch.rand(256, 3) @ torch.tensor([[1.0, 1, 1], [0, 0.1, 0], [1, 0, 0]])).requires_grad_()
    optimiser = torch.optim.Adam([z], lr=0.05)
    for _ in range(200):
        optimiser.zero_grad()
        sigreg(z @ directions(z, 32)).backward()
        optimiser.step()
    z = z.detach()
    torch.testing.assert_close(z.mean(0), torch.zeros(3), atol=0.1, rtol=0)
    torch.testing.assert_close(torch.cov(z.T), torch.eye(3), atol=0.2, rtol=0)


def test_directions_are_unit_columns_of_the_global_generator():
    z = torch.zeros(4, 6, dtype=torch.float64)
    torch.manual_seed(3)
    first = directions(z, 1000)
    torch.manual_seed(3)
    assert torch.equal(first, directions(z[:2], 1000))  # as each process draws them
    assert first.dtype == torch.float64
    torch.testing.assert_close(first.norm(dim=0), torch.ones(1000).double())
    torch.testing.assert_close(first @ first.T / 1000 * 6, torch.eye(6).double(), atol=0.2, rtol=0)


def test_the_loss_is_algorithm_2():
    lejepa = method(gaussian=0.3, directions=5)
    batch = few_images()[np.arange(32)]
    torch.manual_seed(1)
    views = lejepa.views_(batch)
    z = [lejepa.head_(lejepa.encoder_(view)).detach() for view in views]
    along = directions(z[0], 5)
    centre = (z[0] + z[1]) / 2
    assert len(z) > 2
    distance = sum(float((view - centre).square().mean()) for view in z) / len(z)
    normal = sum(float(sigreg(view @ along)) for view in z) / len(z)
    torch.manual_seed(1)
    assert lejepa.loss(batch).item() == pytest.approx(0.7 * distance + 0.3 * normal, rel=1e-5)


def test_collapse_costs_what_it_says():
    lejepa, batch = method(gaussian=0.3), few_images()[np.arange(32)]
    last = lejepa.head_[-1]
    with torch.no_grad():
        last.weight.zero_()
        last.bias.zero_()
    assert lejepa.loss(batch).item() == pytest.approx(lejepa.loss_at_collapse(), rel=1e-5)
