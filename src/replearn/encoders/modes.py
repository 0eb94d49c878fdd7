"""Training and evaluation mode of modules."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def evaluating(modules: Iterable[nn.Module]) -> Iterator[None]:
    """While entered, the modules are in evaluation mode; then every layer is in its own mode again."""
    modes = [(layer, layer.training) for module in modules for layer in module.modules()]
    for layer, _ in modes:
        layer.training = False
    try:
        yield
    finally:
        for layer, training in modes:
            layer.training = training
