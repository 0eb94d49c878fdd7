"""MoCo and its third version do what the paper's Algorithm 1 says."""

from math import exp, log, sqrt

import numpy as np
import pytest
import torch

import replearn
from replearn.methods.state.teacher import rising_momentum

QUICK = {
    "encoder": "cnn",
    "batch_size": 24,
    "hidden": 16,
    "dim": 8,
    "device": "cpu",
    "precision": "32-true",
}


@pytest.fixture(scope="module")
def few():
    return replearn.load_data("digits", split="train").subset(np.arange(96))


def prepared(cls, few, **fields):
    method = cls(**QUICK, **fields).prepare(few)
    for module in method.modules().values():
        module.train()
    return method


def batch_of(few, first):
    return few[np.arange(first, first + 24)].part_of(24, start=0)


def cosine(u, v):
    dot = sum(s * t for s, t in zip(u, v, strict=True))
    return dot / sqrt(sum(s * s for s in u)) / sqrt(sum(t * t for t in v))


def told_apart(queries, keys, negatives, temperature):
    """Mean over queries of -ln of the softmax at a query's own key, in slow loops."""
    total = 0.0
    for i, (query, key) in enumerate(zip(queries, keys, strict=True)):
        positive = exp(cosine(query, key) / temperature)
        total -= log(positive / (positive + sum(exp(cosine(query, u) / temperature) for u in negatives(i))))
    return total / len(queries)


def seen(method, batch):
    """The views that `loss` will see after `torch.manual_seed(0)`."""
    torch.manual_seed(0)
    views = method.views_(batch)
    torch.manual_seed(0)
    return views


def test_first_loss_is_that_of_the_paper(few):
    method = prepared(replearn.MoCo, few, queue=40, temperature=0.3)
    a, b = seen(method, batch_of(few, 0))
    queries = method.head_(method.encoder_(a)).tolist()
    keys, queue = method.head_(method.encoder_(b)).tolist(), method.queue_.rows().tolist()
    slow = told_apart(queries, keys, lambda i: queue, 0.3)
    assert method.loss(batch_of(few, 0)).item() == pytest.approx(slow, rel=1e-5)


def test_version_threes_first_loss_is_that_of_the_paper(few):
    method = prepared(replearn.MoCoV3, few, temperature=0.3)
    a, b = seen(method, batch_of(few, 0))
    z = [method.head_(method.encoder_(view)) for view in (a, b)]
    queries, keys = [method.predictor_(rows).tolist() for rows in z], [rows.tolist() for rows in z]
    slow = sum(
        told_apart(
            queries[i], keys[1 - i], lambda row, i=i: [k for j, k in enumerate(keys[1 - i]) if j != row], 0.3
        )
        for i in (0, 1)
    )
    assert method.loss(batch_of(few, 0)).item() == pytest.approx(slow, rel=1e-5)


def test_queue_holds_the_last_keys_in_order(few):
    method = prepared(replearn.MoCo, few, queue=40)
    keys = []
    method.teacher_.register_forward_hook(lambda module, args, output: keys.append(output))
    for step in range(4):
        held = method.queue_.rows()
        torch.manual_seed(step)
        method.loss(batch_of(few, 24 * step)).backward()
        if step == 0:
            assert torch.equal(method.queue_.rows()[24:], held[24:])
    turns = torch.cat(keys)  # 96 rows, of which the last 40 are held
    for turn in range(56, 96):
        assert torch.equal(method.queue_.rows()[turn % 40], turns[turn])


def test_a_batchs_own_keys_are_not_among_its_negatives(few):
    method = prepared(replearn.MoCo, few, queue=24)
    torch.manual_seed(0)
    first = method.loss(batch_of(few, 0))
    torch.manual_seed(0)
    assert method.loss(batch_of(few, 0)) > first + 0.1  # now they are: the queue holds those keys


@pytest.mark.parametrize("cls", [replearn.MoCo, replearn.MoCoV3])
def test_teacher_gets_no_gradient_and_follows_exactly(cls, few):
    method = prepared(cls, few, momentum=0.9)
    method.loss(batch_of(few, 0)).backward()
    assert all(p.grad is None for p in method.teacher_.parameters())
    trained = [p for m in (method.encoder_, method.head_) for p in m.parameters()]
    assert all(p.grad is not None for p in trained)
    old = [p.clone() for p in method.teacher_.parameters()]
    with torch.no_grad():
        for p in trained:
            p.add_(torch.randn_like(p))
    method.after_step(0.3)
    momentum = 0.9 if cls is replearn.MoCo else rising_momentum(0.3, start=0.9)
    for own, before, student in zip(method.teacher_.parameters(), old, trained, strict=True):
        torch.testing.assert_close(own, momentum * before + (1 - momentum) * student)


@pytest.mark.parametrize("cls", [replearn.MoCo, replearn.MoCoV3])
def test_training_moves_the_teacher_by_following_only(cls, few):
    untrained = cls(**QUICK).prepare(few)
    method = cls(**QUICK, epochs=1, momentum=1.0).fit(few)
    pairs = list(zip(method.teacher_.parameters(), untrained.teacher_.parameters(), strict=True))
    assert all(torch.equal(own, start) for own, start in pairs)
    start = untrained.encoder_.state_dict()
    assert any(not torch.equal(value, start[name]) for name, value in method.encoder_.state_dict().items())


@pytest.mark.parametrize(("cls", "all_of_them"), [(replearn.MoCo, 40), (replearn.MoCoV3, 23)])
def test_fewer_negatives(cls, all_of_them, few):
    fields = {"queue": 40} if cls is replearn.MoCo else {}
    losses = []
    for negatives in (None, all_of_them, 5):
        method = prepared(cls, few, negatives=negatives, **fields)
        torch.manual_seed(0)
        losses.append(method.loss(batch_of(few, 0)).item())
    full, same, fewer = losses
    assert same == full
    assert fewer < full - 0.5
    assert method.loss_at_collapse() == pytest.approx((1 if cls is replearn.MoCo else 2) * log(6))


def test_queue_is_at_most_half_of_the_samples(few):
    method = prepared(replearn.MoCo, few)
    assert method.queue == 1024
    assert len(method.queue_.rows()) == 48
    assert method.loss_at_collapse() == pytest.approx(log(49))
