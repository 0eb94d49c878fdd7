"""Log-likelihoods: how probable a sample is under what a decoder says of it.

Each returns one number per sample, in nats: the sum over a sample's numbers. Means over samples are the objectives of
`replearn.objectives.reconstruction`.
"""

from math import log, pi
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from replearn.objectives.precision import full_precision

LOG_2PI = log(2 * pi)


@full_precision
def log_bernoulli(logits: Float[Tensor, "n ..."], x: Float[Tensor, "n ..."]) -> Float[Tensor, " n"]:
    """`Σ_j x_j ln p_j + (1 - x_j) ln(1 - p_j)` with `p = sigmoid(logits)`.

    For numbers between 0 and 1 it is the mean over samples drawn with these chances of being 1.

    >>> import torch
    >>> log_bernoulli(torch.zeros(1, 3), torch.ones(1, 3)).exp().tolist()  # 2 ** -3
    [0.125]
    """
    told: Tensor = _LogBernoulli.apply(logits, x)
    return told.flatten(1).sum(1)


@full_precision
def log_gaussian(
    mean: Float[Tensor, "n ..."], x: Float[Tensor, "n ..."], log_variance: Float[Tensor, "*s"]
) -> Float[Tensor, " n"]:
    """`-1/2 Σ_j ( ln 2π + ln s_j + (x_j - mean_j)² / s_j )`, the log of a density, with variances `s`.

    Args:
        mean: what is expected of each number.
        x: samples.
        log_variance: `ln s`, one number for all or as many as samples have.

    >>> import torch
    >>> round(log_gaussian(torch.zeros(1, 2), torch.zeros(1, 2), torch.zeros(())).item(), 4)  # -ln 2π
    -1.8379
    """
    errors = (x - mean).square() * (-log_variance).exp() + log_variance + LOG_2PI
    return -0.5 * errors.flatten(1).sum(1)


@full_precision
def log_categorical(logits: Float[Tensor, "n c ..."], x: Float[Tensor, "n c ..."]) -> Float[Tensor, " n"]:
    """`Σ_j Σ_c x_cj ln softmax(logits_j)_c`: axis 1 holds the classes of one choice, or of one per position `j`.

    Args:
        logits: of the classes.
        x: 1 for the class that was chosen and 0 for the others; or how often each was.

    >>> import torch
    >>> log_categorical(torch.zeros(1, 4), torch.eye(4)[:1]).exp().tolist()
    [0.25]
    """
    return (x * logits.log_softmax(1)).flatten(1).sum(1)


class _LogBernoulli(torch.autograd.Function):
    """For each number, with its gradient `x - p`: on CPUs three times faster than torch's, whose `log1p` is slow."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, x: Tensor) -> Tensor:
        ctx.save_for_backward(logits, x)
        small = logits.abs().neg_().clamp_min_(-80.0).exp_()  # none is denormal, which would be slow
        return (x * logits).sub_(logits.clamp_min(0)).sub_(small.add_(1).log_())

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor | None]:
        logits, x = ctx.saved_tensors
        return (x - logits.sigmoid()) * gradient, logits * gradient if ctx.needs_input_grad[1] else None
