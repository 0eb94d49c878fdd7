"""Every number of a sample changed a little, in a direction that a caller chooses."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from replearn.data.samples import Batch
from replearn.views.base import normal


def directions(batch: Batch) -> Float[Tensor, "n ..."]:
    """A direction for each sample, drawn at random: a normal number for each of its numbers."""
    return normal(batch, *batch.x.shape[1:])


def nudged(
    batch: Batch, direction: Float[Tensor, "n ..."], *, length: float, std: Float[Tensor, " c"]
) -> Batch:
    """The samples, moved by `length √d` in directions of length 1, in units of each channel's or column's deviation.

    Args:
        batch: samples that are rows of `d` numbers, as floats.
        direction: of each, in their shape.
        length: how far; 1 changes each number by about its deviation.
        std: deviation of each channel or column.

    >>> import torch
    >>> labels = torch.tensor([-1])
    >>> nudged(Batch(torch.zeros(1, 1), labels, labels), torch.ones(1, 1), length=0.5, std=torch.tensor([3.0])).x.item()
    1.5
    """
    x = batch.x.to(std)
    scale = math.sqrt(x[0].numel()) * std.view(-1, *(1,) * (x.ndim - 2))
    return batch.with_x(x + length * scale * direction.to(x))


def unit(rows: Float[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
    """Rows of length 1, without a gradient; one of zeros stays so."""
    flat = rows.detach().flatten(1)
    length = flat.norm(dim=1, keepdim=True).clamp_min(torch.finfo(rows.dtype).tiny)
    ones: Tensor = (flat / length).view_as(rows)
    return ones
