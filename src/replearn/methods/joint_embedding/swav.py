"""SwAV: predict from one view of a sample to which prototypes another view is assigned.

    batch --views--> large and small crops --encoder--> h --head--> z --prototypes--> scores
    scores of large crops (and of a queue) --sinkhorn--> assignments
    scores of all other crops, assignments --swapped_prediction--> loss

The assignments share the samples of a batch equally among the prototypes, so there is no collapse. A queue of
earlier embeddings joins them where a batch is small beside the number of prototypes.

References: Caron et al., NeurIPS 2020, Algorithm 1 and section 3. https://arxiv.org/abs/2006.09882
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Description
from replearn.data.processes import gather
from replearn.encoders import make_encoder, mlp
from replearn.methods.base import JointEmbedding
from replearn.methods.state.prototypes import Prototypes
from replearn.methods.state.queue import Queue
from replearn.objectives import swapped_prediction
from replearn.objectives.prototypes import sinkhorn


@dataclass(kw_only=True, eq=False, repr=False)
class SwAV(JointEmbedding):
    """Swapping assignments between views.

    Attributes:
        hidden: width of the head's hidden layer.
        dim: numbers in an embedding z.
        prototypes: their number; some times the number of classes that one hopes for.
        temperature: of the softmax that predicts.
        smoothing: of the assignments; large values make them alike. The paper takes 0.05, for longer trainings.
        iterations: of Sinkhorn's algorithm.
        queue: earlier embeddings that join the assignments, once there are so many; 0 for none.
        frozen: share of training before prototypes move.
    """

    family: ClassVar[str] = "joint_embedding"
    year: ClassVar[int] = 2020
    paper: ClassVar[str] = "https://arxiv.org/abs/2006.09882"
    split: ClassVar[str] = "crops"
    why_collapse: ClassVar[str] = "Are there several prototypes, is smoothing below the temperature?"

    hidden: int = 512
    dim: int = 128
    prototypes: int = 256
    temperature: float = 0.1
    smoothing: float = 0.02
    iterations: int = 3
    queue: int = 1024
    frozen: float = 0.05
    learning_rate: float = 3e-3

    def build(self, samples: Description) -> None:
        self.encoder_ = make_encoder(self.encoder, samples)
        self.head_ = mlp(self.encoder_.dim, self.hidden, self.dim)
        self.prototypes_ = Prototypes(self.dim, self.prototypes)
        self.prototypes_.freeze(self.frozen > 0)
        if self.queue:
            self.queue_ = Queue(self.queue, self.dim)

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        views = self.views_(batch)
        large = len(self.views_.wholes(views))
        z = [gather(self.head_(self.encoder_(view))) for view in views]  # (n, dim) each
        scores = torch.stack([self.prototypes_(rows) for rows in z], 1)  # (n, v, k)
        assignments = torch.stack([self.share(own) for own in scores[:, :large].unbind(1)], 1)  # (n, g, k)
        if self.queue:
            self.queue_.push(torch.cat(z[:large]))
        return swapped_prediction(scores, assignments, temperature=self.temperature)

    def share(self, scores: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        """The assignments of one view, in the company of the queue."""
        rows = scores.detach()
        if self.queue and self.queue_.is_full():
            rows = torch.cat([rows, self.prototypes_(self.queue_.rows()).detach()])  # (n + queue, k)
        return sinkhorn(rows, smoothing=self.smoothing, iterations=self.iterations)[: len(scores)]

    def after_step(self, progress: float) -> None:
        self.prototypes_.freeze(progress < self.frozen)

    def assign(self, h: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        return (self.prototypes_(self.head_(h)) / self.temperature).softmax(1)  # type: ignore[no-any-return]

    def loss_at_collapse(self) -> float:
        return math.log(self.prototypes)
