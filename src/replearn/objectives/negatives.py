"""Negatives: which other samples a contrast is against, apart from how many the batch holds.

A contrastive objective takes a mask `keep` of the negatives of each of its rows; without it they are all kept.

    keep = draw_negatives(negative_mask(a, b), number)
    nt_xent(a, b, keep=keep)

A sample that is in a batch twice is no negative of itself: `negative_mask` takes a number per sample that equal ones
share.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def negative_mask(
    *views: Float[Tensor, "n d"], content: Int[Tensor, " n"] | None = None
) -> Bool[Tensor, "m m"]:
    """Where two rows are of different samples, `m = views * n` rows in all, one view below the other.

    Args:
        views: embeddings; row `i` of each is a view of sample `i`. Only their number and length are looked at.
        content: a number per sample that equal samples share; None: no two are equal.

    Raises:
        ValueError: there is no view, or they differ in length.

    Example:
        >>> z = torch.zeros(2, 3)
        >>> negative_mask(z, z).int().tolist()
        [[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0]]
    """
    if len({len(view) for view in views}) != 1:
        raise ValueError(
            f"negative_mask needs views of the same samples; got lengths {[len(view) for view in views]}. "
            "Pass one or more of one length."
        )
    sample = torch.arange(len(views[0]), device=views[0].device) if content is None else content
    sample = sample.repeat(len(views))  # (m,)
    return sample[:, None] != sample


def draw_negatives(candidates: Bool[Tensor, "n m"], number: int | None) -> Bool[Tensor, "n m"]:
    """`number` of the candidates of each row, uniformly without replacement; all of them when it is None.

    A row with fewer candidates keeps those that it has. The draw is apart for each row, from torch's global
    generator: on several processes, where its state is alike, all draw the same for the joined batch.

    Args:
        candidates: what may be a negative of which row; never the row itself or its partner (`negative_mask`).
        number: negatives per row.

    Raises:
        ValueError: `number` is below 1 or above `m`.

    Example:
        >>> kept = draw_negatives(negative_mask(torch.zeros(5, 2)), 3)
        >>> kept.sum(1).tolist(), kept.diagonal().any().item()
        ([3, 3, 3, 3, 3], False)

    References:
        Mitrovic, McWilliams and Rey, "Less can be more in contrastive learning", ICBINB workshop, NeurIPS 2020.
        https://proceedings.mlr.press/v137/mitrovic20a.html
    """
    if number is None:
        return candidates
    if not 1 <= number <= candidates.shape[1]:
        raise ValueError(
            f"negatives must be from 1 to {candidates.shape[1]}, which there are to draw from; got {number}. "
            "Use fewer, a larger batch_size or queue, or None for all."
        )
    lot = torch.rand(candidates.shape, device=candidates.device).masked_fill_(~candidates, -1.0)
    drawn = lot.topk(number, dim=1).indices  # (n, number)
    return torch.zeros_like(candidates).scatter_(1, drawn, True) & candidates


def kept(
    name: str, similarity: Float[Tensor, "n m"], own: Int[Tensor, " n"], keep: Bool[Tensor, "k l"] | None
) -> Float[Tensor, "n m"]:
    """Similarities, -∞ where not kept; column `own[i]` of row `i` always is."""
    if keep is None:
        return similarity
    if keep.shape != similarity.shape:
        raise ValueError(
            f"{name} needs a mask keep with an entry for every row and candidate, {tuple(similarity.shape)}; "
            f"got {tuple(keep.shape)}."
        )
    return similarity.masked_fill(~keep.scatter(1, own[:, None], True), -torch.inf)
