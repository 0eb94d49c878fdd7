"""Made samples lie where samples do: numbers in [0, 1] where theirs are."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from replearn.encoders.rbm import Units


class Bounded(nn.Module):
    """Real numbers as standardised samples: through a sigmoid where samples lie in [0, 1], as they are elsewhere.

        x = (sigmoid(y) - mean) / std   where statistics say that samples lie in [0, 1],   x = y elsewhere

    Images are in [0, 1]; columns of tables are, if their variance allows it (see `Units`).

    Args:
        units: tell which numbers lie in [0, 1].
        mean, std: of each channel or column, `(c,)`, by which an encoder standardises.

    Example:
        >>> from replearn.data import as_samples
        >>> samples = as_samples(torch.tensor([[0.0, -8.0], [1.0, 8.0]]).numpy())
        >>> bounded = Bounded(Units(samples), mean=torch.tensor([0.5, 0.0]), std=torch.tensor([0.5, 8.0]))
        >>> bounded(torch.tensor([[99.0, 99.0], [-99.0, -99.0]])).tolist()
        [[1.0, 99.0], [-1.0, -99.0]]
    """

    within: Tensor
    mean: Tensor
    std: Tensor

    def __init__(self, units: Units, *, mean: Float[Tensor, " c"], std: Float[Tensor, " c"]) -> None:
        super().__init__()
        self.register_buffer("within", (units.low == 0) & (units.high == 1))
        self.register_buffer("mean", mean.clone())
        self.register_buffer("std", std.clone())

    def forward(self, y: Float[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
        shape = (1, -1, *(1,) * (y.ndim - 2))
        inside = (y.sigmoid() - self.mean.view(shape)) / self.std.view(shape)
        return torch.where(self.within.view(shape), inside, y)
