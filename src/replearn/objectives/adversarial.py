"""Adversarial objectives: one player scores what is real and what is made, the others try to be scored alike."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from replearn.objectives.precision import full_precision


@full_precision
def hinge_discriminator(real: Float[Tensor, "n s"], fake: Float[Tensor, "n s"]) -> Float[Tensor, ""]:
    r"""The discriminator's loss: real samples should score above 1, made ones below -1.

        loss = 1/n Σ_i Σ_s ( max(0, 1 - real_is) + max(0, 1 + fake_is) )

    When all scores are 0 (collapse: nothing is told apart) it is `2 s`.

    Args:
        real: scores of real samples, `(n, s)`; row `i` is one sample, with one or several scores.
        fake: scores of made samples.

    Raises:
        ValueError: the shapes differ, or there is no row.

    Example:
        >>> import torch
        >>> hinge_discriminator(torch.ones(4, 1), torch.zeros(4, 1)).item()
        1.0

    References:
        Donahue and Simonyan, "Large scale adversarial representation learning" (BigBiGAN), NeurIPS 2019,
        section 2, the loss of D with h(t) = max(0, 1 - t). https://arxiv.org/abs/1907.02544
    """
    _check("hinge_discriminator", real, fake)
    return (F.relu(1 - real) + F.relu(1 + fake)).sum(1).mean()


@full_precision
def hinge_generator(real: Float[Tensor, "n s"], fake: Float[Tensor, "n s"]) -> Float[Tensor, ""]:
    r"""The loss of encoder and generator: what is made should score high, and what is real low.

        loss = 1/n Σ_i Σ_s ( real_is - fake_is )

    Where only the generator acts on a score, its part of `real` is a constant without a gradient. When all scores are
    alike (collapse: nothing is told apart) it is 0.

    Args:
        real: scores of real samples, with their codes; `(n, s)`, row `i` is one sample.
        fake: scores of samples made from codes.

    Raises:
        ValueError: the shapes differ, or there is no row.

    Example:
        >>> import torch
        >>> hinge_generator(torch.ones(4, 1), 3 * torch.ones(4, 1)).item()
        -2.0

    References:
        Donahue and Simonyan, "Large scale adversarial representation learning" (BigBiGAN), NeurIPS 2019,
        section 2, the loss of E and G. https://arxiv.org/abs/1907.02544
    """
    _check("hinge_generator", real, fake)
    return (real - fake).sum(1).mean()


@full_precision
def taken_for_real(logits: Float[Tensor, "n s"]) -> Float[Tensor, ""]:
    r"""The generator's loss beside `told_apart`: what is made should be taken for real.

    With `D` the sigmoid of a logit, the chance that the discriminator gives to a made sample of being real:

        loss = -1/n Σ_i Σ_s ln D_is

    It grows where the discriminator is sure, unlike `ln(1 - D)`, whose gradient vanishes there. When all logits are 0
    (collapse: nothing is told apart) it is `s ln 2`.

    Args:
        logits: of made samples, positive where they are taken for real; `(n, s)`, row `i` is one sample.

    Raises:
        ValueError: there is no row.

    Example:
        >>> import torch
        >>> round(taken_for_real(torch.zeros(3, 1)).exp().item(), 4)
        2.0

    References:
        Goodfellow et al., "Generative adversarial nets", NeurIPS 2014, section 3. https://arxiv.org/abs/1406.2661
    """
    if not len(logits):
        raise ValueError("taken_for_real needs at least one row of logits; got none.")
    return F.softplus(-logits).sum(1).mean()


def _check(name: str, real: Tensor, fake: Tensor) -> None:
    if real.shape != fake.shape or not len(real):
        raise ValueError(
            f"{name} needs as many scores of real samples as of made ones, at least one; "
            f"got {tuple(real.shape)} and {tuple(fake.shape)}."
        )
