"""Masked prediction: how far predicted patches are from the true ones, and patches of mean 0 and deviation 1.

A patch is a row of numbers, each in its place (pixels), or a set of points in no order, which are `sets` numbers each.
"""

from jaxtyping import Float
from torch import Tensor

FLAT = 1e-6  # added to a patch's variance
NEAR = 1e-12  # added to squared distances of which roots are taken


def patch_errors(
    told: Float[Tensor, "n m v"], patches: Float[Tensor, "n m v"], *, sets: int = 0, power: int = 2
) -> Float[Tensor, "n m"]:
    """The mean of |told - true|^power over the numbers of each patch; of sets of points their `chamfer` distance.

    >>> import torch
    >>> patch_errors(torch.tensor([[[0.0, 3.0]]]), torch.tensor([[[1.0, 0.0]]])).tolist()
    [[5.0]]
    """
    if sets:
        points = (rows.view(*rows.shape[:2], -1, sets) for rows in (told, patches))  # (n, m, k, sets)
        return chamfer(*points, power=power)
    return (told - patches).abs().pow(power).mean(2)


def chamfer(a: Float[Tensor, "*n k d"], b: Float[Tensor, "*n l d"], *, power: int = 2) -> Float[Tensor, "*n"]:
    """How far the points of each of two sets are from the nearest one of the other.

        mean over x in a of min over y in b of |x - y|^power  +  mean over y in b of min over x in a of |x - y|^power

    Reference: Fan, Su & Guibas, CVPR 2017, section 4.1. https://arxiv.org/abs/1612.00603
        Pang et al., ECCV 2022, section 3.3 (of patches, power 2). https://arxiv.org/abs/2203.06604

    >>> import torch
    >>> chamfer(torch.tensor([[0.0], [4.0]]), torch.tensor([[1.0]])).item()
    6.0
    """
    apart = (a[..., :, None, :] - b[..., None, :, :]).square().sum(-1)  # (*n, k, l)
    if power != 2:
        apart = (apart + NEAR).pow(power / 2)
    return apart.amin(-1).mean(-1) + apart.amin(-2).mean(-1)


def normalised(patches: Float[Tensor, "n p v"], *, sets: int = 0) -> Float[Tensor, "n p v"]:
    """Each patch with mean 0 and deviation 1: (x - m) / (s² + 1e-6)^1/2, with s² over v - 1 of its v numbers.

    A flat patch becomes zeros. A set of points has a mean for each of its coordinates, and one deviation around it.

    References: He et al., CVPR 2022, section 3. https://arxiv.org/abs/2111.06377

    >>> import torch
    >>> normalised(torch.tensor([[[1.0, 2.0, 3.0]]])).round(decimals=3).tolist()
    [[[-1.0, 0.0, 1.0]]]
    >>> normalised(torch.tensor([[[0.0, 7.0, 2.0, 7.0]]]).double(), sets=2).round(decimals=2).tolist()
    [[[-1.22, 0.0, 1.22, 0.0]]]
    """
    mean, deviation = _statistics(patches, sets)
    return (patches - mean) / deviation


def denormalised(
    told: Float[Tensor, "n p v"], patches: Float[Tensor, "n p v"], *, sets: int = 0
) -> Float[Tensor, "n p v"]:
    """What was told of patches, with the mean and deviation that the true ones have.

    >>> import torch
    >>> patches = torch.tensor([[[1.0, 2.0, 4.0]]])
    >>> denormalised(normalised(patches), patches).round(decimals=3).tolist()
    [[[1.0, 2.0, 4.0]]]
    """
    mean, deviation = _statistics(patches, sets)
    return told * deviation + mean


def _statistics(patches: Tensor, sets: int) -> tuple[Tensor, Tensor]:
    mean = patches.mean(-1, keepdim=True)
    if sets:
        points = patches.reshape(*patches.shape[:-1], -1, sets)  # (n, p, k, sets)
        mean = points.mean(-2, keepdim=True).expand_as(points).flatten(-2)  # (n, p, v)
    count = max(1, patches.shape[-1] - 1)
    variance = (patches - mean).square().sum(-1, keepdim=True) / count
    return mean, (variance + FLAT).sqrt()
