"""Networks that read a sample as one row of numbers: tables, and images laid flat."""

from math import prod

from torch import nn

from replearn.encoders.stages import Stages

SMALL = 4096  # numbers


def is_small(shape: tuple[int, ...]) -> bool:
    """Whether an MLP reads such samples in a fraction of the time of convolutions: tables, and images of up to 4,096
    numbers.

    >>> is_small((10_000,)), is_small((1, 28, 28)), is_small((3, 96, 96))
    (True, True, False)
    """
    return len(shape) < 3 or prod(shape) <= SMALL


class Linear(Stages):
    """One linear map of the flattened sample: `h = W x + b`, with `in_dim · dim + dim` parameters.

    Args:
        in_dim: numbers in one sample.
        dim: numbers of the representation; None: as many as come in, at most 256.
    """

    def __init__(self, in_dim: int, *, dim: int | None = None) -> None:
        super().__init__([nn.Sequential(nn.Flatten(), nn.Linear(in_dim, dim or min(in_dim, 256)))])


class MLP(Stages):
    """Two hidden layers with BatchNorm and ReLU, then a linear layer.

    The defaults give `dim` 256 and `512 · in_dim + 395,520` parameters: 796,928 for 28-pixel grey images.

    Args:
        in_dim: numbers in one sample.
        hidden: width of each hidden layer.
        dim: numbers of the representation.
    """

    def __init__(self, in_dim: int, *, hidden: int = 512, dim: int = 256) -> None:
        super().__init__(
            [
                nn.Sequential(
                    nn.Flatten(), nn.Linear(in_dim, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU()
                ),
                nn.Sequential(nn.Linear(hidden, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU()),
                nn.Linear(hidden, dim),
            ]
        )
