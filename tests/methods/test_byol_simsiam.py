"""BYOL and SimSiam: the loss of the paper, what holds still, and what collapses when it does not."""

from math import sqrt

import numpy as np
import pytest
import torch

import replearn
from replearn.engine.health import effective_rank
from replearn.methods.state.teacher import rising_momentum

QUICK = {"encoder": "cnn", "batch_size": 24, "hidden": 16, "dim": 8, "device": "cpu", "precision": "32-true"}


@pytest.fixture(scope="module")
def few():
    return replearn.load_data("digits", split="train").subset(np.arange(96))


def prepared(cls, few, **fields):
    method = cls(**QUICK, **fields).prepare(few)
    for module in method.modules().values():
        module.train()
    return method


def batch_of(few):
    return few[np.arange(24)].part_of(24, start=0)


def embeddings(method, few):
    """Embeddings and predictions of the views that `loss` will see after `torch.manual_seed(0)`."""
    torch.manual_seed(0)
    z = [method.head_(method.encoder_(view)) for view in method.views_(batch_of(few))]
    p = [method.predictor_(rows) for rows in z]
    torch.manual_seed(0)
    return z, p


def cosine(u, v):
    dot = sum(s * t for s, t in zip(u, v, strict=True))
    return dot / sqrt(sum(s * s for s in u)) / sqrt(sum(t * t for t in v))


def squared_distance(u, v):
    """Of the two vectors divided by their lengths."""
    lengths = sqrt(sum(s * s for s in u)), sqrt(sum(t * t for t in v))
    return sum((s / lengths[0] - t / lengths[1]) ** 2 for s, t in zip(u, v, strict=True))


def mean_of(measure, p, z):
    return sum(measure(u, v) for u, v in zip(p.tolist(), z.tolist(), strict=True)) / len(p)


def test_byols_first_loss_is_that_of_the_paper(few):
    method = prepared(replearn.BYOL, few)
    z, p = embeddings(method, few)
    slow = mean_of(squared_distance, p[0], z[1]) + mean_of(squared_distance, p[1], z[0])
    assert method.loss(batch_of(few)).item() == pytest.approx(slow, rel=1e-5)


def test_simsiams_loss_is_that_of_the_paper(few):
    method = prepared(replearn.SimSiam, few)
    z, p = embeddings(method, few)
    slow = -(mean_of(cosine, p[0], z[1]) + mean_of(cosine, p[1], z[0])) / 2
    assert method.loss(batch_of(few)).item() == pytest.approx(slow, abs=1e-6)


def test_byols_teacher_gets_no_gradient_and_follows_by_the_rising_momentum(few):
    method = prepared(replearn.BYOL, few, momentum=0.9)
    method.loss(batch_of(few)).backward()
    assert all(p.grad is None for p in method.teacher_.parameters())
    assert all(p.grad is not None for p in method.predictor_.parameters())
    students = [p for m in (method.encoder_, method.head_) for p in m.parameters()]
    for progress in (0.0, 0.4, 1.0):
        old = [p.clone() for p in method.teacher_.parameters()]
        with torch.no_grad():
            for p in students:
                p.add_(torch.randn_like(p))
        method.after_step(progress)
        momentum = rising_momentum(progress, start=0.9)
        for own, before, student in zip(method.teacher_.parameters(), old, students, strict=True):
            torch.testing.assert_close(own, momentum * before + (1 - momentum) * student)


def test_training_moves_byols_teacher_by_following_only(few):
    untrained = replearn.BYOL(**QUICK).prepare(few)
    method = replearn.BYOL(**QUICK, epochs=1, momentum=1.0).fit(few)
    pairs = zip(method.teacher_.parameters(), untrained.teacher_.parameters(), strict=True)
    assert all(torch.equal(own, start) for own, start in pairs)


def test_no_gradient_reaches_what_simsiam_predicts(few):
    gradients = {}
    for stop in (True, False):
        method = prepared(replearn.SimSiam, few, stop_gradient=stop)
        torch.manual_seed(0)
        method.loss(batch_of(few)).backward()
        gradients[stop] = method.head_[0].weight.grad
    assert (gradients[True] - gradients[False]).norm() > 0.1 * gradients[True].norm()

    method = prepared(replearn.SimSiam, few)
    z, _ = embeddings(method, few)
    p = [method.predictor_(rows) for rows in z]
    loss = sum(-torch.cosine_similarity(p[i], z[1 - i].detach(), dim=1).mean() for i in (0, 1)) / 2
    (expected,) = torch.autograd.grad(loss, method.head_[0].weight)
    torch.testing.assert_close(gradients[True], expected, rtol=1e-4, atol=1e-7)


@pytest.mark.all
@pytest.mark.parametrize("stop_gradient", [True, False])
def test_simsiam_collapses_without_stop_gradient(stop_gradient):
    # The BatchNorm at the head's end keeps the spread up: what collapses is the number of directions, to about 5.
    samples = replearn.load_data("digits8x8", split="train").subset(np.arange(1000))
    fields = {
        "encoder": "mlp",
        "epochs": 10,
        "batch_size": 64,
        "learning_rate": 1e-3,
        "stop_gradient": stop_gradient,
    }
    method = replearn.SimSiam(**fields, device="cpu", precision="32-true").fit(samples)
    assert method.history_.rows[-1]["step"] < 200
    with torch.no_grad():
        z = method.head_(method.encoder_(samples[np.arange(500)]))
    rank = effective_rank(z - z.mean(0))
    assert rank > 20 if stop_gradient else rank < 10, rank
