"""Rotation: what makes it what it is."""

import math

import numpy as np
import pytest
import torch

import replearn
from replearn.data.samples import Batch
from replearn.views import Crop, Rotations


@pytest.fixture(scope="module")
def digits():
    return replearn.load_data("digits", split="train").subset(np.arange(64))


def made(samples, **given):
    return replearn.Rotation(encoder="cnn", device="cpu", views=Rotations(), **given).prepare(samples)


def test_the_loss_is_that_of_the_papers_equation(digits):
    """Equation 3: - 1/4 sum over turns of ln p(turn | turned image), mean over images."""
    method, batch = made(digits), digits[np.arange(2)]
    method.encoder_.eval()
    total = 0.0
    for image in batch.x.double() / 255:
        for turn in range(4):
            seen = image
            for _ in range(turn):  # transpose and mirror: a quarter against the clock
                seen = torch.flip(seen.transpose(1, 2), (1,))
            one = Batch(seen[None].float(), labels=torch.tensor([0]), index=torch.tensor([0]))
            logits = method.logits_(method.encoder_(one)).double()[0]
            total -= float((logits[turn] - logits.exp().sum().log()).detach())
    assert float(method.loss(batch).detach()) == pytest.approx(total / (4 * 2), abs=1e-5)


def test_all_four_turns_of_each_image_are_in_one_pass_of_the_network(digits):
    method, sizes = made(digits), []
    method.encoder_.register_forward_hook(lambda module, given, found: sizes.append(len(found)))
    method.loss(digits[np.arange(6)])
    assert sizes == [24]


def test_pixels_change_places_and_no_value_is_made_up(digits):
    batch = digits[np.arange(6)]
    (turned,) = Rotations()(batch)
    values = [sorted(image.flatten().tolist()) for image in turned.x]
    assert all(values[4 * i + turn] == values[4 * i] for i in range(6) for turn in range(4))


def test_of_images_that_are_not_square_the_middle_is_seen():
    x = torch.rand(2, 3, 9, 6)
    batch = Batch(x, labels=torch.tensor([0, 0]), index=torch.arange(2))
    (turned,) = Rotations()(batch)
    assert turned.x.shape == (8, 3, 6, 6)
    assert torch.equal(turned.x[0], x[0, :, 1:7])


def test_what_looks_the_same_from_all_sides_cannot_be_told():
    x = torch.rand(8, 1, 12, 12)
    x = torch.stack([torch.rot90(x, turn, (2, 3)) for turn in range(4)]).mean(0)
    samples = replearn.as_samples(x)
    method = replearn.Rotation(encoder="cnn", device="cpu", views=Rotations(), epochs=40, batch_size=8)
    method.fit(samples)
    # No loss is below ln 4 if the four turns are one image.
    assert float(method.loss(samples[np.arange(8)]).detach()) >= math.log(4) - 1e-4


def test_layer_says_which_layer_is_the_representation(digits):
    every, whole, below = made(digits), made(digits, layer=-1), made(digits, layer=-2)
    batch = digits[np.arange(5)]
    layers = below.encoder_.eval().layers(batch)
    assert torch.equal(below.represent(batch), layers[-2])
    assert torch.equal(whole.represent(batch), whole.encoder_(batch))
    assert below.representation_dim == layers[-2].shape[1] != whole.representation_dim
    layers = every.encoder_.eval().layers(batch)
    torch.testing.assert_close(
        every.represent(batch), torch.cat([h / h.norm(dim=1, keepdim=True) for h in layers], 1)
    )
    assert every.representation_dim == sum(h.shape[1] for h in layers)
    with pytest.raises(ValueError, match="layer must be from -3 to 2"):
        made(digits, layer=3)


def test_of_a_network_without_layers_the_representation_is_what_it_returns(digits):
    method = replearn.Rotation(encoder="linear", device="cpu").prepare(digits)
    assert method.representation_dim == method.encoder_.dim
    with pytest.raises(ValueError, match="layer must be"):
        replearn.Rotation(encoder="linear", layer=-2, device="cpu").prepare(digits)


def test_views_that_turn_nothing_are_refused(digits):
    with pytest.raises(ValueError, match=r"needs views that turn samples, Rotations\(...\)"):
        replearn.Rotation(views=replearn.views.Pair(Crop(0.5, 1.0)), device="cpu").prepare(digits)


@pytest.mark.all
def test_accuracy_and_chance_are_recorded_and_answers_are_shown():
    train, test = (
        replearn.as_samples(
            replearn.load_data("digits", split=part)[np.arange(600)].x[:, :, ::2, ::2].numpy()
        )
        for part in ("train", "test")
    )
    method = replearn.Rotation(encoder="cnn", device="cpu", epochs=4, batch_size=32).fit(train)
    last = method.history_.rows[-1]
    assert last["chance"] == 0.25
    exhibit = method.exhibit(test[np.arange(200)])
    right = np.mean(exhibit.right)
    assert right > 0.45, "far above chance"
    assert len(exhibit.said) == 200
    # By a network that does not know, and for turns that are shuffled, it is a quarter.
    assert {*exhibit.said} == {"0°", "90°", "180°", "270°"}


def test_what_looks_the_same_from_all_sides_raises_an_alarm():
    plain = np.random.default_rng(0).integers(0, 256, (64, 1, 1, 1), dtype=np.uint8).repeat(8, 2).repeat(8, 3)
    method = replearn.Rotation(encoder="linear", device="cpu", views=Rotations(), epochs=55, batch_size=8)
    alarms = [str(alarm) for alarm in method.fit(plain).history_.alarms]
    assert any("from guessing to always right" in alarm for alarm in alarms)
