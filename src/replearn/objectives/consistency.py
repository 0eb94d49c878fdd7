"""Consistency objectives: two predictions of one sample agree, and each is sure. No label is needed."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from replearn.objectives.precision import full_precision


@full_precision
def kl_divergence(logits: Float[Tensor, "n c"], targets: Float[Tensor, "n c"]) -> Float[Tensor, ""]:
    r"""Divergence of predictions from target predictions in nats, mean over rows.

    With `p_i = softmax(targets_i)` and `q_i = softmax(logits_i)`:

        loss = 1/n Σ_i Σ_k p_ik (ln p_ik - ln q_ik)

    It is 0 where all pairs agree, so at collapse (all rows equal) too. Targets are logits; whether they get a gradient
    is the caller's choice, by `targets.detach()`.

    Args:
        logits: one row per sample, one column per class.
        targets: logits of the predictions to agree with.

    Raises:
        ValueError: the shapes differ, or there is no row.

    Example:
        >>> import torch
        >>> sure, unsure = torch.tensor([[50.0, 0.0]]), torch.zeros(1, 2)
        >>> round(kl_divergence(unsure, sure).exp().item(), 4)
        2.0

    References:
        Miyato et al., "Virtual adversarial training", TPAMI 2018, equation 5. https://arxiv.org/abs/1704.03976
    """
    _check("kl_divergence", logits, targets)
    return F.kl_div(logits.log_softmax(1), targets.log_softmax(1), reduction="batchmean", log_target=True)


@full_precision
def probability_error(logits: Float[Tensor, "n c"], targets: Float[Tensor, "n c"]) -> Float[Tensor, ""]:
    r"""Squared distance of predicted probabilities, summed over classes, mean over rows.

        loss = 1/n Σ_i |softmax(logits_i) - softmax(targets_i)|²

    Between 0 and 2; 0 where all pairs agree, so at collapse (all rows equal) too. Symmetric: whether targets get a
    gradient is the caller's choice, by `targets.detach()`.

    Args:
        logits: one row per sample, one column per class.
        targets: logits of the predictions to agree with.

    Raises:
        ValueError: the shapes differ, or there is no row.

    Example:
        >>> import torch
        >>> one, other = torch.tensor([[50.0, 0.0]]), torch.tensor([[0.0, 50.0]])
        >>> round(probability_error(one, other).item(), 4)
        2.0

    References:
        Tarvainen and Valpola, "Mean teachers are better role models", NeurIPS 2017, section 2.
        https://arxiv.org/abs/1703.01780
    """
    _check("probability_error", logits, targets)
    return (logits.softmax(1) - targets.softmax(1)).square().sum(1).mean()


@full_precision
def entropy(logits: Float[Tensor, "n c"]) -> Float[Tensor, ""]:
    r"""Entropy of predictions in nats, mean over rows: how unsure they are.

    With `p_i = softmax(logits_i)`:

        loss = -1/n Σ_i Σ_k p_ik ln p_ik

    When all logits are equal it is `ln c`; it is 0 where each row is sure of a class, so at collapse to one class, too.

    Args:
        logits: one row per sample, one column per class.

    Raises:
        ValueError: there is no row.

    Example:
        >>> import torch
        >>> round(entropy(torch.zeros(3, 10)).exp().item(), 4)
        10.0

    References:
        Grandvalet and Bengio, "Semi-supervised learning by entropy minimization", NeurIPS 2004, equation 4.
        https://papers.nips.cc/paper/2740-semi-supervised-learning-by-entropy-minimization
    """
    _check("entropy", logits, logits)
    known = logits.log_softmax(1)
    return -(known.exp() * known).sum(1).mean()


def _check(name: str, logits: Tensor, targets: Tensor) -> None:
    if logits.shape != targets.shape or not len(logits):
        raise ValueError(
            f"{name} needs at least one row of logits, and targets of one shape with it; got "
            f"{tuple(logits.shape)} and {tuple(targets.shape)}."
        )
