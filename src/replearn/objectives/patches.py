"""Targets of masked prediction: patches of which each has its own mean and deviation taken out."""

from jaxtyping import Float
from torch import Tensor

FLAT = 1e-6  # added to a patch's variance


def normalised(patches: Float[Tensor, "n p v"]) -> Float[Tensor, "n p v"]:
    """Each patch with mean 0 and deviation 1: (x - m) / (s² + 1e-6)^1/2, with s² over v - 1 of its v numbers.

    A flat patch becomes zeros. References: He et al., CVPR 2022, section 3. https://arxiv.org/abs/2111.06377

    >>> import torch
    >>> normalised(torch.tensor([[[1.0, 2.0, 3.0]]])).round(decimals=3).tolist()
    [[[-1.0, 0.0, 1.0]]]
    """
    mean, deviation = _statistics(patches)
    return (patches - mean) / deviation


def denormalised(told: Float[Tensor, "n p v"], patches: Float[Tensor, "n p v"]) -> Float[Tensor, "n p v"]:
    """What was told of patches, with the mean and deviation that the true ones have.

    >>> import torch
    >>> patches = torch.tensor([[[1.0, 2.0, 4.0]]])
    >>> denormalised(normalised(patches), patches).round(decimals=3).tolist()
    [[[1.0, 2.0, 4.0]]]
    """
    mean, deviation = _statistics(patches)
    return told * deviation + mean


def _statistics(patches: Tensor) -> tuple[Tensor, Tensor]:
    unbiased = 1 if patches.shape[-1] > 1 else 0
    variance = patches.var(-1, keepdim=True, correction=unbiased)
    return patches.mean(-1, keepdim=True), (variance + FLAT).sqrt()
