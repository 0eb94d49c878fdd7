"""A bound on what may be made while a network is built by sizes that a stranger wrote: memory goes no further."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from replearn.data.reasons import reason_of

SPARE = 2**26  # numbers beside the weights: tables of positions, masks, a first look at a sample


# What sizes raise that are negative, zero, no numbers or beyond all memory.
NONE = (RuntimeError, TypeError, LookupError, ArithmeticError, AttributeError, AssertionError)


class _Counted(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the numbers that are made from nothing, before they are."""

    def __init__(self, most: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.most, self.left = most, most

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if not any(isinstance(arg, Tensor) for arg in args):
            self.left -= _asked(args)
            if self.left < 0:
                raise ValueError(
                    f"sizes must fit the weights; they ask for more than {self.most:,} numbers, which is far more "
                    "than the file of weights has. One of both is damaged."
                )
        return func(*args, **(kwargs or {}))


@contextmanager
def building_within(weights: int, where: Path) -> Iterator[None]:
    """While entered, networks may be built whose weights are about so many numbers.

    Args:
        weights: numbers in the file of weights.
        where: the sizes are written.

    Raises:
        ValueError: much more was asked for, or sizes are none.
    """
    try:
        with _Counted(2 * weights + SPARE):
            yield
    except NONE as error:
        reason = reason_of(error)
        raise ValueError(
            f"{where} must describe a network that can be built; it does not ({type(error).__name__}: {reason}). The "
            "file is damaged: copy it again."
        ) from error


def _asked(args: Any) -> int:
    """How many numbers a call like `torch.empty` or `torch.arange` with these arguments makes, at most."""
    if args and isinstance(args[0], list | tuple | torch.Size):
        return max(0, prod(args[0])) if all(isinstance(size, int) for size in args[0]) else 0
    return int(max((abs(arg) for arg in args if isinstance(arg, int | float)), default=0))
