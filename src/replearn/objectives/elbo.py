"""The evidence lower bound: what a code costs, what it tells, and gradients through its draws.

    log p(x) >= E_q[ log p(x|z) ] - KL( q(z|x) | p(z) )        q(z|x) = N(mean, diag(exp(log_variance))), p(z) = N(0, I)

The second part is the rate, the first, negated, the distortion; both in nats per sample.
"""

from jaxtyping import Float
from torch import Tensor

from replearn.objectives.likelihoods import LOG_2PI
from replearn.objectives.precision import full_precision


@full_precision
def unit_kl(mean: Float[Tensor, "n d"], log_variance: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """KL of `N(mean, exp(log_variance))` to `N(0, 1)` for each sample and unit, in nats.

    >>> import torch
    >>> unit_kl(torch.tensor([[0.0, 2.0]]), torch.zeros(1, 2)).tolist()
    [[0.0, 2.0]]
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


@full_precision
def log_normal(
    z: Float[Tensor, "*#n d"], mean: Float[Tensor, "*#n d"], log_variance: Float[Tensor, "*#n d"]
) -> Float[Tensor, "*_n d"]:
    """Log-density of each number of `z` under `N(mean, exp(log_variance))`, in nats.

    >>> import torch
    >>> zero = torch.zeros(1, 1)
    >>> round(log_normal(zero, zero, zero).item(), 4)
    -0.9189
    """
    return -0.5 * (LOG_2PI + log_variance + (z - mean).square() * (-log_variance).exp())


@full_precision
def gaussian_kl(mean: Float[Tensor, "n d"], log_variance: Float[Tensor, "n d"]) -> Float[Tensor, ""]:
    r"""The rate: KL of diagonal Gaussians to the standard normal, in nats; sum over units, mean over samples.

        loss = 1/(2n) Σ_i Σ_j ( m_ij² + exp(v_ij) - 1 - v_ij )

    It is 0 when every posterior is the prior, `m = v = 0` (posterior collapse).

    Args:
        mean: `m`, of the posteriors; row `i` is one sample, column `j` one unit.
        log_variance: `v`, of the same.

    Raises:
        ValueError: the shapes differ or there is no sample.

    Example:
        >>> import torch
        >>> gaussian_kl(torch.full((5, 2), 3.0), torch.zeros(5, 2)).item()  # 2 · 3² / 2
        9.0

    References:
        Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014, appendix B (its negative).
        https://arxiv.org/abs/1312.6114
    """
    _check("gaussian_kl", mean, log_variance)
    return unit_kl(mean, log_variance).sum(1).mean()


@full_precision
def importance_bound(log_weights: Float[Tensor, "n k"]) -> Float[Tensor, ""]:
    r"""Negative importance-weighted bound on the log-likelihood, in nats, mean over samples.

    With `w_ij = p(x_i, z_ij) / q(z_ij | x_i)` for draws `z_ij` from `q`:

        loss = -1/n Σ_i ln( 1/k Σ_j w_ij )

    With one draw it is the negative evidence lower bound; it falls to the negative log-likelihood as `k` grows.
    When all weights of a sample are `w` (collapse: its posterior is exact), it is `-ln w` for any `k`.

    Args:
        log_weights: `ln w`; row `i` is one sample, column `j` one draw.

    Raises:
        ValueError: there is no sample or no draw.

    Example:
        >>> import torch
        >>> round(importance_bound(torch.tensor([[1.0, 3.0]]).log()).exp().item(), 4)  # 1 / 2
        0.5

    References:
        Burda, Grosse and Salakhutdinov, "Importance weighted autoencoders", ICLR 2016, equation 8 (its negative).
        https://arxiv.org/abs/1509.00519
    """
    _check("importance_bound", log_weights)
    return -log_mean_exp(log_weights).mean()


@full_precision
def log_mean_exp(log_weights: Float[Tensor, "*n k"]) -> Float[Tensor, " *n"]:
    """`ln( 1/k Σ_j exp(log_weights_ij) )` for each row, or of one row.

    >>> import torch
    >>> log_mean_exp(torch.full((1, 4), 2.0)).tolist()
    [2.0]
    """
    return log_weights.logsumexp(-1) - log_weights.new_tensor(float(log_weights.shape[-1])).log()


@full_precision
def score_function(
    log_density: Float[Tensor, "n k"], reward: Float[Tensor, "n k"], *, baseline: bool = False
) -> Float[Tensor, ""]:
    r"""A loss whose gradient is the score-function estimate of that of `-E_q[reward]`, for draws of any kind.

    With draws `z_ij` from `q_i`, rewards `f_ij` through which no gradient flows, and baselines `b_ij`:

        loss = -1/n Σ_i 1/k Σ_j ln q_i(z_ij) (f_ij - b_ij)

    `b_ij` is 0, or the mean reward of the sample's other draws, which does not depend on `z_ij`, so the gradient is
    still right on average. When all draws of a sample have one reward (collapse) and the baseline is on, loss and
    gradient are 0.

    Args:
        log_density: `ln q_i(z_ij)` at draws that are held fixed.
        reward: what is to be large.
        baseline: whether to take off the mean of the other draws' rewards; asks for two draws or more.

    Raises:
        ValueError: there is no sample or no draw, or one only with `baseline`.

    Example:
        >>> import torch
        >>> log_density = torch.zeros(1, 2, requires_grad=True)
        >>> score_function(log_density, torch.tensor([[1.0, 5.0]]), baseline=True).backward()
        >>> log_density.grad.tolist()
        [[2.0, -2.0]]

    References:
        Williams, "Simple statistical gradient-following algorithms", Machine Learning 1992, theorem 1.
        https://doi.org/10.1007/BF00992696
        Kool, van Hoof and Welling, "Buy 4 REINFORCE samples, get a baseline for free!", 2019, equation 8.
        https://openreview.net/forum?id=r1lgTGL5DE
    """
    _check("score_function", log_density, reward)
    f, k = reward.detach(), reward.shape[1]
    if not baseline:
        return -(log_density * f).mean()
    if k < 2:
        raise ValueError(
            f"a baseline needs at least 2 draws per sample; got {k}. Raise draws, or leave it out."
        )
    others = (f.sum(1, keepdim=True) - f) / (k - 1)  # (n, k)
    return -(log_density * (f - others)).mean()


def _check(name: str, first: Tensor, second: Tensor | None = None) -> None:
    if not first.numel() or (second is not None and first.shape != second.shape):
        shapes = " and ".join(str(tuple(part.shape)) for part in (first, second) if part is not None)
        raise ValueError(f"{name} needs at least one sample, and arguments of one shape; got {shapes}.")
