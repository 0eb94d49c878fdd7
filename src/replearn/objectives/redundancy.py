"""Redundancy objectives: views agree in every number of an embedding, and no number repeats another."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from replearn.objectives.precision import full_precision

EPSILON = 1e-4  # of VICReg's standard deviation, section 4.2
ROUNDING = 64.0  # a column whose centred length is less than so many roundings of its own length is constant


@full_precision
def barlow_twins(
    a: Float[Tensor, "n d"], b: Float[Tensor, "n d"], *, redundancy: float = 5e-3
) -> Float[Tensor, ""]:
    r"""Barlow Twins' loss: the cross-correlation of two views, number by number, is the identity.

    With `ã_i = a_i - mean(a)`, `b̃` alike, and weight `λ`:

        C_jk = Σ_i ã_ij b̃_ik / ( sqrt(Σ_i ã_ij²) sqrt(Σ_i b̃_ik²) )
        loss = Σ_j (1 - C_jj)² + λ Σ_j Σ_{k≠j} C_jk²

    Symmetric in `a` and `b`; neither shift nor positive scale of a column changes it. When all rows are equal
    (collapse) nothing correlates, `C = 0`, and it is `d`; when views are equal and columns uncorrelated it is 0.

    The paper's Algorithm 1 divides by a standard deviation with `n - 1`, the authors' program and lightly by
    `sqrt(variance + 1e-5)`: columns of small variance count less there. Here a column counts whatever its scale.

    Args:
        a, b: embeddings of two views; rows `a[i]` and `b[i]` are views of one sample.
        redundancy: `λ`, the weight of what different columns have in common.

    Raises:
        ValueError: `a` and `b` do not pair up, or there is one sample only.

    Example:
        >>> z = torch.ones(4, 8)
        >>> barlow_twins(z, z).item()
        8.0
        >>> z = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
        >>> round(barlow_twins(z, z).item(), 6)
        0.0

    References:
        Zbontar et al., "Barlow Twins: self-supervised learning via redundancy reduction", ICML 2021, equations 1
        and 2. https://arxiv.org/abs/2103.03230
    """
    _check("barlow_twins", a, b)
    correlation = _standard(a).T @ _standard(b)  # (d, d)
    agreement = correlation.diagonal()
    shared = correlation.square().sum() - agreement.square().sum()
    return (1 - agreement).square().sum() + redundancy * shared


@full_precision
def vicreg(
    a: Float[Tensor, "n d"],
    b: Float[Tensor, "n d"],
    *,
    invariance: float = 25.0,
    variance: float = 25.0,
    covariance: float = 1.0,
) -> Float[Tensor, ""]:
    r"""VICReg's loss: views agree, every number keeps its variance, and no two numbers vary together.

    With the covariance `C(z) = 1/(n-1) Σ_i (z_i - z̄)(z_i - z̄)ᵀ`, ε = 1e-4, and weights `λ, μ, ν`:

        v(z) = 1/d Σ_j max(0, 1 - sqrt(C(z)_jj + ε)),    c(z) = 1/d Σ_j Σ_{k≠j} C(z)_jk²
        loss = λ/n Σ_i ‖a_i - b_i‖² + μ (v(a) + v(b)) + ν (c(a) + c(b))

    Symmetric in `a` and `b`. When all rows are equal (collapse) it is `2μ (1 - sqrt(ε)) = 1.98 μ`.

    Programs differ from these equations, and so weights mean different things. Algorithm 1 of the paper takes the
    mean over columns in the first term: its `λ = 25` is `25/d` here, and `λ = 25` in equation 6 makes collapse
    cheap. The authors' program and lightly do that too, and halve `v` also: their 25, 25, 1 is 25/d, 12.5, 1 here.

    Args:
        a, b: embeddings of two views; rows `a[i]` and `b[i]` are views of one sample.
        invariance: `λ`, the weight of the squared distance of views.
        variance: `μ`, the weight of standard deviations below 1.
        covariance: `ν`, the weight of covariances.

    Raises:
        ValueError: `a` and `b` do not pair up, or there is one sample only.

    Example:
        >>> z = torch.ones(4, 8)
        >>> round(vicreg(z, z).item(), 4)
        49.5
        >>> z = 2 * torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
        >>> vicreg(z, z).item()
        0.0

    References:
        Bardes, Ponce and LeCun, "VICReg: variance-invariance-covariance regularization", ICLR 2022, equations 1
        to 6. https://arxiv.org/abs/2105.04906
    """
    _check("vicreg", a, b)
    distance = (a - b).square().sum(1).mean()
    (spread_a, shared_a), (spread_b, shared_b) = _spread_and_shared(a), _spread_and_shared(b)
    return invariance * distance + variance * (spread_a + spread_b) + covariance * (shared_a + shared_b)


def _spread_and_shared(z: Float[Tensor, "n d"]) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """VICReg's `v` and `c`."""
    centred = z - z.mean(0)
    covariance = centred.T @ centred / (len(z) - 1)  # (d, d)
    variance = covariance.diagonal()
    shared = covariance.square().sum() - variance.square().sum()
    return F.relu(1 - (variance + EPSILON).sqrt()).mean(), shared / z.shape[1]


def _standard(z: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Columns of mean 0 and length 1; zeros where a column is constant, up to rounding."""
    centred = z - z.mean(0)
    rounding = ROUNDING * torch.finfo(z.dtype).eps * z.detach().norm(dim=0)
    # The least is that of F.normalize: columns of zeros stay, and get a gradient of 0.
    return centred / torch.maximum(centred.norm(dim=0), rounding).clamp_min(1e-12)


def _check(name: str, a: Tensor, b: Tensor) -> None:
    if a.shape != b.shape or len(a) < 2:
        raise ValueError(
            f"{name} needs two views of at least 2 samples, over which columns vary; "
            f"got {tuple(a.shape)} and {tuple(b.shape)}. Raise batch_size."
        )
