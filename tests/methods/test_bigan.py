"""BiGAN: two players, each with its own loss and parameters; trouble is named; samples and codes come out."""

import pickle
from copy import deepcopy
from itertools import cycle

import numpy as np
import pytest
import torch
from torch import nn

from replearn import BiGAN, as_samples, load, load_data
from replearn.encoders.discriminators import ConvDiscriminator, ImageDiscriminator, make_discriminator
from replearn.engine.health import LOOKS
from replearn.methods.reconstruction import bigan

QUICK = {"encoder": "mlp", "dim": 6, "batch_size": 32, "precision": "32-true", "device": "cpu"}


@pytest.mark.parametrize("net", [ConvDiscriminator((1, 20, 20), 6), ImageDiscriminator((3, 9, 9))])
def test_discriminators_are_pickled_and_copied_as_they_are(net):
    """torch refuses networks with spectral norm."""
    net.double().eval()
    x = [torch.rand(2, *net.made_from[0], dtype=torch.float64)]
    x += [torch.rand(2, 6, dtype=torch.float64)] * isinstance(net, ConvDiscriminator)
    torch.manual_seed(0)
    for again in (pickle.loads(pickle.dumps(net)), deepcopy(net)):
        assert torch.equal(again(*x), net(*x))
        assert not again.training
    drawn = torch.rand(())
    torch.manual_seed(0)
    assert torch.rand(()) == drawn


@pytest.fixture(scope="module")
def digits():
    return load_data("digits8x8", split="train").subset(np.arange(512))


def gradients(method, samples, name):
    """Which modules the loss of a player moves."""
    for module in method.modules().values():
        module.zero_grad()
    torch.manual_seed(0)
    method.terms(samples[np.arange(32)])[name]().backward()
    return {
        key
        for key, module in method.modules().items()
        if any(p.grad is not None and p.grad.abs().sum() > 0 for p in module.parameters())
    }


def test_each_player_moves_its_own_networks(digits):
    method = BiGAN(**QUICK, discriminator_rate=2.0).prepare(digits)
    for module in method.modules().values():
        module.train()
    assert gradients(method, digits, "generator") == {"encoder_", "code_", "decoder_"}
    assert gradients(method, digits, "discriminator") == {"discriminator_"}
    assert method.rates() == {"discriminator_": 2.0}


@pytest.mark.all
def test_both_losses_are_recorded_and_a_healthy_training_raises_no_alarm(digits):
    method = BiGAN(**QUICK, epochs=12).fit(digits)
    assert method.history_.alarms == []
    last = method.history_.rows[-1]
    assert last["loss"] == pytest.approx(last["generator"] + last["discriminator"], rel=1e-4)
    assert last["variety"] > 0.5


def test_samples_and_reconstructions_have_the_samples_shape_and_come_back(digits, tmp_path):
    method = BiGAN(**QUICK, epochs=1).fit(digits)
    made = method.sample(5, random_state=3)
    assert made.shape == (5, 1, 8, 8)
    np.testing.assert_array_equal(made, method.sample(5, random_state=3))
    assert np.abs(made - method.sample(5, random_state=4)).max() > 0
    assert method.inverse_transform(method.transform(digits)).shape == (512, 1, 8, 8)
    method.save(tmp_path / "run")
    np.testing.assert_array_equal(load(tmp_path / "run").sample(5, random_state=3), made)


@pytest.mark.all
def test_a_generator_stuck_at_one_sample_is_named(digits):
    class Stuck(BiGAN):
        def build(self, samples):
            super().build(samples)
            self.decoder_[0][0][0].weight.requires_grad_(False).zero_()  # the code no longer matters

    method = Stuck(**QUICK, epochs=8).fit(digits)
    assert method.history_.rows[-1]["variety"] < 1e-3
    assert [alarm.kind for alarm in method.history_.alarms] == ["mode collapse"]
    assert "one sample for all codes" in str(method.history_.alarms[0])
    assert LOOKS > 1  # one look does not tell


