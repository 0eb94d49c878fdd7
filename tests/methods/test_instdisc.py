"""InstDisc: what its bank and its constant hold after a step."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import replearn
from replearn.objectives import nce


@pytest.fixture(scope="module")
def few():
    return replearn.load_data("digits", split="train").subset(np.arange(40))


def prepared(few, **fields):
    return replearn.InstDisc(
        encoder="cnn", batch_size=8, device="cpu", **{"bank_momentum": 0.0, "proximal": 3.0, **fields}
    ).prepare(few)


def test_a_step_is_the_papers(few):
    method = prepared(few, negatives=20, temperature=0.1)
    batch = few[np.array([5, 9, 30, 2])]
    bank = method.bank_.stored.clone()
    torch.manual_seed(1)
    z = method.head_(method.encoder_(method.views_(batch)[0]))
    drawn = torch.randint(40, (20,))
    mean = (F.normalize(z, dim=1) @ bank[drawn].T / 0.1).exp().mean().detach()
    expected = nce(z, bank[batch.index], bank[drawn], temperature=0.1, log_constant=mean.log(), proximal=3.0)
    torch.manual_seed(1)
    loss = method.loss(batch)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(method.constant_.value, mean.log())
    torch.testing.assert_close(method.bank_(batch.index), F.normalize(z, dim=1).detach())
    others = np.setdiff1d(np.arange(40), batch.index)
    assert torch.equal(method.bank_.stored[others], bank[others])


def test_the_constant_is_of_the_first_batch(few):
    method = prepared(few)
    method.loss(few[np.arange(8)])
    first = method.constant_.value.clone()
    method.loss(few[np.arange(8, 16)])
    assert torch.equal(method.constant_.value, first)
    assert first.isfinite()


def test_no_more_noise_than_there_are_samples(few):
    method = prepared(few, negatives=10**6)
    assert method.loss(few[np.arange(8)]).isfinite()


def test_the_proximal_term_adds_its_distance(few):
    losses = []
    for weight in (0.0, 30.0):
        torch.manual_seed(0)
        method = prepared(few, proximal=weight)
        torch.manual_seed(0)
        losses.append(method.loss(few[np.arange(8)]).item())
    # Rows of the bank are random: at a right angle to embeddings, on average.
    assert math.isclose(losses[1] - losses[0], 30.0 * 2.0, rel_tol=0.2)
