"""Kernel objectives: what is learned depends on which sample it came from, measured without a model of that."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from replearn.objectives.precision import full_precision
from replearn.objectives.sphere import squared_distances


@full_precision
def ssl_hsic(
    a: Float[Tensor, "n d"], b: Float[Tensor, "n d"], *, gamma: float = 3.0, scale: float = 1.0
) -> Float[Tensor, ""]:
    r"""SSL-HSIC's loss: embeddings depend on the sample that they are views of, and vary no more than that takes.

    With `z = (a_1, ..., a_n, b_1, ..., b_n)`, each row divided by its length, the inverse multiquadric kernel
    `k(x, y) = c / sqrt(c² + ‖x - y‖²)` of scale `c`, its matrix `K` over the `N = 2n` rows, `H = I - 1/N`, and
    `p(i)` the partner of view `i`:

        HSIC(Z, Y) = 1/N Σ_i k(z_i, z_p(i)) - 1/N² Σ_i Σ_j k(z_i, z_j) + 1/N Σ_i k(z_i, z_i) - 1
        HSIC(Z, Z) = trace(K H K H) / (N - 1)²
        loss = -HSIC(Z, Y) + γ sqrt(HSIC(Z, Z))

    Y is the identity of a sample; its kernel, the number of samples for equal and 0 for other ones, makes
    HSIC(Z, Y) free of their number. The last two terms of it cancel, as `k(z, z) = 1`. Symmetric in `a` and `b`; a
    rotation of all rows does not change it. When all rows are equal (collapse) both dependences are 0, and so is it.
    With views in one place and `λ` the eigenvalues of HKH, it is about `(-Σ λ + γ sqrt(Σ λ²)) / N`: less than at
    collapse only where embeddings use more than `(Σ λ)² / Σ λ² = γ²` directions, so for any embedding if γ < 1.

    InfoNCE is nearly this (section 3.3): with `k` for its similarity it is `-E k(z, z_p) + E ln E' exp k(z, z')`,
    and the logarithm, expanded to second order, makes it `-HSIC(Z, Y) + ½ E Var' k(z, z')`, where E' and Var' are
    over z'. So contrast is dependence too, with a variance of the kernel in place of `γ sqrt(HSIC(Z, Z))`.

    The paper draws random Fourier features to be linear in n, which pays for many thousands of rows; here all pairs
    are computed exactly. The authors' program divides by N², not (N - 1)², and adapts `c` in training.

    Args:
        a, b: embeddings of two views; rows `a[i]` and `b[i]` are views of one sample.
        gamma: `γ`, the weight of the dependence of embeddings on themselves.
        scale: `c`, the distance beyond which the kernel falls; unit rows are at most 2 apart.

    Raises:
        ValueError: `a` and `b` do not pair up, there is one sample only, or `scale` is not positive.

    Example:
        >>> z = torch.ones(4, 8)
        >>> round(ssl_hsic(z, z).item(), 6)
        0.0
        >>> bool(ssl_hsic(torch.eye(32), torch.eye(32)) < 0)
        True

    References:
        Li, Pogodin, Sutherland and Gretton, "Self-supervised learning with kernel dependence maximization",
        NeurIPS 2021, equations 3 and 4, section 3 and appendix A. https://arxiv.org/abs/2106.08320
    """
    if a.shape != b.shape or len(a) < 2 or scale <= 0:
        raise ValueError(
            "ssl_hsic needs two views of at least 2 samples (which one it is, is what to depend on) and "
            f"scale > 0; got {tuple(a.shape)} and {tuple(b.shape)}, scale {scale}."
        )
    n = len(a)
    z = F.normalize(torch.cat([a, b]), dim=1)  # (2n, d)
    k = scale / (scale**2 + squared_distances(z)).sqrt()  # (2n, 2n)
    partners = k.diagonal(offset=n).mean()
    centred = k - k.mean(0) - k.mean(1, keepdim=True) + k.mean()  # HKH
    # sqrt(trace(KHKH)) is the length of HKH: so its gradient stays finite where it is 0.
    on_itself: Tensor = torch.linalg.vector_norm(centred) / (2 * n - 1)
    return k.mean() - partners + gamma * on_itself
