"""Prediction objectives: one view's embedding is told from another's, with no negatives to tell it from."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from replearn.objectives.precision import full_precision


@full_precision
def negative_cosine(p: Float[Tensor, "n d"], z: Float[Tensor, "n d"]) -> Float[Tensor, ""]:
    r"""Negative cosine of predictions and what they predict, mean over rows.

        loss = -1/n Σ_i p_i·z_i / (|p_i| |z_i|)

    Symmetric in `p` and `z`: who learns from whom is the caller's choice, by `z.detach()`. It is -1 where all
    pairs agree, so at collapse (all rows equal) too: it can't tell a good representation from none. The squared
    distance of unit vectors (BYOL, equation 2) is `2 + 2 * loss`.

    Args:
        p: predictions, one row per sample.
        z: what they predict, of another view of the same samples.

    Raises:
        ValueError: `p` and `z` do not pair up, or there is no row.

    Example:
        >>> import torch
        >>> p = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
        >>> round(negative_cosine(p, 3 * p).item(), 6), negative_cosine(p, -p).item() > 0.999
        (-1.0, True)

    References:
        Chen and He, "Exploring simple Siamese representation learning", CVPR 2021, equation 1.
        https://arxiv.org/abs/2011.10566
        Grill et al., "Bootstrap your own latent", NeurIPS 2020, equation 2. https://arxiv.org/abs/2006.07733
    """
    if p.shape != z.shape or not len(p):
        raise ValueError(
            "negative_cosine needs a prediction for each of at least 1 row; "
            f"got {tuple(p.shape)} and {tuple(z.shape)}."
        )
    return -(F.normalize(p, dim=1) * F.normalize(z, dim=1)).sum(1).mean()


def cosine_errors(
    told: Float[Tensor, "m d"], true: Float[Tensor, "m d"], *, gamma: float = 2.0
) -> Float[Tensor, " m"]:
    """Scaled cosine errors, one per row, of which means are taken.

        (1 - x·z / (|x| |z|))^gamma

    A row that is zero has error 1.

    >>> import torch
    >>> cosine_errors(torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor([[1.0, 0.0], [1.0, 0.0]])).tolist()
    [0.0, 1.0]

    Reference: Hou et al., KDD 2022, equation 2. https://arxiv.org/abs/2205.10803
    """
    similar = (F.normalize(told, dim=1) * F.normalize(true, dim=1)).sum(1)
    return (1 - similar).clamp(min=0) ** gamma
