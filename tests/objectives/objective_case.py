"""`Case`: one objective with one choice of knobs, and what the contract tests need to know of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from replearn import objectives


@dataclass(frozen=True)
class Case:
    """One objective with one choice of knobs.

    Attributes:
        name: in `replearn.objectives`.
        make: from a number of rows and a generator to the arguments, float64 where not integers.
        slow: the paper's equation, from nested lists of numbers.
        collapsed: arguments of a collapsed batch, and the loss in closed form.
        learned: positions of the arguments that networks produce, so that gradients reach them.
        symmetric: whether the first two arguments may change places.
        knobs: passed on by name.
    """

    name: str
    make: Callable[[int, torch.Generator], tuple[Tensor, ...]]
    slow: Callable[..., float]
    collapsed: tuple[tuple[Tensor, ...], float]
    learned: tuple[int, ...]
    symmetric: bool
    knobs: dict[str, Any]

    def __str__(self) -> str:
        return "-".join([self.name, *(f"{key}={value}" for key, value in self.knobs.items())])

    def __call__(self, *args: Tensor) -> Tensor:
        """The objective with the knobs of this case."""
        loss: Tensor = getattr(objectives, self.name)(*args, **self.knobs)
        return loss


def normal(*shape: int, random: torch.Generator) -> Tensor:
    return torch.randn(*shape, generator=random, dtype=torch.float64)
