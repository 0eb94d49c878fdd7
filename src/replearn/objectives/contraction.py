"""Contraction objectives: a code changes little when the sample does."""

from math import sqrt

import torch
from jaxtyping import Float
from torch import Tensor

from replearn.objectives.precision import full_precision


@full_precision
def contraction(rows: Float[Tensor, "n k d"]) -> Float[Tensor, ""]:
    r"""Squared Frobenius norm of each sample's Jacobian, mean over samples.

        loss = 1/n Σ_i Σ_k Σ_d J_ikd²,    J_ikd = ∂ code_k / ∂ x_d at sample i

    The rows are the Jacobian's own (one per unit of the code), or any whose squares sum up to the same: those of
    `sigmoid_rows` exactly, those of `projected_rows` on average. It is 0 when all samples have one code (collapse).

    Args:
        rows: `(n, k, d)`; `[i]` is the Jacobian of sample `i`.

    Raises:
        ValueError: there is no sample.

    Example:
        >>> import torch
        >>> contraction(2 * torch.eye(3).expand(5, 3, 3)).item()
        12.0

    References:
        Rifai et al., "Contractive auto-encoders: explicit invariance during feature extraction", ICML 2011,
        equation 1. https://icml.cc/2011/papers/455_icmlpaper.pdf
    """
    if not len(rows):
        raise ValueError("contraction needs at least one sample; got 0.")
    return rows.square().sum() / len(rows)


def sigmoid_rows(code: Float[Tensor, "n k"], weight: Float[Tensor, "k d"]) -> Float[Tensor, "n k 1"]:
    """The length of each row of the Jacobian of `code = sigmoid(weight x + bias)`, exactly.

    `|J_k| = code_k (1 - code_k) |weight_k|`: the squares sum up to equation 7 of Rifai et al. (2011), without a
    Jacobian in memory.

    >>> sigmoid_rows(torch.full((1, 2), 0.5), torch.tensor([[3.0, 4.0], [0.0, 8.0]])).tolist()
    [[[1.25], [2.0]]]
    """
    rows: Tensor = code * (1 - code) * torch.linalg.vector_norm(weight, dim=1)  # (n, k)
    return rows[:, :, None]


def projected_rows(
    code: Float[Tensor, "n k"], x: Float[Tensor, "n ..."], directions: Float[Tensor, "n m k"]
) -> Float[Tensor, "n m d"]:
    """Random mixtures of the Jacobian's rows, `v J / sqrt(m)`, by one backward pass for each of `m` directions.

    Where a direction's numbers are independent, of mean 0 and variance 1, the expected square of `v J` is the squared
    Frobenius norm of `J` (Hutchinson, 1989). They can be differentiated further.

    Args:
        code: made from `x`, each row from its own sample.
        x: what the gradient is taken by; requires one.
        directions: for each sample, `m` of them.

    References: Hutchinson, "A stochastic estimator of the trace of the influence matrix", 1989.
        https://doi.org/10.1080/03610919008812866
    """
    found = [
        torch.autograd.grad(code, x, direction.to(code.dtype), create_graph=True)[0].flatten(1)
        for direction in directions.unbind(1)
    ]
    return torch.stack(found, dim=1) / sqrt(len(found))  # (n, m, d)
