"""Reptile: weights that lie near those of every task, found by moving towards them.

    a task:  weights --inner_steps of gradient descent, each on samples of its own--> weights of the task
             1/2 |weights - weights of the task|^2 --> loss, whose gradient is weights - weights of the task

The steps are not differentiated. They must be several, each on other samples: after one alone, the gradient would be
that of training on all tasks together.

References: Nichol, Achiam & Schulman, 2018, algorithm 2, section 5.2 (the loss). https://arxiv.org/abs/1803.02999
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Samples
from replearn.methods.labelled.inner_loop import InnerLoop


@dataclass(kw_only=True, eq=False, repr=False)
class Reptile(InnerLoop):
    """On first-order meta-learning algorithms."""

    year: ClassVar[int] = 2018
    paper: ClassVar[str] = "https://arxiv.org/abs/1803.02999"
    refused: ClassVar[Mapping[str, str]] = {
        **InnerLoop.refused,
        "fsdp": "each task has weights of its own, of which gradients are taken within the loss",
    }

    shots: int = 10
    inner_steps: int = 5

    @property
    def each(self) -> int:
        return self.shots

    def check(self, samples: Samples) -> None:
        """Raises ValueError where a field can't work, or not with these samples."""
        super().check(samples)
        if self.inner_steps > self.shots:
            raise ValueError(
                f"inner_steps must be at most shots, {self.shots}, for Reptile, since each step takes samples of its "
                f"own; got {self.inner_steps}. Lower it, or raise shots."
            )

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        distances = []
        for task in self.tasks(self.views_(batch)[0]):
            reached = self.learn_task(task)
            moved = [(weight - reached[name]).square().sum() for name, weight in self.weights().items()]
            distances.append(torch.stack(moved).sum() / 2)
        return torch.stack(distances).mean()

    def learn_task(self, task: Batch) -> dict[str, Tensor]:
        """The weights after the steps on a task."""
        net = self.net
        weights = {name: weight.detach() for name, weight in self.weights().items()}
        bounds = [self.shots * step // self.inner_steps * self.way for step in range(self.inner_steps + 1)]
        for start, stop in pairwise(bounds):
            weights = {name: weight.detach().requires_grad_() for name, weight in weights.items()}
            loss = self.task_loss(self.call(net, weights, task.rows(start, stop), first=start == 0))
            weights = self.descend(loss, weights, create_graph=False)
        return {name: weight.detach() for name, weight in weights.items()}
