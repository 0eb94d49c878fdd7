"""Contrast along time: what is predicted from the past picks what then came."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from replearn.objectives.contrast import kept
from replearn.objectives.precision import full_precision


@full_precision
def future_contrast(
    predicted: Float[Tensor, "n d"],
    later: Float[Tensor, "n d"],
    *,
    temperature: float = 1.0,
    keep: Bool[Tensor, "n n"] | None = None,
) -> Float[Tensor, ""]:
    r"""CPC's loss: each prediction picks the latent that came among those of other samples and places.

    With predictions `p_i = W_k c_i` and the latents `z_i` that came `k` steps later, neither divided by its length:

        loss = 1/n Σ_i -log( exp(p_i·z_i / τ) / Σ_j exp(p_i·z_j / τ) )

    When all rows are equal (collapse) it is `ln n`. `ln n - loss` is at most the mutual information of context and
    future (equation 5). The paper has `τ = 1`, version 2's code 10; `replearn.objectives.info_nce` is the same of
    rows divided by their lengths.

    Args:
        predicted: one row for each place of each sample.
        later: row `i` is what row `i` of `predicted` is a prediction of.
        temperature: `τ`.
        keep: which rows of `later` are negatives of which prediction; None keeps all. Its own always counts.

    Raises:
        ValueError: rows do not pair up, there is one only, `temperature` is not positive, or `keep` is of another
            size.

    Example:
        >>> z = torch.ones(4, 8)
        >>> round(future_contrast(z, z).exp().item(), 4)
        4.0

    References:
        van den Oord, Li and Vinyals, "Representation learning with contrastive predictive coding", 2018, equations
        3 and 4. https://arxiv.org/abs/1807.03748
        Hénaff et al., "Data-efficient image recognition with contrastive predictive coding", ICML 2020, appendix A.
        https://arxiv.org/abs/1905.09272
    """
    if predicted.shape != later.shape or len(later) < 2 or temperature <= 0:
        raise ValueError(
            "future_contrast needs predictions of at least 2 rows (the others are the negatives) and temperature "
            f"> 0; got {tuple(predicted.shape)} and {tuple(later.shape)}, temperature {temperature}."
        )
    score = predicted @ later.T / temperature  # (n, n)
    own = torch.arange(len(later), device=later.device)  # (n,)
    return F.cross_entropy(kept("future_contrast", score, own, keep), own)
