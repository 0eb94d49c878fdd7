"""Reconstruction objectives: a sample is told from its code, number by number."""

import math

from jaxtyping import Float
from torch import Tensor

from replearn.objectives.likelihoods import log_bernoulli, log_categorical, log_gaussian
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
def weighted_error(
    x: Float[Tensor, "n c h w"], y: Float[Tensor, "n c h w"], weights: Float[Tensor, "n 1 h w"]
) -> Float[Tensor, ""]:
    r"""Squared error of images where weights say that it counts: a weighted mean over pixels, mean over images.

        loss = 1/n Σ_i ( Σ_j w_ij |x_ij - y_ij|² / (c Σ_j w_ij) )

    over places `j` with `c` channels. Symmetric in `x` and `y`. When every reconstruction is the mean of what counts
    (collapse) it is its variance. An image of which nothing counts adds 0.

    Args:
        x: images.
        y: their reconstructions.
        weights: of each place, not negative.

    Raises:
        ValueError: the shapes differ, or there is no row.

    Example:
        >>> import torch
        >>> x, weights = torch.zeros(1, 3, 2, 2), torch.tensor([[[[1.0, 0.0], [0.0, 3.0]]]])
        >>> weighted_error(x, x + 2, weights).item()
        4.0

    References:
        Pathak et al., "Context encoders: feature learning by inpainting", CVPR 2016, equation 1.
        https://arxiv.org/abs/1604.07379
    """
    _check("weighted_error", x, y)
    total = (weights * (x - y).square()).flatten(1).sum(1)  # (n,)
    return (total / (x.shape[1] * weights.flatten(1).sum(1)).clamp_min(1e-12)).mean()


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
    return -log_bernoulli(logits, x).mean()


@full_precision
def gaussian_error(
    mean: Float[Tensor, "n ..."], x: Float[Tensor, "n ..."], *, variance: float = 1.0
) -> Float[Tensor, ""]:
    r"""Negative log-density of a Gaussian in nats: sum over a sample's numbers, mean over samples.

        loss = 1/(2n) Σ_i Σ_j ( ln(2π s) + (x_ij - mean_ij)² / s )

    Symmetric in `mean` and `x`. When every mean is the samples' mean (collapse) and `s` is the mean variance of a
    number, it is `d/2 ln(2π e s)`, for `d` numbers per sample: the entropy of a Gaussian. It may be negative, being
    of a density.

    Args:
        mean: of the reconstructions, `(n, ...)`; row `i` is one sample of any shape.
        x: samples.
        variance: `s`, of each number.

    Raises:
        ValueError: the shapes differ (they are never broadcast), or `variance` is not positive.

    Example:
        >>> import torch
        >>> round(gaussian_error(torch.zeros(2, 3), torch.ones(2, 3), variance=1 / (2 * math.pi)).item() / math.pi, 4)
        3.0

    References:
        Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014, equation 12 (its negative).
        https://arxiv.org/abs/1312.6114
    """
    _check("gaussian_error", mean, x)
    if variance <= 0:
        raise ValueError(
            f"variance must be greater than 0; got {variance}. Use 1 for samples that are standardised."
        )
    return -log_gaussian(mean, x, mean.new_tensor(math.log(variance))).mean()


@full_precision
def categorical_error(logits: Float[Tensor, "n c ..."], x: Float[Tensor, "n c ..."]) -> Float[Tensor, ""]:
    r"""Cross-entropy of choices in nats: sum over a sample's choices, mean over samples.

        loss = -1/n Σ_i Σ_j Σ_c x_icj ln softmax(logits_ij)_c

    When all logits are 0 (collapse) it is `m ln c`, for `m` choices per sample among `c` classes.

    Args:
        logits: of the reconstructions, `(n, c, ...)`; axis 1 holds the classes, and there is one choice for each
            position of the other axes.
        x: samples: 1 for the class chosen and 0 for the others, or how often each was (words in a text).

    Raises:
        ValueError: the shapes differ (they are never broadcast).

    Example:
        >>> import torch
        >>> round(categorical_error(torch.zeros(1, 4), torch.eye(4)[:1]).exp().item(), 4)
        4.0

    References:
        Liang et al., "Variational autoencoders for collaborative filtering", WWW 2018, equation 2 (its negative).
        https://arxiv.org/abs/1802.05814
    """
    _check("categorical_error", logits, x)
    return -log_categorical(logits, x).mean()


def _check(name: str, x: Tensor, y: Tensor) -> None:
    if x.shape != y.shape or not len(x):
        raise ValueError(
            f"{name} needs at least one sample, and reconstructions of the samples' own shape; "
            f"got {tuple(x.shape)} and {tuple(y.shape)}."
        )
