"""Objectives on the unit sphere: what contrast does in the limit, as two quantities to make small."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from replearn.objectives.precision import full_precision


@full_precision
def alignment(a: Float[Tensor, "n d"], b: Float[Tensor, "n d"], *, power: float = 2.0) -> Float[Tensor, ""]:
    r"""Distance of the views of a sample on the unit sphere, to a power, mean over samples.

    With each row divided by its length, and power `α`:

        loss = 1/n Σ_i ‖a_i - b_i‖^α

    Symmetric in `a` and `b`. When all rows are equal (collapse) it is 0, its least value: it needs `uniformity`
    beside it. For opposite views it is `2^α`.

    Args:
        a, b: embeddings of two views; rows `a[i]` and `b[i]` are views of one sample.
        power: `α`, at least 1.

    Raises:
        ValueError: `a` and `b` do not pair up, there is no sample, or `power` is below 1.

    Example:
        >>> alignment(torch.eye(3), 5 * torch.eye(3)).item(), alignment(torch.eye(3), -torch.eye(3)).item()
        (0.0, 4.0)

    References:
        Wang and Isola, "Understanding contrastive representation learning through alignment and uniformity on the
        hypersphere", ICML 2020, section 4.1. https://arxiv.org/abs/2005.10242
    """
    if a.shape != b.shape or not len(a) or power < 1:
        raise ValueError(
            "alignment needs two views of at least one sample and power >= 1 (below, gradients are infinite where "
            f"views agree); got {tuple(a.shape)} and {tuple(b.shape)}, power {power}."
        )
    distance: Tensor = torch.linalg.vector_norm(F.normalize(a, dim=1) - F.normalize(b, dim=1), dim=1)  # (n,)
    return distance.pow(power).mean()


@full_precision
def uniformity(
    z: Float[Tensor, "n d"], *, scale: float = 2.0, keep: Bool[Tensor, "n n"] | None = None
) -> Float[Tensor, ""]:
    r"""Logarithm of the mean Gaussian potential between embeddings on the unit sphere: least where they fill it evenly.

    With each row divided by its length, and `t` the scale:

        loss = ln( 1/(n(n-1)) Σ_i Σ_{j≠i} exp(-t ‖z_i - z_j‖²) )

    A rotation of all rows does not change it. When all rows are equal (collapse) it is 0, its largest value; orthogonal
    rows have `-2t`, and many rows in many dimensions can't do much better.

    Args:
        z: embeddings, one row per sample: of one view, since the views of a sample should not repel each other.
        scale: `t`; larger values look at nearer neighbours only.
        keep: which rows repel which (`replearn.objectives.contrast.negative_mask`): the mean is over these pairs, and
            the loss is 0 where there is none. None keeps all; a row itself never counts.

    Raises:
        ValueError: there is one row only, `scale` is not positive, or `keep` is of another size.

    Example:
        >>> uniformity(torch.ones(4, 8)).item(), uniformity(torch.eye(3)).item()
        (0.0, -4.0)

    References:
        Wang and Isola, "Understanding contrastive representation learning through alignment and uniformity on the
        hypersphere", ICML 2020, section 4.1. https://arxiv.org/abs/2005.10242
    """
    if len(z) < 2 or scale <= 0:
        raise ValueError(
            "uniformity needs at least 2 samples, since it compares them, and scale > 0; "
            f"got {tuple(z.shape)}, scale {scale}."
        )
    n = len(z)
    unit = F.normalize(z, dim=1)
    pairs = ~torch.eye(n, dtype=torch.bool, device=z.device)
    energy = (-scale * squared_distances(unit)).masked_fill(~pairs, -torch.inf)  # (n, n)
    every = math.log(n * (n - 1))
    if keep is None:
        return energy.flatten().logsumexp(0) - every
    if keep.shape != pairs.shape:
        raise ValueError(
            f"uniformity needs a mask keep with an entry for every two rows, {(n, n)}; got {tuple(keep.shape)}."
        )
    left = keep & pairs
    some = left.any()  # or all count, times 0: a logarithm of nothing has no gradient
    left |= ~some & pairs
    share = left.sum().to(z.dtype) / (n * (n - 1))  # 1 where all are kept, exactly
    return (energy.masked_fill(~left, -torch.inf).flatten().logsumexp(0) - every - share.log()) * some


def squared_distances(z: Float[Tensor, "n d"]) -> Float[Tensor, "n n"]:
    """Of all pairs of rows."""
    squares = z.square().sum(1)  # 1 on the sphere, and 0 for a row of zeros
    return (squares[:, None] + squares - 2 * z @ z.T).clamp_min(0)
