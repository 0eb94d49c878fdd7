"""Contrast of two modalities against slow loops in 64 bits, as the papers write them."""

import math

import pytest
import torch

from replearn.objectives.modalities import sigmoid_pairing, softmax_pairing

N = 6
SCALE, BIAS = torch.tensor(7.0, dtype=torch.float64), torch.tensor(-3.0, dtype=torch.float64)


def rows(seed):
    return torch.randn(N, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def cosine(a, b):
    return float(a @ b / a.norm() / b.norm())


def kept(i, j, keep):
    return keep is None or bool(keep[i, j]) or i == j


KEEP = torch.ones(N, N, dtype=torch.bool)
KEEP[0, 3] = KEEP[3, 0] = KEEP[1, 2] = False


@pytest.mark.parametrize("keep", [None, KEEP], ids=["all", "some"])
def test_softmax_equals_the_loop(keep):
    a, b = rows(0), rows(1)
    total = 0.0
    for i in range(N):
        there = [SCALE * cosine(a[i], b[j]) for j in range(N) if kept(i, j, keep)]
        back = [SCALE * cosine(a[j], b[i]) for j in range(N) if kept(j, i, keep)]
        own = SCALE * cosine(a[i], b[i])
        total += sum(-float(own) + math.log(sum(math.exp(x) for x in each)) for each in (there, back))
    assert float(softmax_pairing(a, b, scale=SCALE, keep=keep)) == pytest.approx(total / (2 * N), abs=1e-12)


@pytest.mark.parametrize("keep", [None, KEEP], ids=["all", "some"])
def test_sigmoid_equals_the_loop(keep):
    a, b = rows(0), rows(1)
    total = 0.0
    for i in range(N):
        for j in range(N):
            if kept(i, j, keep):
                logit = float(SCALE) * cosine(a[i], b[j]) + float(BIAS)
                total += math.log(1 + math.exp(-logit if i == j else logit))
    found = float(sigmoid_pairing(a, b, scale=SCALE, bias=BIAS, keep=keep))
    assert found == pytest.approx(total / N, abs=1e-12)


def test_at_collapse_and_both_ways():
    z = torch.ones(N, 3)
    assert float(softmax_pairing(z, z, scale=SCALE)) == pytest.approx(math.log(N))
    a, b = rows(0), rows(1)
    assert float(softmax_pairing(a, b, scale=SCALE)) == pytest.approx(
        float(softmax_pairing(b, a, scale=SCALE))
    )
    assert float(softmax_pairing(a, 9 * b, scale=SCALE)) == pytest.approx(
        float(softmax_pairing(a, b, scale=SCALE))
    )


def test_a_scale_and_a_bias_learn():
    a, b = rows(0), rows(1)
    scale, bias = SCALE.clone().requires_grad_(), BIAS.clone().requires_grad_()
    sigmoid_pairing(a, b, scale=scale, bias=bias).backward()
    assert abs(float(bias.grad)) > 1e-3
    assert abs(float(scale.grad)) > 1e-3


def test_one_pair_alone_is_refused():
    with pytest.raises(ValueError, match="at least 2 samples"):
        softmax_pairing(rows(0)[:1], rows(1)[:1], scale=SCALE)
    with pytest.raises(ValueError, match="at least 2 samples"):
        sigmoid_pairing(rows(0)[:1], rows(1)[:1], scale=SCALE, bias=BIAS)
