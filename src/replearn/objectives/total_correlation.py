"""Total correlation: what the units of a code tell of each other, by two estimates.

    TC = KL( q(z) | Π_j q(z_j) )        q(z) = 1/N Σ_i q(z|x_i), the posteriors of all samples mixed

One mixes the posteriors of a batch (Chen et al., 2018); the other trains a network to tell codes from codes whose
units were shuffled apart (Kim and Mnih, 2018).
"""

from math import log

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from replearn.objectives.elbo import log_normal
from replearn.objectives.precision import full_precision


@full_precision
def decomposed_kl(
    z: Float[Tensor, "n d"],
    mean: Float[Tensor, "n d"],
    log_variance: Float[Tensor, "n d"],
    *,
    samples: int | None = None,
    alpha: float = 1.0,
    beta: float = 6.0,
    gamma: float = 1.0,
) -> Float[Tensor, ""]:
    r"""The KL to the prior in three parts with weights of their own, in nats, by minibatch-weighted sampling.

    With `n` rows of a set of `N` samples, `z_i` drawn from `q(z|x_i) = N(mean_i, exp(log_variance_i))`, and

        q(z_i) = 1/(nN) Σ_k q(z_i|x_k),        q_j(z_ij) = 1/(nN) Σ_k q_j(z_ij|x_k)
        loss = 1/n Σ_i ( α ln q(z_i|x_i)/q(z_i) + β ln q(z_i)/Π_j q_j(z_ij) + γ Σ_j ln q_j(z_ij)/p(z_ij) )

    These are what the code tells of which sample it is of, the total correlation, and how far each unit is from the
    prior. With `α = β = γ` it is that multiple of the KL's estimate by `z`. When every posterior is the prior
    (collapse) it is `ln N (α + (d - 1) β - d γ)`: mixtures are estimated too small, by up to `N` times.

    Args:
        z: a draw from each posterior; row `i` is one sample of the whole (gathered) batch.
        mean, log_variance: of the posteriors.
        samples: `N`; None: as many as rows.
        alpha, beta, gamma: `α`, `β` and `γ`.

    Raises:
        ValueError: the shapes differ, there is no row, or `samples` is below 1.

    Example:
        >>> import torch
        >>> zero = torch.zeros(5, 1)
        >>> abs(round(decomposed_kl(zero, zero, zero, samples=100, beta=1.0).item(), 4))
        0.0

    References:
        Chen et al., "Isolating sources of disentanglement in variational autoencoders", NeurIPS 2018, equations 2-4
        and S4-S5. https://arxiv.org/abs/1802.04942
    """
    n = len(z)
    whole = n if samples is None else samples
    if not z.numel() or not z.shape == mean.shape == log_variance.shape or whole < 1:
        raise ValueError(
            "decomposed_kl needs at least 1 row, arguments of one shape and samples >= 1; got "
            f"{tuple(z.shape)}, {tuple(mean.shape)}, {tuple(log_variance.shape)}, samples {samples}."
        )
    pairs = log_normal(
        z[:, None], mean[None], log_variance[None]
    )  # (n, n, d), each draw under each posterior
    own = log_normal(z, mean, log_variance).sum(1)  # (n,)
    prior = log_normal(z, torch.zeros_like(z), torch.zeros_like(z)).sum(1)  # (n,)
    joint = pairs.sum(2).logsumexp(1) - log(n * whole)  # (n,)
    apart = (pairs.logsumexp(1) - log(n * whole)).sum(1)  # (n,)
    return (alpha * (own - joint) + beta * (joint - apart) + gamma * (apart - prior)).mean()


@full_precision
def told_apart(real: Float[Tensor, "n ..."], other: Float[Tensor, "n ..."]) -> Float[Tensor, ""]:
    r"""A discriminator's loss: how badly it tells real from other, in nats; mean over rows and over both.

    With logits `r` of the real ones and `o` of the others, and `s` the sigmoid:

        loss = -1/(2n) Σ_i ( ln s(r_i) + ln(1 - s(o_i)) )

    When it tells nothing apart, all logits 0 (collapse), it is `ln 2`.

    Args:
        real: one logit per real row, positive where it is taken for real.
        other: of as many other rows.

    Raises:
        ValueError: the shapes differ or there is no row.

    Example:
        >>> import torch
        >>> round(told_apart(torch.zeros(3), torch.zeros(3)).exp().item(), 4)
        2.0

    References:
        Kim and Mnih, "Disentangling by factorising", ICML 2018, Algorithm 2, its second gradient.
        https://arxiv.org/abs/1802.05983
    """
    if not real.numel() or real.shape != other.shape:
        raise ValueError(
            f"told_apart needs as many real as other rows, at least one; got {tuple(real.shape)} and "
            f"{tuple(other.shape)}."
        )
    return 0.5 * (F.softplus(-real) + F.softplus(other)).mean()


@full_precision
def density_ratio(logits: Float[Tensor, "n ..."]) -> Float[Tensor, ""]:
    r"""Total correlation by the density-ratio trick, in nats: what a discriminator thinks of codes, on average.

    With `D` the chance by which it takes a code for real, not shuffled, and logits `ln D / (1 - D)`:

        loss = 1/n Σ_i ln( D_i / (1 - D_i) )

    When it tells nothing apart (collapse) it is 0.

    Args:
        logits: of codes, one per row.

    Raises:
        ValueError: there is no row.

    Example:
        >>> import torch
        >>> density_ratio(torch.tensor([1.0, 2.0])).item()
        1.5

    References:
        Kim and Mnih, "Disentangling by factorising", ICML 2018, equation 3. https://arxiv.org/abs/1802.05983
    """
    if not logits.numel():
        raise ValueError(f"density_ratio needs at least one row; got {tuple(logits.shape)}.")
    return logits.mean()


def permute_dims(z: Float[Tensor, "n d"], order: Int[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Rows whose units are shuffled apart: number `(i, j)` is that of row `order[i, j]`; as if drawn from `Π_j q(z_j)`.

    >>> import torch
    >>> permute_dims(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[1, 0], [0, 1]])).tolist()
    [[3.0, 2.0], [1.0, 4.0]]

    References: Kim and Mnih, ICML 2018, Algorithm 1. https://arxiv.org/abs/1802.05983
    """
    return z.gather(0, order)
