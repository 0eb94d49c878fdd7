"""Contrast between two modalities: an image and its caption find each other among those of the batch."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from replearn.objectives.contrast import kept
from replearn.objectives.precision import full_precision


@full_precision
def softmax_pairing(
    a: Float[Tensor, "n d"],
    b: Float[Tensor, "n d"],
    *,
    scale: Float[Tensor, ""],
    keep: Bool[Tensor, "n n"] | None = None,
) -> Float[Tensor, ""]:
    r"""CLIP's loss: each row picks its partner in the other modality, both ways.

    With `a_i` and `b_j` divided by their lengths, and a scale `s` that may be learned (1 / temperature):

        loss = 1/(2n) Σ_i [-log( exp(s a_i·b_i) / Σ_j exp(s a_i·b_j) ) - log( exp(s a_i·b_i) / Σ_j exp(s a_j·b_i) )]

    When all rows are equal (collapse) it is `ln n`, whatever the scale; with `k` negatives kept per row, `ln(1 + k)`.

    Args:
        a, b: embeddings; rows `a[i]` and `b[i]` belong together.
        scale: by which cosines are multiplied.
        keep: which rows of `b` are negatives of which of `a`, and which of `a` of which of `b`, the same turned round;
            None keeps all. A row's partner always counts.

    Raises:
        ValueError: the rows do not pair up, there is one pair only, or `keep` is of another size.

    Example:
        >>> z = torch.ones(4, 8)
        >>> round(softmax_pairing(z, z, scale=torch.tensor(14.0)).exp().item(), 4)
        4.0

    References:
        Radford et al., "Learning transferable visual models from natural language supervision", ICML 2021, figure 3.
        https://arxiv.org/abs/2103.00020
    """
    similarity = scale * _cosines("softmax_pairing", a, b)  # (n, n)
    own = torch.arange(len(a), device=a.device)
    there = F.cross_entropy(kept("softmax_pairing", similarity, own, keep), own)
    back = F.cross_entropy(kept("softmax_pairing", similarity.T, own, None if keep is None else keep.T), own)
    return (there + back) / 2


@full_precision
def sigmoid_pairing(
    a: Float[Tensor, "n d"],
    b: Float[Tensor, "n d"],
    *,
    scale: Float[Tensor, ""],
    bias: Float[Tensor, ""],
    keep: Bool[Tensor, "n n"] | None = None,
) -> Float[Tensor, ""]:
    r"""SigLIP's loss: of each row of one modality and each of the other, whether they belong together.

    With `a_i` and `b_j` divided by their lengths, `t_ij = 1` where `i = j`, else -1, a scale `s` and a bias `c`:

        loss = -1/n Σ_i Σ_j log σ( t_ij (s a_i·b_j + c) )

    Args:
        a, b: embeddings; rows `a[i]` and `b[i]` belong together.
        scale: by which cosines are multiplied; it begins at 10 in the paper.
        bias: added to them; it begins at -10, since nearly all pairs of a batch do not belong together.
        keep: which rows of `b` are negatives of which of `a`; None keeps all.

    Raises:
        ValueError: the rows do not pair up, or there is one pair only.

    Example:
        >>> z = torch.eye(4)
        >>> loss = sigmoid_pairing(z, z, scale=torch.tensor(200.0), bias=torch.tensor(-100.0))
        >>> round(loss.item(), 4)
        0.0

    References:
        Zhai et al., "Sigmoid loss for language image pre-training", ICCV 2023, Algorithm 1.
        https://arxiv.org/abs/2303.15343
    """
    logits = scale * _cosines("sigmoid_pairing", a, b) + bias  # (n, n)
    belongs = torch.eye(len(a), dtype=torch.bool, device=a.device)
    counted = torch.ones_like(belongs) if keep is None else keep | belongs
    losses = -F.logsigmoid(torch.where(belongs, logits, -logits))
    return (losses * counted).sum() / len(a)


def _cosines(name: str, a: Float[Tensor, "n d"], b: Float[Tensor, "n d"]) -> Float[Tensor, "n n"]:
    if a.shape != b.shape or len(a) < 2:
        raise ValueError(
            f"{name} needs two modalities of at least 2 samples (the others are the negatives); got {tuple(a.shape)} "
            f"and {tuple(b.shape)}."
        )
    return F.normalize(a, dim=1) @ F.normalize(b, dim=1).T
