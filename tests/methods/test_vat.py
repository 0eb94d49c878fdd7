"""VAT: the adversarial direction, its length on the samples' scale, what gets a gradient, the entropy's own term."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import replearn
from made_labels import few_digits, prepared, truth
from replearn.data.labels import UNLABELLED
from replearn.methods import VAT
from replearn.methods.labelled import vat
from replearn.methods.needs import kinds_served
from replearn.views import MultiCrop, Noise, Same

PLAIN = MultiCrop(Same(), Same(), 0, 1)
NOISY = MultiCrop(Noise(0.3), Same(), 0, 1)


def doubled(**given):
    method, samples = prepared(VAT, views=PLAIN, **given)
    method.student_.double().eval()
    return method, samples[np.arange(60, 100)]


def softmax(logits):
    return [math.exp(value) / sum(map(math.exp, logits)) for value in logits]


def test_loss_is_that_of_the_paper():
    """Algorithm 1 with a derivative by hand of one layer of logits, row by row in float64; entropy as a loop."""
    method, batch = doubled(encoder="linear", epsilon=0.2, xi=1e-4, weight=0.7, entropy=0.3, iterations=2)
    net = method.student_
    x = batch.floats().x.double()
    d = x[0].numel()
    with torch.no_grad():  # the whole network is one matrix
        zero = net(torch.zeros_like(x[:1]))[0]
        matrix = torch.stack([net(one.view(1, *x.shape[1:]))[0] - zero for one in torch.eye(d).double()], 1)
    std = float(net[0].std)
    torch.manual_seed(1)
    drawn = torch.randn(len(batch), *x.shape[1:]).double().flatten(1)
    apart, unsure, known = [], [], []
    for row, begun, label in zip(x.flatten(1), drawn, batch.labels.tolist(), strict=True):
        p = torch.tensor(softmax((matrix @ row + zero).tolist())).double()
        direction = begun
        for _ in range(2):
            direction = direction / direction.norm()
            q = torch.tensor(
                softmax((matrix @ (row + 1e-4 * std * math.sqrt(d) * direction) + zero).tolist())
            ).double()
            direction = matrix.T @ (q - p)  # of Σ p ln p/q by the sample
        r = 0.2 * std * math.sqrt(d) * direction / direction.norm()
        q = softmax((matrix @ (row + r) + zero).tolist())
        apart.append(sum(s * math.log(s / t) for s, t in zip(p.tolist(), q, strict=True)))
        unsure.append(-sum(s * math.log(s) for s in p.tolist()))
        if label != UNLABELLED:
            known.append(-math.log(p[label]))
    torch.manual_seed(1)
    terms = {name: term().item() for name, term in method.terms(batch).items()}
    assert terms["labelled"] == pytest.approx(sum(known) / len(known), rel=1e-5)
    assert terms["unlabelled"] == pytest.approx(0.7 * sum(apart) / len(apart), rel=1e-3)
    assert terms["entropy"] == pytest.approx(0.3 * sum(unsure) / len(unsure), rel=1e-5)


def divergence(net, x, changed):
    p, q = (net(rows).detach().log_softmax(1) for rows in (x, changed))
    return (p.exp() * (p - q)).sum(1).mean().item()


def test_the_direction_changes_predictions_more_than_chance_does_and_more_steps_more():
    method, batch = doubled()
    x = batch.floats().x.double()
    clean = method.student_(x).detach()
    found = []
    for iterations in (0, 1, 4):
        torch.manual_seed(0)
        changed = vat.adversary(
            method.student_, batch.floats(), clean, epsilon=0.1, xi=0.01, iterations=iterations
        )
        found.append(divergence(method.student_, x, changed.x))
    assert found[1] > 2 * found[0]  # 0: a direction drawn at random
    assert found[2] > found[1]


@pytest.mark.parametrize("unit", [1.0, 1000.0])
def test_the_length_is_on_the_samples_scale(unit):
    """By each column's deviation, whatever its unit."""
    rng = np.random.default_rng(0)
    rows = (rng.normal(size=(64, 6)) * [1, 2, 3, 4, 5, 6]).astype(np.float32) * np.float32(unit)
    samples = replearn.as_samples(rows, np.where(np.arange(64) % 2, UNLABELLED, np.arange(64) % 4 // 2))
    method = VAT(encoder="mlp", views=PLAIN, batch_size=32, device="cpu").prepare(samples)
    method.student_.eval()
    batch = samples[np.arange(32)]
    clean = method.student_(batch).detach()
    torch.manual_seed(0)
    changed = vat.adversary(method.student_, batch, clean, epsilon=0.1, xi=0.01, iterations=1)
    lengths = ((changed.x - batch.x) / method.student_[0].std).norm(dim=1)
    torch.testing.assert_close(lengths, torch.full((32,), 0.1 * math.sqrt(6)), rtol=1e-4, atol=0)


def test_no_gradient_passes_through_the_clean_prediction_nor_the_direction():
    """The divergence's gradient is that of the changed samples' predictions alone."""
    method, batch = doubled()
    said = method.say(batch)
    torch.manual_seed(2)
    method.unlabelled(said, batch).backward()
    found = [p.grad.clone() for p in method.student_.parameters()]
    method.student_.zero_grad()
    torch.manual_seed(2)
    clean = said[1].detach()
    changed = vat.adversary(method.student_, said[0], clean, epsilon=0.1, xi=0.01, iterations=1)
    assert not changed.x.requires_grad
    (-(clean.softmax(1) * method.student_(changed).log_softmax(1)).sum(1).mean()).backward()
    for one, p in zip(found, method.student_.parameters(), strict=True):
        torch.testing.assert_close(one, p.grad)
    assert any(one.abs().max() > 0 for one in found)


def test_running_statistics_learn_of_the_samples_alone():
    method, samples = prepared(VAT, encoder="cnn", views=PLAIN)
    batch = samples[np.arange(60, 100)]
    method.student_.train()
    said = method.say(batch)
    before = {name: value.clone() for name, value in method.student_.named_buffers()}
    norms = [part for part in method.student_.modules() if isinstance(part, nn.BatchNorm2d)]
    assert norms
    assert int(norms[0].num_batches_tracked) == 1
    method.unlabelled(said, batch).backward()
    assert all(torch.equal(before[name], value) for name, value in method.student_.named_buffers())


def test_weights_get_no_gradient_while_the_direction_is_sought():
    method, batch = doubled()
    vat.adversary(
        method.student_, batch.floats(), method.student_(batch).detach(), epsilon=0.1, xi=0.01, iterations=2
    )
    assert all(p.grad is None for p in method.student_.parameters())


def test_texts_are_not_served():
    assert "text" not in kinds_served(VAT)
    assert {"image", "table"} <= {*kinds_served(VAT)}


@pytest.mark.all
def test_it_learns_and_entropy_is_recorded():
    method = VAT(encoder="mlp", epochs=30, batch_size=32, mu=1, device="cpu", views=NOISY).fit(few_digits())
    assert method.score(few_digits(), truth()) > 0.7
    assert method.history_.alarms == []
    first, last = method.history_.rows[0], method.history_.rows[-1]
    assert last["entropy"] < first["entropy"] / 2
