"""Classification objectives: a sample's label is told from its representation."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from replearn.objectives.precision import full_precision

UNLABELLED = -1


@full_precision
def cross_entropy(
    logits: Float[Tensor, "n c"], labels: Int[Tensor, " n"], *, smoothing: float = 0.0
) -> Float[Tensor, ""]:
    r"""Negative log-probability of the labels in nats, mean over the labelled rows.

    With `p_i = softmax(logits_i)`, `m` rows whose label `t_i` is not -1, and smoothing `ε` over `c` classes:

        loss = -1/m Σ_{i: t_i ≠ -1} Σ_k q_ik ln p_ik,    q_ik = (1 - ε) [k = t_i] + ε / c

    When all logits are equal (collapse) it is `ln c`, whatever the smoothing. With no labelled row it is 0,
    and so is its gradient.

    On several processes, gather logits and labels before calling: processes hold different numbers of
    labelled rows, so a mean of their means is not the mean over all labelled rows.

    Args:
        logits: one row per sample, one column per class.
        labels: class of each row, 0 to c - 1, or -1 where unknown.
        smoothing: `ε` in [0, 1), the part of the target that is spread evenly over the classes.

    Raises:
        ValueError: a label is no column, or `smoothing` is out of range.

    Example:
        >>> import torch
        >>> logits, labels = torch.zeros(3, 10), torch.tensor([2, -1, 5])
        >>> round(cross_entropy(logits, labels).exp().item(), 4)
        10.0

    References:
        Szegedy et al., "Rethinking the Inception architecture for computer vision", CVPR 2016, section 7
        (smoothing: its `H(q', p)`). https://arxiv.org/abs/1512.00567
    """
    if not 0 <= smoothing < 1 or (
        len(labels) and not -1 <= int(labels.min()) <= int(labels.max()) < logits.shape[1]
    ):
        raise ValueError(
            f"cross_entropy needs labels from 0 to {logits.shape[1] - 1}, or -1 where unknown, and "
            f"smoothing in [0, 1); got labels {sorted(set(labels.tolist()))[:12]}, smoothing {smoothing}."
        )
    total = F.cross_entropy(
        logits, labels, ignore_index=UNLABELLED, label_smoothing=smoothing, reduction="sum"
    )
    return total / (labels != UNLABELLED).sum().clamp(min=1)


def pseudo_labels(logits: Float[Tensor, "n c"], *, threshold: float = 0.0) -> Int[Tensor, " n"]:
    """The likeliest class of each row, where its probability is at least `threshold`; -1 elsewhere. No gradient.

    Args:
        logits: one row per sample, one column per class.
        threshold: in [0, 1]; 0 takes all.

    Raises:
        ValueError: `threshold` is out of range.

    Example:
        >>> import torch
        >>> pseudo_labels(torch.tensor([[4.0, 0.0], [0.1, 0.0]]), threshold=0.95).tolist()
        [0, -1]

    References:
        Lee, ICML workshop 2013, equation 14 (without a threshold).
        Sohn et al., NeurIPS 2020, equation 4. https://arxiv.org/abs/2001.07685
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold must lie in [0, 1]; got {threshold}. Try 0.95.")
    sure, likeliest = logits.detach().softmax(1).max(1)
    return torch.where(sure >= threshold, likeliest, UNLABELLED)