def test_tables_and_images_without_halving(digits):
    rng = np.random.default_rng(0)
    table = as_samples(rng.normal(size=(64, 5)).astype(np.float32))
    assert BiGAN(**QUICK | {"dim": 2}, epochs=1).fit(table).sample(3).shape == (3, 5)
    assert (
        BiGAN(dim=2, batch_size=16, epochs=1, device="cpu").fit(digits.subset(range(32))).sample(2).ndim == 4
    )


@pytest.mark.all
def test_the_generator_moves_towards_the_data(digits):
    """Pixels that are always black become black: a hinge of the wrong sign drives them anywhere."""
    method = BiGAN(**QUICK, epochs=30).prepare(digits)
    real = digits.flat().mean(0)
    before = np.square(method.sample(400).reshape(400, -1).mean(0) - real).sum()
    after = np.square(method.fit(digits).sample(400).reshape(400, -1).mean(0) - real).sum()
    assert after < 0.3 * before


@pytest.mark.all
def test_a_hinge_of_the_wrong_sign_is_seen(digits, monkeypatch):
    signs = cycle([-1.0])
    monkeypatch.setattr(bigan, "hinge_generator", lambda real, fake: next(signs) * (real - fake).mean())
    method = BiGAN(**QUICK, epochs=30).prepare(digits)
    real = digits.flat().mean(0)
    before = np.square(method.sample(400).reshape(400, -1).mean(0) - real).sum()
    after = np.square(method.fit(digits).sample(400).reshape(400, -1).mean(0) - real).sum()
    assert not after < 0.3 * before


def test_made_samples_lie_where_samples_may(digits):
    """In [0, 1] for images, even before training; anywhere for columns that are not in [0, 1]."""
    made = BiGAN(**QUICK).prepare(digits).sample(50)
    assert made.min() >= -1e-6
    assert made.max() <= 1 + 1e-6
    rng = np.random.default_rng(0)
    table = as_samples(np.stack([rng.random(64), rng.normal(5, 9, 64)], axis=1).astype(np.float32))
    made = BiGAN(**QUICK | {"dim": 1}, epochs=3).fit(table).inverse_transform(99 * np.ones((1, 1)))
    assert 0 <= made[0, 0] <= 1
    assert not 0 <= made[0, 1] <= 1


def test_noise_fades_and_goes_on_where_it_was(digits):
    method = BiGAN(**QUICK, noise=2.0).prepare(digits)
    x = torch.zeros(3, 4)
    assert torch.equal(method.noise_(x, torch.ones(3, 4)), x + 2)
    method.after_step(0.75)
    assert torch.equal(method.noise_(x, torch.ones(3, 4)), x + 0.5)
    assert method.modules()["noise_"].state_dict()["std"] == 0.5  # kept in checkpoints


def test_large_images_have_a_discriminator_of_convolutions():
    convolutions, mlp = make_discriminator((3, 40, 40), 4), make_discriminator((1, 28, 28), 4)
    kinds = [any(isinstance(part, nn.Conv2d) for part in net.modules()) for net in (convolutions, mlp)]
    assert kinds == [True, False]
    assert convolutions(torch.zeros(2, 3, 40, 40), torch.zeros(2, 4)).shape == (2, 1)
    x, z = torch.randn(5, 1, 28, 28), torch.randn(5, 4)
    scores = mlp(x, z)
    torch.testing.assert_close(mlp(x[:1], z[:1]), scores[:1])  # of each pair alone
    assert (mlp(x, z.flip(0))[0] != scores[0]).all()


@pytest.mark.parametrize("field", ["discriminator_rate", "noise"])
def test_bad_fields(digits, field):
    with pytest.raises(ValueError, match=rf"{field} must be .*; got -1\.0\. Try 1"):
        BiGAN(**QUICK | {field: -1.0}).prepare(digits)
