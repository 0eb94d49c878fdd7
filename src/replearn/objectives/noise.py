"""Noise contrast: a sample's own row in a bank is told from rows drawn at random, one decision per row."""

import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from replearn.objectives.precision import full_precision


@full_precision
def nce(
    z: Float[Tensor, "n d"],
    positive: Float[Tensor, "n d"],
    noise: Float[Tensor, "m d"],
    *,
    temperature: float = 0.07,
    log_constant: float | Float[Tensor, ""] | None = None,
    proximal: float = 0.0,
    own: Bool[Tensor, "n m"] | None = None,
) -> Float[Tensor, ""]:
    r"""Noise-contrastive estimation of which of all stored samples a row is, by `m` of them drawn evenly.

    With rows `z_i`, `p_i` (its own) and `u_j` (noise) divided by their lengths, temperature `τ`, and `C` the mean
    of `exp(z·u / τ)` over all stored samples, which is `Z / n` in the paper:

        h_i(u) = exp(z_i·u / τ) / (exp(z_i·u / τ) + m C)         (that `u` is the sample's own, not noise)
        loss = 1/n Σ_i ( -log h_i(p_i) + λ |z_i - p_i|² - Σ_j log(1 - h_i(u_j)) )

    Two papers, one form: InstDisc takes `C` once for all, from the first batch (`log_constant`); PIRL's `h` has the sum
    over the noise rows themselves in the place of `m C` (`log_constant=None`).
    When all rows are equal (collapse) and `C` is true, or None, it is `ln(1 + m) + m ln(1 + 1/m)`. PIRL's published
    code takes a constant too, unlike its equation.

    Args:
        z: embeddings that are learned.
        positive: row `i` is what the bank holds of sample `i`.
        noise: rows of the bank drawn evenly, for all `z` alike.
        temperature: `τ`.
        log_constant: `ln C`; None: for each row its mean over the noise rows.
        proximal: `λ`, which holds embeddings near to what the bank has of them (InstDisc's 30).
        own: where a noise row is of the sample itself, or of a copy of it, to be left out; None leaves none out.

    Raises:
        ValueError: rows do not pair up, there is no noise, or `temperature` is not positive.

    Example:
        >>> import torch
        >>> z = torch.ones(4, 8)
        >>> round(nce(z, z, z[:1]).exp().item(), 4)  # ln 2 + ln 2
        4.0

    References:
        Wu et al., "Unsupervised feature learning via non-parametric instance discrimination", CVPR 2018,
        equations 4-7 and 9-10. https://arxiv.org/abs/1805.01978
        Misra and van der Maaten, "Self-supervised learning of pretext-invariant representations", CVPR 2020,
        equations 3-4. https://arxiv.org/abs/1912.01991
    """
    m = len(noise)
    if z.shape != positive.shape or 0 in (len(z), m) or temperature <= 0:
        raise ValueError(
            "nce needs a stored row for each row, at least 1 noise row and temperature > 0; got "
            f"{tuple(z.shape)}, {tuple(positive.shape)} and {m}, temperature {temperature}."
        )
    z, positive, noise = (F.normalize(rows, dim=1) for rows in (z, positive, noise))
    near = (z * positive).sum(1) / temperature  # (n,)
    far = z @ noise.T / temperature  # (n, m)
    if own is not None:
        far = far.masked_fill(own, -1e9)
    # log h = logsigmoid(similarity - level), with level = ln(m C)
    level = (
        far.logsumexp(1) if log_constant is None else log_constant + near.new_full((len(z),), m).log()
    )  # (n,)
    told = -F.logsigmoid(near - level) - F.logsigmoid(level[:, None] - far).sum(1)  # (n,)
    return (told + proximal * (z - positive).square().sum(1)).mean()
