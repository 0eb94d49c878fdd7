"""SwAV: frozen prototypes, assignments in the company of a queue."""

import numpy as np
import pytest
import torch

import replearn
from replearn import SwAV
from replearn.objectives.prototypes import sinkhorn

FIELDS = {
    "encoder": "cnn",
    "batch_size": 16,
    "smoothing": 0.05,
    "prototypes": 12,
    "hidden": 32,
    "dim": 8,
    "device": "cpu",
}


@pytest.fixture(scope="module")
def digits():
    return replearn.load_data("digits", split="train").subset(np.arange(64))


def batch_of(samples, n=16):
    return samples[np.arange(n)].part_of(n, start=0)


def test_prototypes_move_only_when_thawed(digits):
    method = SwAV(**FIELDS, frozen=0.5).prepare(digits)
    for progress, moves in ((0.0, False), (0.2, False), (0.5, True), (0.9, True)):
        method.after_step(progress)
        method.prototypes_.zero_grad()
        method.loss(batch_of(digits)).backward()
        gradient = method.prototypes_.weight.grad
        assert gradient is not None  # also while frozen, since processes wait for it
        assert bool((gradient != 0).any()) == moves
    assert bool(SwAV(**FIELDS).prepare(digits).prototypes_.moving) is False
    assert bool(SwAV(**FIELDS, frozen=0.0).prepare(digits).prototypes_.moving) is True


def test_frozen_prototypes_keep_their_directions_under_weight_decay(digits):
    method = SwAV(**FIELDS, frozen=0.99, epochs=2, weight_decay=0.5, learning_rate=0.1)
    before = torch.nn.functional.normalize(method.prepare(digits).prototypes_.weight, dim=1)
    after = torch.nn.functional.normalize(method.fit(digits).prototypes_.weight, dim=1)
    torch.testing.assert_close(after, before)


def test_the_queue_joins_once_it_is_full(digits):
    method = SwAV(**FIELDS, queue=64).prepare(digits)
    scores = torch.rand(16, 12)
    alone = sinkhorn(scores)
    torch.testing.assert_close(method.share(scores), alone)
    method.loss(batch_of(digits))
    torch.testing.assert_close(method.share(scores), alone)  # 32 of 64 rows: the large crops of 16 samples
    method.loss(batch_of(digits))
    assert method.queue_.is_full()
    joined = method.share(scores)
    assert (joined - alone).abs().max() > 1e-3
    everything = torch.cat([scores, method.prototypes_(method.queue_.rows()).detach()])
    torch.testing.assert_close(joined, sinkhorn(everything)[:16])


def test_no_queue_if_none_is_asked_for(digits):
    method = SwAV(**FIELDS, queue=0).prepare(digits)
    assert "queue_" not in method.modules()
    method.loss(batch_of(digits)).backward()


def test_assignments_pass_no_gradient_but_predictions_do(digits):
    method = SwAV(**FIELDS, queue=0, frozen=0.0).prepare(digits)
    scores = torch.rand(4, 12, requires_grad=True)
    assert not method.share(scores).requires_grad
    method.loss(batch_of(digits)).backward()
    assert all(p.grad is not None for p in method.encoder_.parameters())


def test_a_fresh_loss_is_near_that_of_collapse(digits):
    method = SwAV(**FIELDS, temperature=10.0).prepare(digits)
    assert method.loss(batch_of(digits)).item() == pytest.approx(method.loss_at_collapse(), rel=0.01)
