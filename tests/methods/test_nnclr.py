"""NNCLR does what the paper says: the positive is the nearest other sample in the queue."""

from math import exp, log, sqrt

import numpy as np
import pytest
import torch

import replearn
from replearn.methods.contrastive import nnclr
from replearn.methods.contrastive.nnclr import nearest

QUICK = {"encoder": "cnn", "batch_size": 24, "hidden": 16, "dim": 8, "device": "cpu", "precision": "32-true"}


@pytest.fixture(scope="module")
def few():
    return replearn.load_data("digits", split="train").subset(np.arange(96))


def prepared(samples, **fields):
    method = replearn.NNCLR(**QUICK, **fields).prepare(samples)
    for module in method.modules().values():
        module.train().double()
    return method


def batch_of(samples, first, n=24):
    batch = samples[np.arange(first, first + n)].part_of(n, start=0).floats()
    return batch.with_x(batch.x.double())


def cosine(u, v):
    dot = sum(s * t for s, t in zip(u, v, strict=True))
    return dot / sqrt(sum(s * s for s in u)) / sqrt(sum(t * t for t in v))


def slow_nearest(z, queue, left_out=()):
    """The row of the queue with the largest cosine."""
    return max((row for j, row in enumerate(queue) if j not in left_out), key=lambda row: cosine(z, row))


def slow_half(neighbours, queries, temperature):
    """Equation 4: each neighbour picks the prediction of its sample's other view among those of the batch."""
    total = 0.0
    for i, neighbour in enumerate(neighbours):
        weights = [exp(cosine(neighbour, query) / temperature) for query in queries]
        total -= log(weights[i] / sum(weights))
    return total / len(queries)


def embedded(method, batch):
    """Embeddings z and predictions p of both views that `loss` will see, as lists."""
    torch.manual_seed(0)
    views = method.views_(batch)
    torch.manual_seed(0)
    z = [method.head_(method.encoder_(view)) for view in views]
    return [rows.tolist() for rows in z], [method.predictor_(rows).tolist() for rows in z]


def slow_loss(method, batch, left_out):
    z, p = embedded(method, batch)
    queue = method.queue_.rows().tolist()
    near = [[slow_nearest(row, queue, left_out(i)) for i, row in enumerate(rows)] for rows in z]
    torch.manual_seed(0)
    return sum(slow_half(near[k], p[1 - k], method.temperature) for k in (0, 1)) / 2


def test_first_loss_is_that_of_the_paper(few):
    method = prepared(few, queue=40, temperature=0.3)
    batch = batch_of(few, 0)
    expected = slow_loss(method, batch, lambda i: ())
    assert method.loss(batch).item() == pytest.approx(expected, rel=1e-6)


def test_later_losses_take_the_neighbour_from_earlier_batches_but_never_the_sample_itself(few):
    """Sample i of the second batch is at place i of the queue, nearest of all: it is passed over."""
    method = prepared(few, queue=24, temperature=0.3)
    torch.manual_seed(0)
    method.loss(batch_of(few, 0))
    z, _ = embedded(method, batch_of(few, 0))
    own = method.queue_.rows().tolist()
    assert all(slow_nearest(row, own) == own[i] for i, row in enumerate(z[0]))
    expected = slow_loss(method, batch_of(few, 0), lambda i: (i,))
    assert method.loss(batch_of(few, 0)).item() == pytest.approx(expected, rel=1e-6)


def test_queue_takes_embeddings_of_the_first_view_after_the_neighbours_were_found(few):
    method = prepared(few, queue=40)
    z, _ = embedded(method, batch_of(few, 0))
    held = method.queue_.rows()
    torch.manual_seed(0)
    method.loss(batch_of(few, 0)).backward()
    torch.testing.assert_close(method.queue_.rows()[:24], torch.tensor(z[0], dtype=torch.float64))
    assert torch.equal(method.queue_.rows()[24:], held[24:])
    assert method.contents_.index[:24].tolist() == list(range(24))
    assert (method.contents_.index[24:] == -1).all()


def test_gradients_come_through_the_predictor_alone(few):
    """Neighbours are data: with a predictor that stops gradients, no weight gets any."""
    method = prepared(few)
    method.loss(batch_of(few, 0)).backward()
    assert all(p.grad is not None for module in method.modules().values() for p in module.parameters())
    forward = method.predictor_.forward
    method.predictor_.forward = lambda z: forward(z.detach())
    for module in method.modules().values():
        module.zero_grad()
    method.loss(batch_of(few, 0)).backward()
    assert all(p.grad is None for p in method.encoder_.parameters())
    assert all(p.grad is not None for p in method.predictor_.parameters())


def test_copies_are_no_neighbours(few, monkeypatch):
    rows = few[np.arange(24)].x.numpy()
    both = replearn.as_samples(np.concatenate([rows, rows]))
    method, told = prepared(both, queue=48), []
    monkeypatch.setattr(
        nnclr, "nearest", lambda z, rows, *, but: told.append(but) or nearest(z, rows, but=but)
    )
    method.loss(batch_of(both, 0))
    method.loss(batch_of(both, 24))
    places = torch.zeros(24, 48, dtype=torch.bool)
    assert torch.equal(told[0], places)
    places[:, :24] = torch.eye(24, dtype=torch.bool)
    assert torch.equal(told[2], places)


def test_a_batch_of_copies_has_nothing_to_lose(few):
    same = replearn.as_samples(np.repeat(few[np.arange(1)].x.numpy(), 24, axis=0))
    method = prepared(same)
    for _ in range(2):  # the second finds nothing but itself in the queue
        assert method.loss(batch_of(same, 0)).item() == pytest.approx(0, abs=1e-6)


def test_queue_has_at_most_a_row_for_each_sample(few):
    method = prepared(few)
    assert method.queue == 2048
    assert len(method.queue_.rows()) == 96
    assert method.loss_at_collapse() == pytest.approx(log(24))


def test_loss_of_embeddings_that_are_all_alike(few):
    method = prepared(few)
    for parameter in method.predictor_[-1].parameters():
        torch.nn.init.constant_(parameter, 0.0 if parameter.dim() > 1 else 1.0)
    assert method.loss(batch_of(few, 0)).item() == pytest.approx(method.loss_at_collapse(), rel=1e-5)
