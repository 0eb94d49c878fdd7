"""MoCo v3: each view, through a predictor, finds the teacher's key of the other view among those of the batch.

    batch --views--> a --encoder--> h --head--> z --predictor--> query --+
                     b --teacher's encoder and head-----------> key -----+--info_nce--> loss

and the same with a and b exchanged. There is no queue: large batches offer enough negatives. The teacher follows
ever more slowly, until it stands still at the end.

References: Chen, Xie & He, ICCV 2021, Algorithm 1. https://arxiv.org/abs/2104.02057
"""

import math
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float, Int
from torch import Tensor

from replearn.data import Batch, Description
from replearn.data.processes import gather
from replearn.encoders import make_encoder, mlp
from replearn.methods.base import JointEmbedding
from replearn.methods.state.teacher import Teacher, rising_momentum
from replearn.objectives import info_nce
from replearn.objectives.contrast import draw_negatives, negative_mask


@dataclass(kw_only=True, eq=False, repr=False)
class MoCoV3(JointEmbedding):
    """Momentum contrast without a queue, symmetric in the views.

    Attributes:
        hidden: width of the hidden layers of head and predictor.
        dim: numbers in an embedding z.
        momentum: of the teacher at the start; it rises to 1.
        temperature: of the softmax over similarities; smaller looks harder at near samples.
        negatives: how many of the other samples' keys a query is told from, drawn at each step; None: from all.
    """

    family: ClassVar[str] = "contrastive"
    year: ClassVar[int] = 2021
    paper: ClassVar[str] = "https://arxiv.org/abs/2104.02057"

    hidden: int = 512
    dim: int = 128
    momentum: float = 0.99
    temperature: float = 0.2
    negatives: int | None = None
    learning_rate: float = 3e-3

    def build(self, samples: Description) -> None:
        self.encoder_ = make_encoder(self.encoder, samples)
        self.head_ = mlp(self.encoder_.dim, self.hidden, self.dim, last_norm=True)
        self.predictor_ = mlp(self.dim, self.hidden, self.dim, last_norm=True)
        self.teacher_ = Teacher(self.encoder_, self.head_)

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        a, b = self.views_(batch)
        query_a, query_b = (gather(self.predictor_(self.head_(self.encoder_(view)))) for view in (a, b))
        key_a, key_b = (gather(self.teacher_(view)) for view in (a, b))  # (n, dim) each
        content = self.content(batch)
        return self.contrast(query_a, key_b, content) + self.contrast(query_b, key_a, content)

    def contrast(
        self, queries: Float[Tensor, "n d"], keys: Float[Tensor, "n d"], content: Int[Tensor, " n"]
    ) -> Float[Tensor, ""]:
        """The loss of queries that look for their keys."""
        keep = draw_negatives(negative_mask(keys, content=content), self.negatives)
        return info_nce(queries, keys, temperature=self.temperature, keep=keep)

    def after_step(self, progress: float) -> None:
        momentum = rising_momentum(progress, start=self.momentum)
        self.teacher_.follow(self.encoder_, self.head_, momentum=momentum)

    def loss_at_collapse(self) -> float:
        return 2 * math.log(1 + (self.negatives or self.batch_size - 1))
