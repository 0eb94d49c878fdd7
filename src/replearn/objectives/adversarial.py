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


def _check(name: str, real: Tensor, fake: Tensor) -> None:
    if real.shape != fake.shape or not len(real):
        raise ValueError(
            f"{name} needs as many scores of real samples as of made ones, at least one; "
            f"got {tuple(real.shape)} and {tuple(fake.shape)}."
        )
