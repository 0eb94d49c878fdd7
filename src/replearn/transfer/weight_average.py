"""The moving average of the weights of a training, which answers in place of the last ones."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from replearn.methods.state.teacher import follow, mean_at_first, still_copy


class WeightAverage(nn.Module):
    """Copies of modules that follow them; checkpoints have them, so a resumed run does too.

        w <- m w + (1 - m) learned,   m = min(momentum, t / (t + 1))

    So it is the mean of all steps until there are `1 / (1 - momentum)` of them: where a short training began has no
    weight. Running statistics of batch normalisation follow, too.

    Args:
        modules: what learns, by name.
        momentum: how much of the average stays at each step, in (0, 1].

    References: Tarvainen & Valpola, NeurIPS 2017, equation 2. https://arxiv.org/abs/1703.01780
    """

    steps: Tensor

    def __init__(self, modules: Mapping[str, nn.Module], *, momentum: float) -> None:
        super().__init__()
        self.momentum = momentum
        self._followed = dict(modules)
        self.copies = nn.ModuleDict({name: still_copy(module) for name, module in modules.items()})
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def follow(self) -> None:
        """A step was made."""
        momentum = mean_at_first(self.momentum, seen=int(self.steps))
        for name, module in self._followed.items():
            follow(self.copies[name], module, momentum=momentum, buffers=True)
        self.steps += 1

    @contextmanager
    def answering(self) -> Iterator[None]:
        """While entered, the modules have the average's weights."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def put(self) -> None:
        """Give the modules the average's weights."""
        for name, module in self._followed.items():
            for theirs, own in zip(_tensors(module), _tensors(self.copies[name]), strict=True):
                theirs.copy_(own)

    @torch.no_grad()
    def _swap(self) -> None:
        for name, module in self._followed.items():
            for theirs, own in zip(_tensors(module), _tensors(self.copies[name]), strict=True):
                kept = theirs.clone()
                theirs.copy_(own)
                own.copy_(kept)


def _tensors(module: nn.Module) -> list[Tensor]:
    return [*module.parameters(), *module.buffers()]
