"""DINO: terms one after another, centre and temperature, which crops teach and which learn."""

import numpy as np
import pytest
import torch
from torch import nn

import replearn
from replearn import DINO
from replearn.methods.state.centre import Centre
from replearn.views import Crop, MultiCrop

FIELDS = {"encoder": "cnn", "batch_size": 16, "prototypes": 12, "hidden": 32, "dim": 8, "device": "cpu"}


@pytest.fixture(scope="module")
def digits():
    return replearn.load_data("digits", split="train").subset(np.arange(64))


def batch_of(samples, n=16):
    return samples[np.arange(n)].part_of(n, start=0)


def crops(n_small):
    return MultiCrop(Crop(0.6, 1.0), Crop(0.2, 0.6, size=16), n_small=n_small)


def made(digits, **fields):
    method = DINO(**FIELDS | {"frozen": 0.0} | fields).prepare(digits)
    for module in method.modules().values():
        module.double()
    return method


def gradients(method):
    return {
        f"{name}.{part}": weight.grad
        for name, module in method.modules().items()
        for part, weight in module.named_parameters()
        if weight.requires_grad
    }


def doubled(batch):
    return batch.with_x(batch.x.double() / 255)


def test_gradients_of_terms_add_up_to_that_of_the_loss(digits):
    found = []
    for one_by_one in (False, True):
        method = made(digits, views=crops(3))
        torch.manual_seed(0)
        if one_by_one:
            terms = method.terms(doubled(batch_of(digits)))
            assert len(terms) == 5
            for term in terms:
                term().backward()
        else:
            method.loss(doubled(batch_of(digits))).backward()
        found.append(gradients(method))
    whole, summed = found
    assert all(gradient is not None for gradient in whole.values())
    for name, gradient in whole.items():
        torch.testing.assert_close(summed[name], gradient, rtol=1e-9, atol=1e-12, msg=name)


def test_the_loss_is_the_mean_over_pairs_of_different_crops(digits):
    method = made(digits, views=crops(1)).set_params()
    batch = doubled(batch_of(digits))
    torch.manual_seed(0)
    loss = method.loss(batch)
    method.centre_.follow(momentum=1.0, warm=0.0)
    torch.manual_seed(0)
    views = method.views_(batch)
    targets = [method.centre_(method.teacher_(view)) for view in views[:2]]
    nets = nn.Sequential(method.encoder_, method.head_)
    logs = [(nets(view) / method.temperature).log_softmax(1) for view in views]
    pairs = [(g, v) for g in range(2) for v in range(3) if g != v]
    slow = sum(-(targets[g] * logs[v]).sum(1).mean() for g, v in pairs) / len(pairs)
    torch.testing.assert_close(loss, slow)


def alive_at_most(method, digits):
    """The most bytes of activations kept for a backward pass at a time, weights aside, in one step."""
    alive = most = 0

    class Kept:
        def __init__(self, tensor):
            nonlocal alive, most
            self.tensor = tensor
            self.bytes = tensor.numel() * tensor.element_size()
            alive += self.bytes
            most = max(most, alive)

        def __del__(self):
            nonlocal alive
            alive -= self.bytes

    with torch.autograd.graph.saved_tensors_hooks(Kept, lambda kept: kept.tensor):
        for term in method.terms(batch_of(digits)):
            term().backward()
    assert alive == 0
    return most


def test_memory_does_not_grow_with_the_number_of_crops(digits):
    few, many = (alive_at_most(DINO(**FIELDS, views=crops(n)).prepare(digits), digits) for n in (2, 8))
    assert few > 1e5
    assert many <= 1.01 * few


def test_no_gradient_reaches_the_teacher(digits):
    method = made(digits, views=crops(1))
    method.loss(doubled(batch_of(digits))).backward()
    assert all(p.grad is None and not p.requires_grad for p in method.teacher_.parameters())


def test_the_teacher_sees_the_large_crops_only(digits, monkeypatch):
    method = DINO(**FIELDS, views=crops(3)).prepare(digits)
    seen = []
    method.teacher_.register_forward_pre_hook(lambda _, views: seen.append(tuple(views[0].x.shape[2:])))
    method.terms(batch_of(digits))
    assert seen == [(28, 28), (28, 28)]


def test_the_centre_moves_once_a_step_by_all_its_scores(digits):
    centre = Centre(3, first=0.1, last=0.1)
    scores = torch.randn(10, 3)
    first = centre(scores[:4])
    torch.testing.assert_close(centre(scores[:4]), first)  # not moved yet
    centre.follow(momentum=0.9, warm=1.0)
    torch.testing.assert_close(centre.mean, 0.1 * scores[:4].mean(0))
    parts, whole = Centre(3, first=0.1, last=0.1), Centre(3, first=0.1, last=0.1)
    for part in (scores[6:], scores[:6]):
        parts(part)
    whole(scores)
    for each in (parts, whole):
        each.follow(momentum=0.5, warm=1.0)
    torch.testing.assert_close(parts.mean, whole.mean)
    before = whole.mean.clone()
    whole.follow(momentum=0.5, warm=1.0)  # nothing seen
    assert torch.equal(whole.mean, before)
    whole.eval()(scores)
    assert whole.seen == 0


def test_schedules_of_temperature_and_freezing(digits):
    method = DINO(
        **FIELDS, first_temperature=0.04, teacher_temperature=0.08, sharpening=0.5, frozen=0.2
    ).prepare(digits)
    assert method.centre_.temperature.item() == pytest.approx(0.04)
    assert not method.head_.prototypes.moving
    for progress, temperature, moving in ((0.0, 0.04, 0), (0.1, 0.048, 0), (0.25, 0.06, 1), (0.8, 0.08, 1)):
        method.after_step(progress)
        assert method.centre_.temperature.item() == pytest.approx(temperature)
        assert method.head_.prototypes.moving == moving
    momenta = []
    method.teacher_.follow = lambda *nets, momentum: momenta.append(momentum)
    for progress in (0.0, 1.0):
        method.after_step(progress)
    assert momenta == pytest.approx([method.momentum, 1.0])


def test_the_representation_is_the_teachers(digits):
    method = DINO(**FIELDS, epochs=2, momentum=0.5).fit(digits)
    batch = batch_of(digits)
    with torch.no_grad():
        assert torch.equal(method.represent(batch), method.teacher_.chain[0](batch))
        assert not torch.allclose(method.represent(batch), method.encoder_(batch))
