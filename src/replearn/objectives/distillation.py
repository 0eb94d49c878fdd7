"""Distillation: which samples are alike to a student, and which to its teacher."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from replearn.objectives.precision import full_precision


@full_precision
def similarity_divergence(
    h: Float[Tensor, "n d"], teacher: Float[Tensor, "n e"], *, temperature: float = 0.1
) -> Float[Tensor, ""]:
    r"""CompRess' loss within a batch: from each sample, the others are as near to the student as to its teacher.

    With `s_ij` the cosine of the student's rows `i` and `j`, `t_ij` that of the teacher's, and temperature `τ`:

        p_ij = exp(t_ij / τ) / Σ_{k≠i} exp(t_ik / τ)        q_ij likewise of s
        loss = 1/n Σ_i Σ_{j≠i} p_ij (ln p_ij - ln q_ij)

    Widths may differ, and no map between them is learned. The paper compares with a memory of many samples; here it is
    those of the batch. When all rows of the student are equal (collapse) it is `ln(n - 1)` less the entropy of `p`.

    Args:
        h: the student's rows.
        teacher: the teacher's rows of the same samples; whether they get a gradient is the caller's choice.
        temperature: `τ`; small values look at the nearest samples alone.

    Raises:
        ValueError: there are fewer than three samples, the rows don't pair up, or `temperature` is not positive.

    Example:
        >>> rows = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
        >>> similarity_divergence(rows, 2 * rows).item()
        0.0

    References:
        Abbasi Koohpayegani, Tejankar & Pirsiavash, "CompRess: self-supervised learning by compressing
        representations", NeurIPS 2020, equations 1 and 2. https://arxiv.org/abs/2010.14713
    """
    if len(h) != len(teacher) or len(h) < 3 or temperature <= 0:
        raise ValueError(
            "similarity_divergence needs rows of student and teacher for at least 3 samples (of the two others, one "
            f"may be the nearer) and temperature > 0; got {tuple(h.shape)} and {tuple(teacher.shape)}, temperature "
            f"{temperature}."
        )
    told, true = (_others(rows) / temperature for rows in (h, teacher))  # (n, n - 1) each
    return F.kl_div(told.log_softmax(1), true.log_softmax(1), reduction="batchmean", log_target=True)


def _others(rows: Float[Tensor, "n d"]) -> Float[Tensor, "n m"]:
    """Cosines of each row with all others, `m = n - 1`."""
    n = len(rows)
    unit = F.normalize(rows, dim=1)
    kept = ~torch.eye(n, dtype=torch.bool, device=rows.device)
    return (unit @ unit.T)[kept].view(n, n - 1)
