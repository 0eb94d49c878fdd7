"""VAEs: estimators agree, likelihoods are bounds and come near to a closed form, faults are named."""

from math import log, pi

import numpy as np
import pytest
import torch
from torch import nn

import replearn
from replearn.objectives.elbo import unit_kl
from replearn.objectives.total_correlation import permute_dims

FACTS = {"device": "cpu", "precision": "32-true"}


@pytest.fixture(scope="module")
def digits():
    return replearn.load_data("digits8x8", split="train").subset(np.arange(384))


@pytest.fixture(scope="module")
def table():
    """Rows of 8 numbers: two causes, and noise."""
    rng = np.random.default_rng(0)
    causes, mixing = rng.normal(size=(600, 2)), rng.normal(size=(2, 8))
    return (causes @ mixing + 0.5 * rng.normal(size=(600, 8))).astype(np.float32)


def tiny(**fields):
    """A prepared VAE of a few hundred weights in float64, and 4 samples."""
    rows = np.random.default_rng(1).normal(size=(4, 5)).astype(np.float32)
    fields = {"encoder": "linear", "decoder": "linear", "variance": 0.5, **fields}
    vae = replearn.VAE(dim=2, batch_size=4, **fields, **FACTS).prepare(rows)
    for module in vae.modules().values():
        module.double()
    return vae, replearn.as_samples(rows)[np.arange(4)]


def gradients(estimator, *, repetitions, **fields):
    """Losses `(r,)` and gradients `(r, p)` of the encoder's weights, of so many draws of the noise."""
    vae, batch = tiny(estimator=estimator, **fields)
    weights = [*vae.code_.parameters(), *vae.log_variance_.parameters()]
    losses, found = [], []
    for seed in range(repetitions):
        torch.manual_seed(seed)
        loss = vae.loss(batch)
        losses.append(loss.detach())
        found.append(torch.cat([g.flatten() for g in torch.autograd.grad(loss, weights)]))
    return torch.stack(losses), torch.stack(found)


def agree(a, b):
    """Whether means over rows differ by less than chance explains, in every column and on the whole."""
    error = (a.var(0) / len(a) + b.var(0) / len(b)).sqrt()
    z = (a.mean(0) - b.mean(0)) / error.clamp_min(1e-12)
    return z.abs().max() < 5 and z.square().mean() < 2.5


@pytest.mark.parametrize(
    ("estimator", "fields"),
    [("sampled", {}), ("score", {}), ("score", {"baseline": True})],
)
def test_estimators_agree_on_average(estimator, fields):
    usual, own = (
        gradients(name, draws=200, repetitions=40, **more)
        for name, more in (("analytic", {}), (estimator, fields))
    )
    assert agree(usual[0][:, None], own[0][:, None])
    assert agree(usual[1], own[1])
    assert usual[1].mean(0).norm() > 0.5  # there is something to agree on


def test_the_score_functions_gradient_varies_most_and_a_baseline_helps():
    variance = {
        name: gradients(estimator, draws=2, repetitions=150, **fields)[1].var(0).sum()
        for name, estimator, fields in (
            ("reparameterised", "analytic", {}),
            ("score", "score", {}),
            ("baseline", "score", {"baseline": True}),
        )
    }
    assert variance["score"] > 10 * variance["reparameterised"]
    assert variance["reparameterised"] < variance["baseline"] < 0.7 * variance["score"]


def test_the_decoders_gradient_is_alike_for_all_estimators():
    found = []
    for estimator in ("analytic", "sampled", "score"):
        vae, batch = tiny(estimator=estimator, draws=3)
        torch.manual_seed(0)
        found.append(torch.autograd.grad(vae.loss(batch), [*vae.decoder_.parameters()]))
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            torch.testing.assert_close(a, b)


@pytest.fixture(scope="module")
def linear(table):
    return replearn.VAE(
        encoder="linear", decoder="linear", dim=2, epochs=80, batch_size=100, learning_rate=2e-2, **FACTS
    ).fit(table)


def exact(vae, x):
    """The likelihood of a linear decoder with Gaussian noise: that of a Gaussian."""
    (layer,) = (part for part in vae.decoder_.modules() if isinstance(part, nn.Linear))
    variance = vae.likelihood_.log_variance.exp() * torch.eye(len(layer.bias))
    whole = torch.distributions.MultivariateNormal(layer.bias, layer.weight @ layer.weight.T + variance)
    return whole.log_prob(x).detach().numpy()


