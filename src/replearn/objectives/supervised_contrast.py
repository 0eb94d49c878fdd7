"""Contrast with labels: a view is told together with its whole class from all others."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from replearn.objectives.precision import full_precision


@full_precision
def supervised_contrast(
    z: Float[Tensor, "n v d"],
    labels: Int[Tensor, " n"],
    *,
    temperature: float = 0.1,
    keep: Bool[Tensor, "m m"] | None = None,
) -> Float[Tensor, ""]:
    r"""SupCon's loss: each view picks all other views of its class among all other views of the batch.

    With the `m = n v` rows of `z`, each divided by its length, `P(i)` the other rows of row `i`'s class, and
    temperature `τ`:

        loss = 1/m Σ_i -1/|P(i)| Σ_{p∈P(i)} log( exp(z_i·z_p / τ) / Σ_{k≠i} exp(z_i·z_k / τ) )

    A sample of label -1 is a class of its own: so where no label is known and views are two, it is SimCLR's `nt_xent`.
    When all rows are equal (collapse) it is `ln(m - 1)`, whatever labels and temperature.

    The paper sums over rows; this is the mean, as in programs. The authors' program multiplies it by `τ / 0.07`, too.

    Args:
        z: embeddings; `z[i, j]` is view `j` of sample `i`, of at least two views.
        labels: class of each sample, or -1 where unknown.
        temperature: `τ`; small values attend to the nearest views.
        keep: which rows are negatives of which, one view below the other as in `same_class`, drawn by
            `replearn.objectives.contrast.draw_negatives` say; None keeps all. Views of the class always count, a view
            itself never.

    Raises:
        ValueError: samples or views are fewer than two, `temperature` is not positive, labels are not one per sample,
            or `keep` is of another size.

    Example:
        >>> z = torch.ones(4, 2, 8)
        >>> round(supervised_contrast(z, torch.tensor([0, 0, 1, -1])).exp().item(), 4)
        7.0

    References:
        Khosla et al., "Supervised contrastive learning", NeurIPS 2020, equation 2 (its L_out).
        https://arxiv.org/abs/2004.11362
    """
    n, v, _ = z.shape
    if n < 2 or v < 2 or temperature <= 0 or len(labels) != n:
        raise ValueError(
            "supervised_contrast needs at least 2 views of at least 2 samples (n, views, d), a label for each sample "
            f"and temperature > 0; got {tuple(z.shape)}, {len(labels)} labels, temperature {temperature}."
        )
    if keep is not None and keep.shape != (n * v, n * v):
        raise ValueError(
            "supervised_contrast needs a mask keep with an entry for every two views, "
            f"{(n * v, n * v)}; got {tuple(keep.shape)}."
        )
    rows = F.normalize(z, dim=2).transpose(0, 1).flatten(0, 1)  # (m, d), one view below the other
    similarity = rows @ (rows / temperature).T  # (m, m)
    positive = same_class(labels, v).fill_diagonal_(False)
    chosen = similarity.masked_fill(~positive, 0.0).sum(1) / positive.sum(1)  # (m,)
    left_out = torch.eye(n * v, dtype=torch.bool, device=z.device)
    if keep is not None:
        left_out |= ~(keep | positive)
    return (similarity.masked_fill(left_out, -torch.inf).logsumexp(1) - chosen).mean()


def other_class(
    labels: Int[Tensor, " n"], views: int, content: Int[Tensor, " n"] | None = None
) -> Bool[Tensor, "m m"]:
    """Where two rows may be negatives: of different classes, and of no equal samples of which a label is unknown.

    Equal samples with labels that differ stay negatives, as the labels say.

    Args:
        labels: class of each sample, or -1.
        views: of each sample, `m = views * n` rows in all, one view below the other.
        content: a number per sample that equal ones share; None: no two are equal.

    Example:
        >>> other_class(torch.tensor([3, -1, -1]), 1, torch.tensor([5, 5, 6])).int().tolist()
        [[0, 0, 1], [0, 0, 1], [1, 1, 0]]
    """
    others = ~same_class(labels, views)
    if content is None:
        return others
    equal, unknown = content[:, None] == content, (labels < 0)[:, None] | (labels < 0)  # (n, n)
    return others & ~(equal & unknown).repeat(views, views)


def same_class(labels: Int[Tensor, " n"], views: int) -> Bool[Tensor, "m m"]:
    """Where two rows are of one class, `m = views * n` rows in all, one view below the other.

    Args:
        labels: class of each sample; one of label -1 is a class of its own.
        views: of each sample.

    Example:
        >>> same_class(torch.tensor([3, 3, -1, -1]), 1).int().tolist()
        [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    """
    alone = -1 - torch.arange(len(labels), device=labels.device)
    group = torch.where(labels < 0, alone, labels).repeat(views)  # (m,)
    return group[:, None] == group
