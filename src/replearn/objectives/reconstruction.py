"""Reconstruction objectives: a sample is told from its code, number by number."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from replearn.objectives.precision import full_precision


@full_precision
def squared_error(x: Float[Tensor, "n ..."], y: Float[Tensor, "n ..."]) -> Float[Tensor, ""]:
    r"""Squared distance of samples and reconstructions: sum over a sample's numbers, mean over samples.

        loss = 1/n Σ_i Σ_j (x_ij - y_ij)²

    Symmetric in `x` and `y`. When every reconstruction is the samples' mean (collapse) it is their total
    variance, `Σ_j var(x_j)` with division by `n`: what PCA leaves with no component. It is twice the negative
    log-likelihood of a Gaussian of unit variance, up to a constant.

    Args:
        x: samples, `(n, ...)`; row `i` is one sample of any shape.
        y: their reconstructions.

    Raises:
        ValueError: the shapes differ (they are never broadcast).

    Example:
        >>> import torch
        >>> squared_error(torch.zeros(2, 3), torch.ones(2, 3)).item()
        3.0

    References:
        Bishop, "Pattern recognition and machine learning", 2006, equation 12.11 (its least value over linear
        reconstructions, 12.18, is PCA's).
        https://www.microsoft.com/en-us/research/publication/pattern-recognition-machine-learning/
    """
    _check("squared_error", x, y)
    return (x - y).square().flatten(1).sum(1).mean()


@full_precision
def bernoulli_error(logits: Float[Tensor, "n ..."], x: Float[Tensor, "n ..."]) -> Float[Tensor, ""]:
    r"""Binary cross-entropy in nats: sum over a sample's numbers, mean over samples.

    With `p = sigmoid(logits)`:

        loss = -1/n Σ_i Σ_j ( x_ij ln p_ij + (1 - x_ij) ln(1 - p_ij) )

    When all logits are 0 (collapse) it is `d ln 2`, for `d` numbers per sample and whatever the samples.

    Args:
        logits: of the reconstructions, `(n, ...)`; row `i` is one sample of any shape.
        x: samples, in [0, 1].

    Raises:
        ValueError: the shapes differ (they are never broadcast).

    Example:
        >>> import torch
        >>> round(bernoulli_error(torch.zeros(2, 3), torch.ones(2, 3)).exp().item(), 4)
        8.0

    References:
        Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014, equation 11 (its negative).
        https://arxiv.org/abs/1312.6114
    """
    _check("bernoulli_error", logits, x)
    return F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(1).mean()


def _check(name: str, x: Tensor, y: Tensor) -> None:
    if x.shape != y.shape or not len(x):
        raise ValueError(
            f"{name} needs at least one sample, and reconstructions of the samples' own shape; "
            f"got {tuple(x.shape)} and {tuple(y.shape)}."
        )