def test_a_linear_vae_comes_near_to_probabilistic_pca_and_not_beyond(linear, table):
    x = (torch.as_tensor(table) - linear.encoder_.mean) / linear.encoder_.std
    values = torch.linalg.eigvalsh(torch.cov(x.T, correction=0).double()).flip(0)
    noise = values[2:].mean()
    # Tipping & Bishop, 1999, equation 8 at its maximum.
    best = -0.5 * (8 * log(2 * pi) + values[:2].log().sum() + 6 * noise.log() + 8).item()
    bound = linear.log_likelihood(table, draws=200)
    true = exact(linear, x)
    assert true.mean() <= best + 1e-5
    assert best - 0.1 < bound.mean() <= true.mean() + 0.01
    np.testing.assert_allclose(bound, true, atol=0.5)


def test_the_bound_rises_with_draws_and_stays_one(linear, table):
    with torch.no_grad():
        linear.log_variance_.bias += 1.0  # a posterior that is not the right one
    x = (torch.as_tensor(table) - linear.encoder_.mean) / linear.encoder_.std
    bounds = [linear.log_likelihood(table, draws=draws).mean() for draws in (1, 10, 100)]
    with torch.no_grad():
        linear.log_variance_.bias -= 1.0
    assert bounds[0] + 0.1 < bounds[1] < bounds[2] < exact(linear, x).mean() + 0.01
    assert linear.log_likelihood(table[:3], draws=10_000).shape == (3,)
    np.testing.assert_array_equal(*(linear.log_likelihood(table[:9], draws=5) for _ in range(2)))
    with pytest.raises(ValueError, match="draws must be at least 1"):
        linear.log_likelihood(table, draws=0)


def test_rate_and_distortion_add_up_to_the_bound(digits):
    vae = replearn.VAE(dim=4, encoder="mlp", epochs=5, batch_size=64, **FACTS).fit(digits)
    batch = digits[np.arange(384)]
    with torch.no_grad():
        measured = vae.measures(batch)
        mean, log_variance = vae.posterior(batch)
        kl = unit_kl(mean, log_variance)  # (n, d)
    bound = vae.log_likelihood(digits, draws=1).mean()
    assert -(measured["rate"] + measured["distortion"]).item() == pytest.approx(bound, abs=0.5)
    expected = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean, (0.5 * log_variance).exp()), torch.distributions.Normal(0.0, 1.0)
    )
    torch.testing.assert_close(kl, expected, rtol=1e-4, atol=1e-5)
    assert measured["active_units"] == 4 * (1 - measured["dead_units"])
    assert {"rate", "distortion", "active_units"} <= vae.history_.rows[-1].keys()


def test_samples_come_from_the_prior_on_the_samples_scale(digits, table, linear):
    vae = replearn.VAE(dim=4, encoder="mlp", epochs=10, batch_size=64, **FACTS).fit(digits)
    made = vae.sample(300, random_state=1)
    assert made.shape == (300, *digits.shape)
    assert 0 <= made.min() < 0.01
    assert 0.9 < made.max() <= 1
    np.testing.assert_array_equal(made, vae.sample(300, random_state=1))
    assert not np.array_equal(made, vae.sample(300, random_state=2))
    rows = linear.sample(4000)
    np.testing.assert_allclose(rows.mean(0), table.mean(0), atol=0.2)
    np.testing.assert_allclose(rows.std(0), table.std(0), rtol=0.3)


