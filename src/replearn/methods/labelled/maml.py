"""MAML: weights from which a step or two of gradient descent learn a new task.

    a task of an episode:
        weights --inner_steps of gradient descent on the shots' cross_entropy--> weights of the task
        queries --encoder, head with the weights of the task--> logits --cross_entropy--> loss

The loss is that after the steps, and its gradient passes through them (second order). `first_order` takes the gradient
at the weights of the task instead. All tasks begin with the same head: classes come in another order each time.

References: Finn, Abbeel & Levine, ICML 2017, equation 1, algorithm 2, section 5.2 (first order).
https://arxiv.org/abs/1703.03400
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Samples
from replearn.methods.labelled.inner_loop import InnerLoop

ONCE = ("differentiate twice", "is not implemented")  # as torch says what has no second derivative


@dataclass(kw_only=True, eq=False, repr=False)
class MAML(InnerLoop):
    """Model-agnostic meta-learning for fast adaptation of deep networks.

    Attributes:
        queries: samples of each class that the adapted weights are judged by, beside the shots.
        first_order: leave out the gradient of the gradient.
    """

    year: ClassVar[int] = 2017
    paper: ClassVar[str] = "https://arxiv.org/abs/1703.03400"
    refused: ClassVar[Mapping[str, str]] = {
        **InnerLoop.refused,
        "fsdp": "each task has weights of its own, of which gradients are taken within the loss",
    }

    queries: int = 5
    first_order: bool = False

    @property
    def each(self) -> int:
        return self.shots + self.queries

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        return torch.stack([self.learn_task(task) for task in self.tasks(self.views_(batch)[0])]).mean()

    def learn_task(self, task: Batch) -> Float[Tensor, ""]:
        """The loss of a task's queries after the steps on its shots."""
        net, weights = self.net, self.weights()
        shots, queries = self.parts(task)
        for step in range(self.inner_steps):
            loss = self.task_loss(self.call(net, weights, shots, first=step == 0))
            weights = self.descend(loss, weights, create_graph=not self.first_order)
        return self.task_loss(self.call(net, weights, queries))

    def parts(self, task: Batch) -> tuple[Batch, Batch]:
        """Shots and queries."""
        cut = self.shots * self.way
        return task.rows(0, cut), task.rows(cut, len(task))

    def learn(self, samples: Samples, *, run: Path | None, resume: bool, loggers: Iterable[Any]) -> None:
        try:
            super().learn(samples, run=run, resume=resume, loggers=loggers)
        except RuntimeError as error:
            if self.first_order or not any(told in str(error) for told in ONCE):
                raise
            raise ValueError(
                f"first_order must be True for this encoder, a part of which has no second derivative "
                f"({str(error).splitlines()[0]:.80}). Set it, or take another encoder."
            ) from error

    def loss_at_collapse(self) -> float:
        return math.log(self.way)
