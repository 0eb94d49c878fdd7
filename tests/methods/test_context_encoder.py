"""ContextEncoder: holes are filled; each point of the paper, and that it learns."""

import numpy as np
import pytest
import torch

import replearn
from replearn import ContextEncoder, load_data
from replearn.encoders.maps import ChannelWise
from replearn.engine.symptoms import SYMPTOMS
from replearn.objectives import taken_for_real, told_apart, weighted_error
from replearn.views import Hidden, Pair, Same

QUICK = {"encoder": "cnn", "batch_size": 32, "epochs": 1, "device": "cpu", "precision": "32-true"}
ADVERSARY = {"adversarial": 0.001}  # the paper's


@pytest.fixture(scope="module")
def digits():
    whole = load_data("digits", split="train").subset(np.arange(640))
    x = whole[np.arange(len(whole))].x.numpy()[:, :, ::2, ::2]
    return replearn.as_samples(np.ascontiguousarray(x), whole.labels)


def ready(digits, **given):
    method = ContextEncoder(**QUICK | given).prepare(digits)
    for module in method.modules().values():
        module.train()
    return method


def test_the_channel_wise_layer_links_places_and_no_channels():
    layer, x = ChannelWise((3, 4, 5)), torch.randn(2, 3, 4, 5, requires_grad=True)
    assert layer.weight.numel() == 3 * 20 * 20
    (into,) = torch.autograd.grad(layer(x)[0, 1, 2, 3], x)
    assert (into[0, 1] != 0).all()  # every place of its channel
    assert into[0, [0, 2]].abs().max() == into[1].abs().max() == 0
    with torch.no_grad():
        expected = layer.weight[1] @ x[0, 1].flatten() + layer.bias[1]
        torch.testing.assert_close(layer(x)[0, 1].flatten(), expected, atol=1e-5, rtol=1e-5)
    with pytest.raises(ValueError, match="at most 1,024; got 56 x 56"):
        ChannelWise((1, 56, 56))


def gradients(method, samples, name):
    """Which modules a term moves."""
    for module in method.modules().values():
        module.zero_grad()
    torch.manual_seed(0)
    method.terms(samples[np.arange(32)])[name]().backward()
    return {
        key
        for key, module in method.modules().items()
        if any(p.grad is not None and p.grad.abs().sum() > 0 for p in module.parameters())
    }


def test_each_player_moves_its_own_networks_at_its_own_rate(digits):
    method = ready(digits, **ADVERSARY)
    assert gradients(method, digits, "generator") == {"encoder_", "decoder_"}
    assert gradients(method, digits, "discriminator") == {"discriminator_"}
    assert method.rates() == {"discriminator_": 0.1}  # ten times slower than encoder and decoder


def told(method, views, batch):
    """The terms of a batch that is seen so."""
    method.views_ = lambda _: views
    with torch.no_grad():
        return {name: float(term()) for name, term in method.terms(batch).items()}


def test_shares_of_the_loss_and_what_the_discriminator_sees(digits):
    method, batch = ContextEncoder(**QUICK, **ADVERSARY).fit(digits), digits[np.arange(8)]
    seen, target, weights = views = method.views_(batch)
    found = told(method, views, batch)
    with torch.no_grad():
        made, true = method.made(seen), method.scaled(target)
        hole = weights.x == 1
        real, fake = method.discriminator_(true * hole), method.discriminator_(made * hole)
        error, adversary = float(weighted_error(made, true, weights.x)), float(taken_for_real(fake))
    assert found["generator"] == pytest.approx(0.999 * error + 0.001 * adversary, rel=1e-5)
    assert 0.001 * adversary > 1e-4 * found["generator"]  # more than what is rounded
    assert found["discriminator"] == pytest.approx(float(told_apart(real, fake)), rel=1e-4)
    # What is around the hole makes no difference to the discriminator; to the error, its border does.
    around = target.with_x(torch.where(hole, target.x, 1 - target.x))
    other = told(method, (seen, around, weights), batch)
    assert other["discriminator"] == pytest.approx(found["discriminator"], rel=1e-4)
    assert other["generator"] != pytest.approx(found["generator"], rel=1e-2)


def test_without_the_adversary_there_is_none(digits):
    method = ready(digits)
    assert set(method.terms(digits[np.arange(4)])) == {"generator"}
    assert method.rates() == {}
    assert not hasattr(method, "discriminator_")
    with pytest.raises(ValueError, match=r"discriminator_rate must be left out .* no discriminator"):
        ContextEncoder(**QUICK, discriminator_rate=0.5).fit(digits)


def test_the_representation_is_of_the_whole_image(digits):
    method = ContextEncoder(**QUICK, layer=-1).fit(digits)
    with torch.inference_mode():
        expected = method.encoder_(digits[np.arange(8)])
    np.testing.assert_allclose(method.transform(digits.subset(np.arange(8))), expected, atol=1e-4, rtol=1e-4)


def test_the_exhibit_fills_holes_alone_and_is_the_same_after_loading(digits, tmp_path):
    method = ContextEncoder(**QUICK, views=Hidden("centre")).fit(digits)
    exhibit = method.exhibit(digits[np.arange(20)])
    hidden, filled, true = exhibit.pictures.values()
    hole = torch.zeros(14, 14, dtype=torch.bool)
    hole[3:10, 3:10] = True
    assert torch.equal(filled[:, :, ~hole], true[:, :, ~hole])
    assert (filled[:, :, hole] != true[:, :, hole]).float().mean() > 0.9
    mean = digits.statistics[0].expand(12, 1, 49)
    torch.testing.assert_close(hidden[:, :, hole], mean, atol=1e-4, rtol=0)
    method.save(tmp_path / "run")
    again = replearn.load(tmp_path / "run").exhibit(digits[np.arange(20)])
    torch.testing.assert_close(again.pictures["filled"], filled, atol=1e-4, rtol=0)


def test_other_views_and_encoders_without_a_map_are_refused(digits):
    with pytest.raises(ValueError, match=r"Hidden\(\.\.\.\); got Pair"):
        ContextEncoder(**QUICK, views=Pair(Same())).fit(digits)
    with pytest.raises(ValueError, match="must end in a map"):
        ContextEncoder(**QUICK | {"encoder": "mlp"}).fit(digits)


def test_filling_with_the_mean_colour_raises_an_alarm():
    assert SYMPTOMS["hole_ratio"].shows(1000, 1.0)
    assert not SYMPTOMS["hole_ratio"].shows(1000, 0.8)


@pytest.mark.all
def test_it_learns_what_is_in_holes(digits):
    method = ContextEncoder(**QUICK | {"epochs": 12}).fit(digits)
    assert method.history_.alarms == []
    assert method.history_.rows[-1]["hole_ratio"] < 0.92  # of broken losses: 1 or more
