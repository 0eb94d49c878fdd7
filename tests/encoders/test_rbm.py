"""One Boltzmann machine, against sums over all its states."""

from itertools import product

import numpy as np
import pytest
import torch

from replearn import as_samples
from replearn.encoders.rbm import Boltzmann, Units, switched
from replearn.methods.reconstruction.boltzmann import energy
from replearn.objectives import contrastive_divergence


def tiny(visible=4, hidden=3, *, seed=0, size=1.0):
    """A machine with biases and offsets of its own, float64."""
    torch.manual_seed(seed)
    layer = Boltzmann(visible, hidden, chains=10).double()
    with torch.no_grad():
        for p in layer.parameters():
            p.normal_(0, size)
        layer.visible_mean.uniform_(0.1, 0.9)
        layer.hidden_mean.uniform_(0.1, 0.9)
    return layer


def states(units):
    return torch.tensor(list(product((0.0, 1.0), repeat=units)), dtype=torch.float64)


def probabilities(layer):
    """p(v) of all states v, from the energies of all joint states, one by one."""
    w, b, c = (part.tolist() for part in (layer.weight, layer.visible_bias, layer.hidden_bias))
    masses = []
    for v in product((0, 1), repeat=len(b)):
        mass = 0.0
        for h in product((0, 1), repeat=len(c)):
            exponent = sum(x * y for x, y in zip(b, v, strict=True))
            exponent += sum(x * y for x, y in zip(c, h, strict=True))
            exponent += sum(h[j] * w[j][i] * v[i] for j in range(len(c)) for i in range(len(b)))
            mass += np.exp(exponent)
        masses.append(mass)
    return torch.tensor(masses, dtype=torch.float64)


def test_free_energy_sums_over_hidden_states():
    layer = tiny()
    torch.testing.assert_close(energy(layer, states(4)), -probabilities(layer).log())


def test_conditional_means_are_those_of_the_joint_distribution():
    layer = tiny()
    v, h = states(4), states(3)
    joint = (v @ layer.visible_bias)[:, None] + h @ layer.hidden_bias + v @ layer.weight.T @ h.T
    joint = joint.exp()  # (16, 8)
    torch.testing.assert_close(layer(v), joint @ h / joint.sum(1, keepdim=True))
    torch.testing.assert_close(layer.back(h), joint.T @ v / joint.sum(0)[:, None])


def test_gradient_is_the_textbook_statistic():
    layer, random = tiny(), torch.Generator().manual_seed(1)
    data, chain = ((torch.rand(rows, 4, generator=random) < 0.5).double() for rows in (30, 20))
    w, b, c = (
        part.detach().requires_grad_() for part in (layer.weight, layer.visible_bias, layer.hidden_bias)
    )
    loss = contrastive_divergence(data * b, data @ w.T + c, chain * b, chain @ w.T + c)
    loss.backward()
    h_data, h_chain = (torch.sigmoid(v @ w.T + c).detach() for v in (data, chain))
    torch.testing.assert_close(-w.grad, h_data.T @ data / 30 - h_chain.T @ chain / 20)
    torch.testing.assert_close(-b.grad, data.mean(0) - chain.mean(0))
    torch.testing.assert_close(-c.grad, h_data.mean(0) - h_chain.mean(0))


def test_gradient_of_a_layer_is_that_of_units_less_their_means():
    layer, random = tiny(), torch.Generator().manual_seed(1)
    data, chain = ((torch.rand(rows, 4, generator=random) < 0.5).double() for rows in (30, 20))
    (energy(layer, data).mean() - energy(layer, chain).mean()).backward()

    def statistic(v):
        h = layer(v).detach()
        return (h - layer.hidden_mean).T @ (v - layer.visible_mean) / len(v)

    torch.testing.assert_close(-layer.weight.grad, statistic(data) - statistic(chain))


def test_following_means_changes_no_distribution():
    layer = tiny()
    before = probabilities(layer)
    layer.follow(torch.rand(4), torch.rand(3), momentum=0.3)
    torch.testing.assert_close(probabilities(layer), before)


def test_gibbs_sampling_leaves_the_exact_distribution_as_it_is():
    """A chi-square test of 40,000 chains: begun at exact samples, and begun anywhere."""
    layer, n = tiny(size=0.7), 40_000
    exact = probabilities(layer) / probabilities(layer).sum()
    torch.manual_seed(2)

    def draw(k):
        return torch.rand(n, k, dtype=torch.float64)

    def distance(v):
        counts = torch.bincount(
            (v @ (2.0 ** torch.arange(3, -1, -1, dtype=torch.float64))).long(), minlength=16
        )
        return float(((counts - n * exact) ** 2 / (n * exact)).sum())

    begun = states(4)[torch.multinomial(exact, n, replacement=True)]
    anywhere = states(4)[torch.zeros(n, dtype=torch.int64)]
    limit = 37.7  # of 15 degrees of freedom: exceeded once in a thousand
    assert distance(begun) < limit
    assert distance(layer.gibbs(begun, steps=3, draw=draw)) < limit
    assert distance(layer.gibbs(anywhere, steps=60, draw=draw)) < limit
    assert distance(layer.gibbs(anywhere, steps=1, draw=draw)) > 10 * limit


def test_the_chain_goes_on_and_takes_no_gradient():
    layer = Boltzmann(6, 4, chains=50)
    before = layer.chain.clone()
    after = layer.advance(2)
    assert torch.equal(after, layer.chain)
    assert not torch.equal(after, before)
    assert set(after.unique().tolist()) == {0.0, 1.0}
    assert not after.requires_grad


def test_units_are_on_as_often_as_their_probability():
    p, uniform = torch.full((10_000, 1), 0.3), torch.linspace(0, 0.9999, 10_000)[:, None]
    assert switched(p, uniform).mean() == pytest.approx(0.3, abs=1e-3)


def test_images_and_columns_within_0_and_1_stay_as_they_are():
    images = as_samples(np.random.default_rng(0).integers(0, 256, (20, 3, 4, 4)).astype(np.uint8))
    batch = images[np.arange(20)]
    units = Units(images)
    p = units(batch)
    torch.testing.assert_close(p, batch.x.flatten(1) / 255)
    torch.testing.assert_close(units.back(p), batch.x / 255)
    torch.testing.assert_close(units.rates(), (batch.x / 255).mean((0, 2, 3)).repeat_interleave(16))


def test_other_columns_are_put_between_0_and_1():
    rng = np.random.default_rng(0)
    x = np.c_[rng.uniform(size=500), rng.random(500) < 0.2, rng.normal(5, 3, 500)].astype(np.float32)
    table = as_samples(x)
    units = Units(table)
    p = units(table[np.arange(500)])
    np.testing.assert_allclose(p[:, :2], x[:, :2], rtol=1e-6)
    inside = abs(x[:, 2] - x[:, 2].mean()) < 2 * x[:, 2].std()
    assert 0.9 < inside.mean() < 0.99
    np.testing.assert_allclose(units.back(p)[inside, 2], x[inside, 2], rtol=1e-4, atol=1e-4)
    assert p.min() == 0
    assert p.max() == 1
