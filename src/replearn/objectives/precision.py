"""The arithmetic of objectives: float32 at least, whatever the networks before them use."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import torch
from torch import Tensor

Arguments = ParamSpec("Arguments")


def full_precision(objective: Callable[Arguments, Tensor]) -> Callable[Arguments, Tensor]:
    """The same objective, computed in float32 (float64 stays) outside autocast.

    bfloat16 has three digits: the similarities of a contrast, divided by its temperature, would lose most of
    them.
    """

    @wraps(objective)
    def computed(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Tensor:
        wide = [widened(value) for value in args]
        named = {name: widened(value) for name, value in kwargs.items()}
        device = next((v.device.type for v in (*wide, *named.values()) if isinstance(v, Tensor)), "cpu")
        with torch.autocast(device, enabled=False):
            return objective(*wide, **named)  # type: ignore[arg-type]

    return computed


def widened(value: object) -> object:
    """Floating tensors in float32 at least; anything else as it is."""
    if isinstance(value, Tensor) and value.is_floating_point():
        return value.to(torch.promote_types(value.dtype, torch.float32))
    return value
