"""What methods share that learn each task by some steps of gradient descent: the inner loop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float
from sklearn.exceptions import NotFittedError
from torch import Tensor, nn
from torch.func import functional_call

from replearn.data import Batch, Description
from replearn.encoders import make_encoder
from replearn.engine.distributed import mean_over_processes, statistics_alone
from replearn.engine.machine import choose_for_inference
from replearn.methods.checks import samples_like_fit
from replearn.methods.labelled.episodic import Episodic
from replearn.objectives import cross_entropy

Weights = Mapping[str, Tensor]


@dataclass(kw_only=True, eq=False, repr=False)
class InnerLoop(Episodic):
    """A method that adapts weights to a task by gradient descent, and learns what to begin with.

    `encoder_` and `head_`, a layer of `way` logits, are what every task begins with. Batch normalisation sees the rows
    of one pass through a task; its running statistics, by which samples are represented afterwards, are those of the
    weights before they are adapted, the mean over the tasks of a step.

    Attributes:
        inner_steps: of gradient descent on a task.
        inner_rate: their learning rate.
    """

    whole: ClassVar[bool] = True
    refused: ClassVar[Mapping[str, str]] = {
        "slice_size": "the gradient of a task's steps needs all of its rows",
        "compile": "compiled networks have no gradient of a gradient, nor weights of each task",
    }

    inner_steps: int = 1
    inner_rate: float = 0.1

    def build(self, samples: Description) -> None:
        self.encoder_ = make_encoder(self.encoder, samples)
        self.head_ = nn.Linear(self.encoder_.dim, self.way)
        self._seen: list[dict[str, Tensor]] = []  # buffers after the first pass of each task

    @property
    def net(self) -> nn.Sequential:
        """Encoder and head as one."""
        return nn.Sequential(self.encoder_, self.head_)

    def weights(self) -> dict[str, Tensor]:
        """What every task begins with."""
        return {name: weight for name, weight in self.net.named_parameters() if weight.requires_grad}

    def call(self, net: nn.Module, weights: Weights, rows: Batch, *, first: bool = False) -> Tensor:
        """What a network with such weights makes of some rows of a task; `first`: the statistics are to be kept."""
        buffers = {name: buffer.clone() for name, buffer in net.named_buffers()}
        with statistics_alone():
            out: Tensor = functional_call(net, {**weights, **buffers}, (rows,))
        if first:
            self._seen.append(buffers)
        return out

    def task_loss(self, logits: Float[Tensor, "n way"]) -> Float[Tensor, ""]:
        """The cross-entropy of rows that have classes in turn."""
        return cross_entropy(logits, self.places(logits))

    def descend(self, loss: Tensor, weights: Weights, *, create_graph: bool) -> dict[str, Tensor]:
        """The weights after a step; where a graph is made, the step can be differentiated."""
        gradients = torch.autograd.grad(loss, list(weights.values()), create_graph=create_graph)
        return {
            name: weight - self.inner_rate * gradient
            for (name, weight), gradient in zip(weights.items(), gradients, strict=True)
        }

    def adapt(self, shots: Any, queries: Any, *, steps: int = 10) -> Float[np.ndarray, "m way"]:
        """Learn a new task by some steps on its shots; the probabilities of its classes for each query.

        Batch normalisation sees the shots, then the queries, as in training: an answer depends on the queries beside.
        What was fitted stays as it is.

        Args:
            shots: samples like those of `fit`, labelled by their order: the first of each of `way` classes, then the
                second of each, ...
            queries: samples to be told.
            steps: of gradient descent; more than `inner_steps` are of use (Finn et al. take 10 and 1).

        Raises:
            ValueError: the shots are not as many of each class.
        """
        if not self.modules():
            raise NotFittedError(
                f"{type(self).__name__} must be fitted before adapt. Call fit, or load a run."
            )
        given, asked = samples_like_fit(self, shots), samples_like_fit(self, queries)
        if not len(given) or len(given) % self.way:
            raise ValueError(
                f"shots must be as many of each of the {self.way} classes, class after class in turn; got "
                f"{len(given)}. Give a multiple, or fit with another way."
            )
        device = choose_for_inference(self.device, self.precision).device
        net, training = self.net.to(device), self.encoder_.training
        net.train()
        try:
            weights = {name: weight.detach() for name, weight in self.weights().items()}
            rows = given[np.arange(len(given))].to(device)
            for _ in range(steps):
                told = {name: w.requires_grad_() for name, w in weights.items() if self.adapts(name)}
                loss = self.task_loss(self.call(net, weights, rows))
                moved = self.descend(loss, told, create_graph=False)
                weights |= {name: weight.detach() for name, weight in moved.items()}
            with torch.no_grad():
                logits = self.call(net, weights, asked[np.arange(len(asked))].to(device))
        finally:
            net.train(training)
        found: np.ndarray = logits.softmax(1).cpu().numpy()
        return found

    def adapts(self, name: str) -> bool:
        """Whether a task's steps change the weights of this name, in `weights`."""
        return True

    def after_step(self, progress: float) -> None:
        seen, self._seen = self._seen, []
        take_statistics(self.statistics_of(), seen)

    def statistics_of(self) -> nn.Module:
        """The network whose buffers `call` keeps."""
        return self.net


def take_statistics(net: nn.Module, seen: Sequence[Weights]) -> None:
    """Put into the buffers of a network the mean of those that tasks left, over all processes."""
    if not seen:
        return
    for name, buffer in net.named_buffers():
        if buffer.is_floating_point():
            change = torch.stack([buffers[name] - buffer for buffers in seen]).mean(0)
            buffer.add_(mean_over_processes(change))  # nothing, exactly, where nothing has changed
        else:
            buffer.copy_(seen[0][name])
