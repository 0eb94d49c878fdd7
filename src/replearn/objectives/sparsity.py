"""Sparsity objectives: of a code's units few are active for a sample, and each for few samples."""

from math import log

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from replearn.objectives.precision import full_precision

SILENT = 1e-15  # root mean square below which a unit counts as always zero


@full_precision
def kl_sparsity(logits: Float[Tensor, "n d"], *, target: float = 0.05) -> Float[Tensor, ""]:
    r"""Divergence of each sigmoid unit's mean activation from a small target, summed over units, in nats.

    With the mean over samples `p_j = 1/n Σ_i sigmoid(logits_ij)` and the target `q`:

        loss = Σ_j ( q ln(q / p_j) + (1 - q) ln((1 - q) / (1 - p_j)) )

    It is 0 where every unit is active for a share `q` of the samples. When all logits are 0 (collapse) it is
    `d (ln 2 - H(q))`, with the entropy `H(q) = -q ln q - (1 - q) ln(1 - q)`. The mean is over the batch: gather
    rows across processes first.

    Args:
        logits: of the code's units, `(n, d)`; row `i` is one sample.
        target: share of samples for which a unit should be active, in (0, 1).

    Raises:
        ValueError: there is no row, or the target is no share.

    Example:
        >>> import torch
        >>> round(kl_sparsity(torch.zeros(4, 10), target=0.5).item(), 4)
        0.0

    References:
        Ng, "Sparse autoencoder", CS294A lecture notes, 2011, section 3 (the penalty; the idea is that of Lee
        et al., "Sparse deep belief net model for visual area V2", NeurIPS 2008, equation 3).
        https://web.stanford.edu/class/cs294a/sparseAutoencoder.pdf
    """
    if not len(logits) or not 0 < target < 1:
        raise ValueError(
            f"kl_sparsity needs at least one sample and a target between 0 and 1; got {len(logits)} and {target}."
        )
    # ln of means by logsumexp: a unit may be off for all samples by any margin.
    on = F.logsigmoid(logits).logsumexp(0) - log(len(logits))  # (d,), ln p
    off = F.logsigmoid(-logits).logsumexp(0) - log(len(logits))  # (d,), ln (1 - p)
    return (target * (log(target) - on) + (1 - target) * (log(1 - target) - off)).sum()


@full_precision
def l1_sparsity(code: Float[Tensor, "n d"]) -> Float[Tensor, ""]:
    r"""Mean size of each unit, in units of its own root mean square, summed over units.

        loss = Σ_j ( 1/n Σ_i |c_ij| ) / sqrt( 1/n Σ_i c_ij² )

    The division keeps the penalty from being met by small codes with large decoder weights: no scale of a unit
    changes it. A unit counts `sqrt(s)` when it is active, and alike, for a share `s` of the samples: 1 when all
    samples have the same code (collapse, `d` in all), `1 / sqrt(n)` when one has it, 0 when none has. The means
    are over the batch: gather rows across processes first.

    Args:
        code: `(n, d)`; row `i` is one sample.

    Raises:
        ValueError: there is no row.

    Example:
        >>> import torch
        >>> l1_sparsity(torch.tensor([[8.0, 1.0], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0]])).item()
        1.5

    References:
        Olshausen and Field, "Emergence of simple-cell receptive field properties by learning a sparse code",
        Nature 1996, equation 4 with S(x) = |x| and each unit's own scale. https://doi.org/10.1038/381607a0
    """
    if not len(code):
        raise ValueError("l1_sparsity needs at least one sample; got 0.")
    size = code.square().mean(0).clamp_min(SILENT**2).sqrt()  # (d,)
    return (code.abs().mean(0) / size).sum()
