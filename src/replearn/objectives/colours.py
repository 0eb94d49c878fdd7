"""Colours predicted as shares of bins: the objective, and how good predicted ones are."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from replearn.objectives.precision import full_precision


@full_precision
def colour_cross_entropy(
    logits: Float[Tensor, "m q"],
    bins: Int[Tensor, "m k"],
    shares: Float[Tensor, "m k"],
    weights: Float[Tensor, " m"],
) -> Float[Tensor, ""]:
    r"""Cross-entropy of colours that are shared by a few bins, weighed by how rare they are.

    With `p_i = softmax(logits_i)`:

        loss = -1/m Σ_i w_i Σ_k s_ik ln p_i(bins_ik)

    When all logits are equal (collapse) it is `ln q` times the mean weight.

    Args:
        logits: one row per place, one column per bin.
        bins: the few that share a place's colour.
        shares: their shares `s_ik`, of sum 1.
        weights: `w_i`, of each place; 0 for places that are left out.

    Raises:
        ValueError: a bin is no column, or there is no row.

    Example:
        >>> one = torch.ones(3, 1)
        >>> loss = colour_cross_entropy(torch.zeros(3, 10), 2 * one.long(), one, torch.tensor([1.0, 0.0, 2.0]))
        >>> round(loss.exp().item(), 4)
        10.0

    References:
        Zhang, Isola and Efros, "Colorful image colorization", ECCV 2016, equation 2.
        https://arxiv.org/abs/1603.08511
    """
    if not len(logits) or not 0 <= int(bins.min()) <= int(bins.max()) < logits.shape[1]:
        raise ValueError(
            f"colour_cross_entropy needs a row, and bins from 0 to {logits.shape[1] - 1}; got {len(logits)} rows and "
            f"bins {sorted(set(bins.flatten().tolist()))[:12]}."
        )
    told = (shares * logits.log_softmax(1).gather(1, bins)).sum(1)  # (m,)
    loss: Tensor = -(weights * told).mean()
    return loss


def chroma_ratio(colours: Float[Tensor, "m 2"], true: Float[Tensor, "m 2"]) -> Float[Tensor, ""]:
    """How colourful what is predicted is: its mean distance from grey over that of the truth; 0 of grey, 1 is right.

    >>> chroma_ratio(torch.tensor([[3.0, 4.0]]), torch.tensor([[0.0, -10.0]])).item()
    0.5
    """
    ratio: Tensor = colours.norm(dim=1).mean() / true.norm(dim=1).mean().clamp_min(1e-6)
    return ratio


def colour_error(colours: Float[Tensor, "m 2"], true: Float[Tensor, "m 2"]) -> Float[Tensor, ""]:
    """Root of the mean squared distance of a and b.

    >>> colour_error(torch.tensor([[3.0, 4.0]]), torch.zeros(1, 2)).item()
    5.0
    """
    return (colours - true).square().sum(1).mean().sqrt()


def balanced_accuracy(guessed: Int[Tensor, " m"], right: Int[Tensor, " m"]) -> Float[Tensor, ""]:
    """Mean over the classes that occur of the share of each that is told: one class for all is right in one of them.

    >>> balanced_accuracy(torch.tensor([0, 0, 0, 0]), torch.tensor([0, 0, 0, 1])).item()
    0.5
    """
    classes, row = torch.unique(right, return_inverse=True)
    told = torch.zeros(len(classes), device=right.device).index_add_(0, row, (guessed == right).float())
    mean: Tensor = (told / row.bincount(minlength=len(classes))).mean()
    return mean