@pytest.mark.all
def test_choices_are_learned():
    """Rows that choose one of 6 classes five times: each costs 5 ln 6 without a code, about ln 6 with one."""
    x = 5 * np.eye(6, dtype=np.float32)[np.arange(240) % 6]
    vae = replearn.VAE(
        likelihood="categorical", dim=2, epochs=60, batch_size=60, learning_rate=1e-2, **FACTS
    ).fit(x)
    made = vae.inverse_transform(vae.transform(x))
    np.testing.assert_allclose(made.sum(1), 1, atol=1e-5)
    assert (made.argmax(1) == x.argmax(1)).mean() > 0.95
    assert -4 < vae.log_likelihood(x).mean() < -log(6) + 0.05


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"likelihood": "bernouli"}, "Nearest: bernoulli"),
        ({"likelihood": "bernoulli"}, r"must lie in \[0, 1\] for a bernoulli"),
        ({"likelihood": "categorical"}, "must count choices"),
        ({"variance": -1.0}, "variance must be greater than 0"),
        ({"estimator": "reinforce"}, "estimator must be analytic, sampled or score"),
        ({"estimator": "score", "baseline": True}, "or 2 with a baseline; got 1"),
        ({"dim": 0}, "dim counts"),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(fields, says, table):
    with pytest.raises(ValueError, match=says) as error:
        replearn.VAE(dim=2, batch_size=64, epochs=1, **FACTS).set_params(**fields).fit(table)
    assert len(str(error.value).splitlines()) == 1


def alarms(method, samples):
    return {alarm.kind: alarm.step for alarm in method.fit(samples).history_.alarms}


QUICK = {"encoder": "mlp", "dim": 8, "batch_size": 64, "learning_rate": 3e-3}


@pytest.mark.parametrize(
    ("cls", "fields"),
    [
        (replearn.VAE, {}),
        (replearn.BetaVAE, {"beta": 1.5}),  # 64 pixels do not pay for 4
        (replearn.BetaTCVAE, {}),
        (replearn.FactorVAE, {}),
    ],
)
def test_a_healthy_training_raises_no_alarm(cls, fields, digits):
    assert alarms(cls(**QUICK, **fields, epochs=15, **FACTS), digits) == {}


def test_too_much_beta_is_posterior_collapse(digits):
    found = alarms(replearn.BetaVAE(**QUICK, epochs=30, beta=1000.0, **FACTS), digits)
    assert found["posterior collapse"] <= 200


def test_an_exploding_log_variance_is_named(digits):
    found = alarms(replearn.VAE(**QUICK | {"learning_rate": 1.0}, epochs=25, **FACTS), digits)
    assert found["log-variance"] < 150


def test_capacity_is_what_the_code_tells(digits):
    vae = replearn.BetaVAE(**QUICK, epochs=30, beta=100.0, capacity=5.0, **FACTS).fit(digits)
    assert vae.history_.rows[-1]["rate"] == pytest.approx(5.0, abs=0.7)
    assert vae.allowed_.value == 5.0


def test_the_parts_of_the_kl_add_up_to_a_vae(digits):
    """With weights of 1 β-TC-VAE's loss is the VAE's with a sampled KL, whatever the batch."""
    fields = {**QUICK, "batch_size": 64, **FACTS}
    whole = replearn.VAE(**fields, estimator="sampled").prepare(digits)
    parts = replearn.BetaTCVAE(**fields, alpha=1.0, beta=1.0, gamma=1.0).prepare(digits)
    losses = []
    for method in (whole, parts):
        torch.manual_seed(0)
        losses.append(method.loss(digits[np.arange(64)]))
    torch.testing.assert_close(*losses, rtol=1e-5, atol=1e-3)


def test_both_players_are_recorded_and_learn_their_own(digits):
    method = replearn.FactorVAE(**QUICK, epochs=2, **FACTS).fit(digits)
    for module in method.modules().values():
        module.zero_grad()
    row = method.history_.rows[-1]
    assert row["loss"] == pytest.approx(row["autoencoder"] + row["discriminator"], rel=1e-4)
    terms = method.terms(digits[np.arange(64)])
    terms["autoencoder"]().backward()
    own = [*method.encoder_.parameters(), *method.decoder_.parameters(), *method.code_.parameters()]
    rival = list(method.discriminator_.parameters())
    assert all(p.grad is not None for p in own)
    assert all(p.grad is None for p in rival)
    before = [p.grad.clone() for p in own]
    terms["discriminator"]().backward()
    assert all(torch.equal(p.grad, g) for p, g in zip(own, before, strict=True))
    assert all(p.grad is not None for p in rival)


def test_units_are_shuffled_apart():
    z = torch.arange(12.0).view(6, 2)
    torch.manual_seed(0)
    shuffled = permute_dims(z, torch.rand(z.shape).argsort(0))
    assert torch.equal(shuffled.sort(0).values, z)
    assert not torch.equal(shuffled[:, 1] - shuffled[:, 0], torch.ones(6))
