"""Barlow Twins, VICReg, SSL-HSIC, SupCon and alignment with uniformity: what only these can break."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import replearn
from replearn import SSLHSIC, AlignUniform, BarlowTwins, SimCLR, SupCon, VICReg

QUICK = {"encoder": "cnn", "epochs": 1, "batch_size": 32, "device": "cpu"}
OURS = [BarlowTwins, VICReg, SSLHSIC, SupCon, AlignUniform]


@pytest.fixture(scope="module")
def few():
    return replearn.load_data("digits", split="train").subset(np.arange(96))


def loss(method, samples, labels=None, rows=32):
    """Of the first rows, with the same views for all."""
    batch = samples[np.arange(rows)].part_of(rows, start=0)
    if labels is not None:
        batch = replace(batch, labels=labels)
    torch.manual_seed(3)
    return method.loss(batch)


@pytest.mark.parametrize("cls", OURS)
def test_loss_at_collapse_is_that_of_one_embedding_for_all(cls, few):
    method = cls(**QUICK).prepare(few)
    nn.init.zeros_(method.head_[-1].weight)
    nn.init.uniform_(method.head_[-1].bias)
    assert loss(method, few).item() == pytest.approx(method.loss_at_collapse(), rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("cls", OURS)
def test_the_smallest_batch_trains(cls, few):
    samples = few.subset(np.arange(32))
    method = cls(**QUICK | {"batch_size": cls.smallest_batch}).fit(samples)
    assert np.isfinite(method.transform(few)).all()


def test_vicregs_weights_are_those_of_the_papers_algorithm(few):
    batch = few[np.arange(32)].part_of(32, start=0)
    for weight in ("invariance", "variance", "covariance"):
        weights = dict.fromkeys(("invariance", "variance", "covariance"), 0.0) | {weight: 3.0}
        method = VICReg(**QUICK, **weights).prepare(few)
        torch.manual_seed(3)
        a, b = (method.head_(method.encoder_(view)) for view in method.views_(batch))
        expected = {
            "invariance": nn.functional.mse_loss(a, b),
            "variance": sum((1 - (z.var(0) + 1e-4).sqrt()).relu().mean() for z in (a, b)),
            "covariance": sum((z.T.cov() - z.T.cov().diag().diag()).square().sum() for z in (a, b))
            / a.shape[1],
        }[weight]
        torch.testing.assert_close(loss(method, few), 3 * expected, rtol=1e-4, atol=1e-5)


def test_supcon_of_unknown_labels_is_simclr_and_labels_change_it(few):
    labelled = SupCon(**QUICK, temperature=0.3).prepare(few)
    simclr = SimCLR(**QUICK, temperature=0.3).prepare(few)
    simclr.encoder_.load_state_dict(labelled.encoder_.state_dict())
    simclr.head_.load_state_dict(labelled.head_.state_dict())
    unknown = torch.full((32,), -1)
    torch.testing.assert_close(loss(labelled, few, unknown), loss(simclr, few))
    assert not torch.isclose(loss(labelled, few), loss(simclr, few), rtol=1e-3)


def test_supcon_takes_unlabelled_samples_along(few):
    labels = np.array(few.labels)
    labels[::2] = -1
    half = replearn.as_samples(few[np.arange(96)].x.numpy(), labels)
    assert np.isfinite(SupCon(**QUICK).fit(half).transform(half)).all()
    with pytest.raises(ValueError, match="labels of at least two classes"):
        SupCon(**QUICK).fit(replearn.as_samples(few[np.arange(96)].x.numpy()))


def test_supcon_draws_negatives_of_other_classes(few):
    method = SupCon(**QUICK, negatives=5).prepare(few)
    alone = torch.arange(32)
    nn.init.zeros_(method.head_[-1].weight)
    assert loss(method, few, alone).item() == pytest.approx(math.log(1 + 5), rel=1e-4)
    assert method.loss_at_collapse() is None


def test_weights_of_alignment_and_uniformity(few):
    both, aligned, uniform = (
        loss(AlignUniform(**QUICK, alignment=s, uniformity=t).prepare(few), few)
        for s, t in [(2.0, 0.5), (1.0, 0.0), (0.0, 1.0)]
    )
    assert aligned > 0 > uniform
    torch.testing.assert_close(both, 2 * aligned + 0.5 * uniform)
