"""A network as a chain of stages, from which per-layer features and tokens follow."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from jaxtyping import Float
from torch import Tensor, nn

TINY = 5  # pixels


class NoStages(ValueError):
    """A network says nothing of its stages."""


def pooled(x: Tensor) -> Float[Tensor, "n c"]:
    """Mean over positions: maps `(n, c, h, w)`, of volumes too, and tokens `(n, t, c)` become `(n, c)`; rows stay."""
    if x.ndim >= 4:
        return x.mean(tuple(range(2, x.ndim)))  # (n, c)
    return x.mean(1) if x.ndim == 3 else x  # (n, c)


def precise_if_tiny(x: Tensor) -> AbstractContextManager[object]:
    """Full precision for images of a few pixels.

    Gradients of convolutions of so little maps in bfloat16 are not finite on some CPUs (torch 2.14).
    """
    tiny = x.ndim >= 4 and min(x.shape[2:]) < TINY
    return torch.autocast(x.device.type, enabled=False) if tiny else nullcontext()


class Stages(nn.Module):
    """Stages in a row; the output is the mean of the last stage's map over positions.

    Args:
        stages: networks, each of which reads what the one before it returns.
    """

    def __init__(self, stages: Sequence[nn.Module]) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)

    def forward(self, x: Tensor) -> Float[Tensor, "n dim"]:
        return pooled(self.map(x))  # (n, dim)

    def map(self, x: Tensor) -> Tensor:
        """What the last stage returns, before pooling."""
        with precise_if_tiny(x):
            for stage in self.stages:
                x = stage(x)
        return x

    def maps(self, x: Tensor) -> list[Tensor]:
        """What every stage returns, before pooling, from the first to the last."""
        found = []
        with precise_if_tiny(x):
            for stage in self.stages:
                x = stage(x)
                found.append(x)
        return found

    def layers(self, x: Tensor) -> list[Float[Tensor, "n _"]]:
        """What every stage returns, pooled over positions, from the first to the last."""
        found = []
        for stage in self.stages:
            x = stage(x)
            found.append(pooled(x))
        return found

    def tokens(self, x: Tensor) -> Float[Tensor, "n t dim"]:
        """The last map as one token per position, row by row; a network for tables has one token."""
        last = self.map(x)
        return last.flatten(2).mT if last.ndim >= 4 else last[:, None]  # (n, h·w, dim) or (n, 1, dim)
