"""Contrastive objectives: a sample's two views are told from all other samples of the batch."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from replearn.objectives.precision import full_precision


@full_precision
def nt_xent(
    a: Float[Tensor, "n d"], b: Float[Tensor, "n d"], *, temperature: float = 0.5
) -> Float[Tensor, ""]:
    r"""SimCLR's loss: each view picks its partner among the 2n - 1 other views of the batch.

    With `z = (a_1, ..., a_n, b_1, ..., b_n)`, each row divided by its length, `p(i)` the partner of view `i`,
    and temperature `τ`:

        loss = 1/(2n) Σ_i -log( exp(z_i·z_p(i) / τ) / Σ_{k≠i} exp(z_i·z_k / τ) )

    Symmetric in `a` and `b`. When all rows are equal (collapse) it is `ln(2n - 1)`, whatever the temperature.

    Args:
        a, b: embeddings of two views; rows `a[i]` and `b[i]` are views of one sample.
        temperature: `τ`; small values attend to the nearest negatives.

    Raises:
        ValueError: `a` and `b` do not pair up, there is one sample only, or `temperature` is not positive.

    Example:
        >>> z = torch.ones(4, 8)
        >>> round(nt_xent(z, z).exp().item(), 4)
        7.0

    References:
        Chen et al., "A simple framework for contrastive learning of visual representations", ICML 2020,
        equation 1.
        https://arxiv.org/abs/2002.05709
    """
    if a.shape != b.shape or len(a) < 2 or temperature <= 0:
        raise ValueError(
            "nt_xent needs two views of at least 2 samples (the others are the negatives) and "
            f"temperature > 0; got {tuple(a.shape)} and {tuple(b.shape)}, temperature {temperature}."
        )
    n = len(a)
    z = F.normalize(torch.cat([a, b]), dim=1)  # (2n, d)
    similarity = z @ (z / temperature).T  # (2n, 2n)
    similarity = similarity.fill_diagonal_(-torch.inf)
    partner = torch.arange(2 * n, device=z.device).roll(n)  # (2n,)
    return F.cross_entropy(similarity, partner)
