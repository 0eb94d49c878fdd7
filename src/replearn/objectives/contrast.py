"""Contrastive objectives: a sample's two views are told from other samples, of the batch or of a queue.

They take a mask `keep` of the negatives of each of their rows; without it all are kept.

    keep = draw_negatives(negative_mask(a, b), number)
    nt_xent(a, b, keep=keep)

A sample that is in a batch twice is no negative of itself: `negative_mask` takes a number per sample that equal ones
share.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from replearn.objectives.precision import full_precision


@full_precision
def nt_xent(
    a: Float[Tensor, "n d"],
    b: Float[Tensor, "n d"],
    *,
    temperature: float = 0.5,
    keep: Bool[Tensor, "m m"] | None = None,
) -> Float[Tensor, ""]:
    r"""SimCLR's loss: each view picks its partner among the 2n - 1 other views of the batch.

    With `z = (a_1, ..., a_n, b_1, ..., b_n)`, each row divided by its length, `p(i)` the partner of view `i`,
    and temperature `τ`:

        loss = 1/(2n) Σ_i -log( exp(z_i·z_p(i) / τ) / Σ_{k≠i} exp(z_i·z_k / τ) )

    Symmetric in `a` and `b`. When all rows are equal (collapse) it is `ln(2n - 1)`, whatever the temperature;
    with `k` negatives kept per view, `ln(1 + k)`.

    Args:
        a, b: embeddings of two views; rows `a[i]` and `b[i]` are views of one sample.
        temperature: `τ`; small values attend to the nearest negatives.
        keep: which views are negatives of which, `m = 2n` of them in the order of `z`, drawn by
            `draw_negatives` say; None keeps all. The partner always counts, a view
            itself never.

    Raises:
        ValueError: `a` and `b` do not pair up, there is one sample only, `temperature` is not positive, or `keep`
            is of another size.

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
    return F.cross_entropy(kept("nt_xent", similarity, partner, keep), partner)


@full_precision
def info_nce(
    queries: Float[Tensor, "n d"],
    keys: Float[Tensor, "m d"],
    *,
    temperature: float = 0.2,
    keep: Bool[Tensor, "n m"] | None = None,
) -> Float[Tensor, ""]:
    r"""Each query picks its key among all keys: those of the batch, and any rows that follow them.

    With `q_i` and `k_j` divided by their lengths, `n` queries, `m ≥ n` keys and temperature `τ`:

        loss = 1/n Σ_i -log( exp(q_i·k_i / τ) / Σ_{j=1..m} exp(q_i·k_j / τ) )

    Only other samples' keys are negatives, not other queries (SimCLR's `nt_xent` has both). When all rows are
    equal (collapse) it is `ln m`; with `k` negatives kept per query, `ln(1 + k)`. MoCo v3 multiplies it by
    `2τ`, which scales the gradient and no more.

    Args:
        queries: embeddings of one view.
        keys: row `i` is the key of query `i`, an embedding of another view of its sample; rows after the n-th are
            negatives of all queries (a queue's, `torch.cat([keys, queue])`).
        temperature: `τ`; small values attend to the nearest negatives.
        keep: which keys are negatives of which queries, drawn by
            `draw_negatives` say; None keeps all. A query's own key always counts.

    Raises:
        ValueError: a query has no key, there is no negative, `temperature` is not positive, or `keep` is of
            another size.

    Example:
        >>> z = torch.ones(4, 8)
        >>> round(info_nce(z, z).exp().item(), 4)
        4.0

    References:
        Chen, Xie and He, "An empirical study of training self-supervised vision transformers" (MoCo v3), ICCV
        2021, equation 1 and Algorithm 1. https://arxiv.org/abs/2104.02057
        van den Oord et al., "Representation learning with contrastive predictive coding", 2018, equation 4.
        https://arxiv.org/abs/1807.03748
    """
    n, m = len(queries), len(keys)
    if not 0 < n <= m or m < 2 or queries.shape[1] != keys.shape[1] or temperature <= 0:
        raise ValueError(
            "info_nce needs a key for each query, at least 2 keys (the others are the negatives) and temperature "
            f"> 0; got {tuple(queries.shape)} and {tuple(keys.shape)}, temperature {temperature}."
        )
    similarity = F.normalize(queries, dim=1) @ (F.normalize(keys, dim=1) / temperature).T  # (n, m)
    own = torch.arange(n, device=queries.device)  # (n,)
    return F.cross_entropy(kept("info_nce", similarity, own, keep), own)


@full_precision
def info_nce_queue(
    queries: Float[Tensor, "n d"],
    keys: Float[Tensor, "n d"],
    queue: Float[Tensor, "m d"],
    *,
    temperature: float = 0.07,
    keep: Bool[Tensor, "n m"] | None = None,
) -> Float[Tensor, ""]:
    r"""MoCo's loss: each query picks its key among it and a queue; other keys of the batch do not count.

    With `q_i`, `k_i` and the queue's rows `u_j` divided by their lengths and temperature `τ`:

        loss = 1/n Σ_i -log( exp(q_i·k_i / τ) / (exp(q_i·k_i / τ) + Σ_{j=1..m} exp(q_i·u_j / τ)) )

    When all rows are equal (collapse) it is `ln(1 + m)`; with `k` negatives kept per query, `ln(1 + k)`.

    Args:
        queries: embeddings of one view.
        keys: row `i` is the key of query `i`, an embedding of another view of its sample.
        queue: negatives of all queries, keys of earlier batches.
        temperature: `τ`; small values attend to the nearest negatives (0.07 in v1, 0.2 in v2).
        keep: which rows of the queue are negatives of which queries, drawn by
            `draw_negatives` say; None keeps all.

    Raises:
        ValueError: queries and keys do not pair up, the queue is empty, `temperature` is not positive, or `keep`
            is of another size.

    Example:
        >>> z = torch.ones(4, 8)
        >>> round(info_nce_queue(z, z, torch.ones(9, 8)).exp().item(), 4)
        10.0

    References:
        He et al., "Momentum contrast for unsupervised visual representation learning", CVPR 2020, equation 1
        and Algorithm 1. https://arxiv.org/abs/1911.05722
    """
    if queries.shape != keys.shape or 0 in (len(keys), len(queue)) or temperature <= 0:
        raise ValueError(
            "info_nce_queue needs a key for each query, a queue of at least 1 row and temperature > 0; "
            f"got {tuple(queries.shape)}, {tuple(keys.shape)} and {tuple(queue.shape)}, temperature {temperature}."
        )
    q, k = F.normalize(queries, dim=1), F.normalize(keys, dim=1)
    own = (q * k).sum(1, keepdim=True)  # (n, 1)
    others = q @ F.normalize(queue, dim=1).T  # (n, m)
    first = torch.zeros(len(q), dtype=torch.long, device=q.device)  # (n,)
    if keep is not None:
        keep = F.pad(keep, (1, 0))  # (n, 1 + m)
    similarity = torch.cat([own, others], dim=1) / temperature  # (n, 1 + m)
    return F.cross_entropy(kept("info_nce_queue", similarity, first, keep), first)


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
