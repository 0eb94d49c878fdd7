"""Objectives over prototypes: a view says which prototypes another view of the same sample belongs to."""

import torch
from jaxtyping import Float
from torch import Tensor

from replearn.objectives.precision import full_precision


@full_precision
def soft_cross_entropy(
    scores: Float[Tensor, "n k"], targets: Float[Tensor, "n k"], *, temperature: float = 0.1
) -> Float[Tensor, ""]:
    r"""Cross-entropy in nats of a softmax over scores against probabilities, mean over rows: DINO's `H(q, p)`.

    With `p_i = softmax(s_i / τ)` and targets `q_i`:

        loss = -1/n Σ_i Σ_k q_ik ln p_ik

    When all scores of a row are equal (collapse) it is `ln k`, if each target sums to 1. It is linear in the
    targets: the sum over several targets of one view is the loss of their sum, by one softmax.

    Args:
        scores: one row per sample, one column per prototype.
        targets: probabilities, which get no gradient in SwAV and DINO.
        temperature: `τ`.

    Raises:
        ValueError: the shapes differ, there is no row, or `temperature` is not positive.

    Example:
        >>> scores, targets = torch.zeros(3, 10), torch.eye(10)[:3]
        >>> round(soft_cross_entropy(scores, targets).exp().item(), 4)
        10.0

    References:
        Caron et al., "Emerging properties in self-supervised vision transformers", ICCV 2021, equations 1
        and 2. https://arxiv.org/abs/2104.14294
    """
    if scores.shape != targets.shape or not len(scores) or temperature <= 0:
        raise ValueError(
            "soft_cross_entropy needs scores and targets of one shape, at least one row and temperature > 0; "
            f"got {tuple(scores.shape)} and {tuple(targets.shape)}, temperature {temperature}."
        )
    return -(targets * (scores / temperature).log_softmax(1)).sum(1).mean()


@full_precision
def swapped_prediction(
    scores: Float[Tensor, "n v k"], assignments: Float[Tensor, "n g k"], *, temperature: float = 0.1
) -> Float[Tensor, ""]:
    r"""SwAV's loss: each view predicts to which prototypes the other views were assigned.

    With `v` views, the first `g` of which are assigned, `p_iv = softmax(s_iv / τ)` and assignments `q_ig`, it
    is the mean over samples and over the `g (v - 1)` pairs of different views:

        loss = -1/n Σ_i 1/(g (v - 1)) Σ_g Σ_{v≠g} Σ_k q_igk ln p_ivk

    (The paper writes the sum over pairs; a mean keeps its size whatever the number of views.) When all scores
    of a row are equal (collapse) it is `ln k`.

    Args:
        scores: of each view of each sample with each of `k` prototypes.
        assignments: of the first `g` views, as `sinkhorn` gives them.
        temperature: `τ`.

    Raises:
        ValueError: fewer than 2 views, more assignments than views, or `temperature` is not positive.

    Example:
        >>> scores = torch.zeros(3, 4, 10)
        >>> round(swapped_prediction(scores, torch.full((3, 2, 10), 0.1)).exp().item(), 4)
        10.0

    References:
        Caron et al., "Unsupervised learning of visual features by contrasting cluster assignments", NeurIPS
        2020, equations 1, 2 and 6. https://arxiv.org/abs/2006.09882
    """
    v, g = scores.shape[1], assignments.shape[1]
    if not 1 <= g <= v or v < 2 or temperature <= 0:
        raise ValueError(
            "swapped_prediction needs at least 2 views, assignments of the first of them and temperature > 0; "
            f"got {tuple(scores.shape)} and {tuple(assignments.shape)}, temperature {temperature}."
        )
    others = assignments.sum(1, keepdim=True).repeat(1, v, 1)  # (n, v, k)
    others[:, :g] -= assignments  # of all views but this one
    loss = soft_cross_entropy(scores.flatten(0, 1), others.flatten(0, 1), temperature=temperature)
    return loss * v / (g * (v - 1))


@torch.no_grad()
@full_precision
def sinkhorn(
    scores: Float[Tensor, "n k"], *, smoothing: float = 0.05, iterations: int = 3
) -> Float[Tensor, "n k"]:
    r"""SwAV's assignments: rows spread over prototypes so that each prototype gets as much as any other.

        Q = Diag(u) exp(S / ε) Diag(v),    each column sums to n/k, then each row to 1, in turn

    It goes to the `Q` of greatest `Σ Q S + ε H(Q)` among those with such sums. Rows sum to 1 exactly, columns
    as nearly as the iterations allow. When all scores are equal, all are `1/k`. Computed in logarithms, so
    that no score is too large. No gradient passes.

    On several processes, gather the scores before calling: a prototype's share is one of the joined batch.

    Args:
        scores: one row per sample, one column per prototype.
        smoothing: `ε`; large values make assignments alike.
        iterations: times that columns and rows are scaled.

    Raises:
        ValueError: `smoothing` is not positive, or there is no iteration.

    Example:
        >>> assignments = sinkhorn(torch.tensor([[1.0, 0.9], [1.0, 0.0]]), iterations=20)
        >>> assignments.round().tolist()
        [[0.0, 1.0], [1.0, 0.0]]

    References:
        Caron et al., "Unsupervised learning of visual features by contrasting cluster assignments", NeurIPS
        2020, equations 3 to 5. https://arxiv.org/abs/2006.09882
    """
    if smoothing <= 0 or iterations < 1:
        raise ValueError(
            "sinkhorn needs smoothing > 0 and at least 1 iteration; "
            f"got smoothing {smoothing} and {iterations} iterations. Try 0.05 and 3."
        )
    logs = scores / smoothing
    for _ in range(iterations):
        logs = logs - logs.logsumexp(0, keepdim=True)  # the factor n/k would leave with the next line
        logs = logs - logs.logsumexp(1, keepdim=True)
    return logs.exp()
