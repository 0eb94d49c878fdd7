"""ProtoNet: a class is the mean of its few samples, and a sample is of the nearest class.

    episode --view--> x --encoder--> h --shots of each class, their mean----> prototypes --+
                                       --queries of each class-------> -|h - prototype|^2 -+--cross_entropy--> loss

Nothing is learned but the encoder, so that new classes need no training: a mean of some samples is all. It learns from
more classes at once (`way`) than it will be asked about: a harder question than the one to come.

References: Snell, Swersky & Zemel, NeurIPS 2017, equations 1 and 2, algorithm 1. https://arxiv.org/abs/1703.05175
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Description
from replearn.data.processes import gather
from replearn.encoders import make_encoder
from replearn.methods.labelled.episodic import Episodic
from replearn.objectives import cross_entropy


@dataclass(kw_only=True, eq=False, repr=False)
class ProtoNet(Episodic):
    """Prototypical networks for few-shot learning.

    Attributes:
        queries: samples of each class that are to be told, beside the shots.
    """

    year: ClassVar[int] = 2017
    paper: ClassVar[str] = "https://arxiv.org/abs/1703.05175"

    way: int = 20
    queries: int = 2
    learning_rate: float = 4e-3

    @property
    def each(self) -> int:
        return self.shots + self.queries

    def build(self, samples: Description) -> None:
        self.encoder_ = make_encoder(self.encoder, samples)

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        h = gather(self.encoder_(self.views_(batch)[0]))
        logits = prototype_logits(
            h, way=self.way, shots=self.shots, queries=self.queries
        )  # (e * q * way, way)
        return cross_entropy(logits, self.places(logits))

    def loss_at_collapse(self) -> float:
        return math.log(self.way)


def prototype_logits(
    h: Float[Tensor, "n d"], *, way: int, shots: int, queries: int
) -> Float[Tensor, "m way"]:
    """Minus the squared distance of each query to the mean of each class's shots.

    Args:
        h: representations of episodes, each `(shots + queries, way)`.
        way, shots, queries: of an episode.

    >>> h = torch.tensor([[0.0], [4.0], [1.0], [3.0]])  # two classes, a shot and a query of each
    >>> prototype_logits(h, way=2, shots=1, queries=1).tolist()
    [[-1.0, -9.0], [-9.0, -1.0]]
    """
    episodes = h.to(torch.promote_types(h.dtype, torch.float32)).view(-1, shots + queries, way, h.shape[1])
    prototypes = episodes[:, :shots].mean(1)  # (e, way, d)
    asked = episodes[:, shots:].flatten(1, 2)  # (e, q * way, d)
    products = asked @ prototypes.mT  # (e, q * way, way)
    distances = asked.square().sum(2, keepdim=True) - 2 * products + prototypes.square().sum(2).unsqueeze(1)
    return -distances.flatten(0, 1)
