"""IBOT does what the paper says: DINO's loss of crops, and the teacher's word on patches that the student can't see."""

from math import exp, log

import numpy as np
import pytest
import torch

import replearn
from made_methods import few_images
from replearn.encoders.patching import chosen
from replearn.views import Crop, Pair

QUICK = {
    "batch_size": 8,
    "hidden": 8,
    "dim": 4,
    "prototypes": 6,
    "epochs": 1,
    "device": "cpu",
    "precision": "32-true",
}


def prepared(**fields):
    torch.manual_seed(0)
    method = replearn.IBOT(**QUICK, views=Pair(Crop(0.5, 1), Crop(0.5, 1)), **fields).prepare(few_images())
    for module in method.modules().values():
        module.train().double()
    return method


def batch(n=8):
    found = few_images()[np.arange(n)].floats()
    return found.with_x(found.x.double())


def softmax(scores, temperature):
    weights = [exp(s / temperature) for s in scores]
    return [w / sum(weights) for w in weights]


def slow_cross_entropy(targets, scores, temperature):
    """Mean over rows of -Σ q ln p."""
    rows = [
        -sum(q * log(p) for q, p in zip(target, softmax(score, temperature), strict=True))
        for target, score in zip(targets, scores, strict=True)
    ]
    return sum(rows) / len(rows)


def test_loss_is_that_of_the_paper(monkeypatch):
    """Cross terms of the two crops' means, and terms of each crop's hidden patches with the teacher's own."""
    method = prepared(share=0.4)
    given, drawn = [], []
    views, hidden = method.views_, method.hidden_states
    made = type(views).__call__
    monkeypatch.setattr(type(views), "__call__", lambda self, b: given.append(made(self, b)) or given[-1])
    monkeypatch.setattr(
        method, "hidden_states", lambda view, places: drawn.append(places) or hidden(view, places)
    )
    loss = method.loss(batch()).item()
    (crops,) = given
    teacher, head = method.teacher_.chain
    with torch.no_grad():
        shown = [teacher.read(crop, "states") for crop in crops]
        seen = [hidden(crop, places) for crop, places in zip(crops, drawn, strict=True)]
        means = [[softmax(s, 0.04) for s in head(states.mean(1)).tolist()] for states in shown]
        own = [
            [softmax(s, 0.04) for s in head(chosen(s_, p).flatten(0, 1)).tolist()]
            for s_, p in zip(shown, drawn, strict=True)
        ]
        told = [method.head_(states.mean(1)).tolist() for states in seen]
        patches = [
            method.head_(chosen(s_, p).flatten(0, 1)).tolist() for s_, p in zip(seen, drawn, strict=True)
        ]
    expected = sum(
        slow_cross_entropy(means[1 - i], told[i], 0.1) / 2 + slow_cross_entropy(own[i], patches[i], 0.1) / 2
        for i in (0, 1)
    )
    assert loss == pytest.approx(expected, rel=1e-6)
    assert [places.shape for places in drawn] == [(8, 20), (8, 20)]  # of 7 x 7 patches


def test_the_student_knows_nothing_of_hidden_patches_and_the_teacher_sees_them():
    method, some = prepared(), batch()
    patches = method.encoder_.patches(some)
    places = torch.arange(5).expand(8, 5)
    noise = torch.rand(8, 5, patches.shape[2], dtype=torch.double)
    other = some.with_x(
        method.encoder_.assemble(patches.scatter(1, places[..., None].expand_as(noise), noise), some)
    )
    with torch.no_grad():
        assert torch.equal(method.hidden_states(some, places), method.hidden_states(other, places))
        assert not torch.equal(method.shown(some), method.shown(other))


def test_gradients_reach_encoder_head_and_token_but_no_teacher():
    method = prepared()
    method.loss(batch()).backward()
    assert method.token_.value.grad.abs().sum() > 0
    assert all(p.grad is None for p in method.teacher_.parameters())
    assert all(p.grad is not None for p in method.encoder_.parameters())


def test_patches_have_a_centre_of_their_own():
    method = prepared(centre_momentum=0.0)
    method.loss(batch())
    method.after_step(0.5)
    assert method.patch_centre_.mean.abs().sum() > 0
    assert not torch.allclose(method.patch_centre_.mean, method.centre_.mean)


def test_the_representation_is_the_teachers_mean_of_all_patches():
    method = prepared()
    for module in method.modules().values():
        module.eval().float()
    found = method.transform(few_images())
    with torch.no_grad():
        states = method.teacher_.chain[0].read(few_images()[np.arange(96)], "states")
    np.testing.assert_allclose(found, states.mean(1).numpy(), atol=1e-4)


def test_scores_that_are_all_alike_cost_twice_the_log_of_the_prototypes():
    method = prepared()
    assert method.loss_at_collapse() == pytest.approx(2 * log(6))
    for head in (method.head_, method.teacher_.chain[1]):
        head.prototypes.weight.data[:] = 1.0
    assert method.loss(batch()).item() == pytest.approx(2 * log(6), rel=1e-6)


def test_an_encoder_without_patches_is_refused():
    with pytest.raises(ValueError, match="patches"):
        replearn.IBOT(**QUICK, encoder="cnn").prepare(few_images())
