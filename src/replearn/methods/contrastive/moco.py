"""MoCo: a query, of one view, finds its key, of the other view, among keys of earlier batches.

    batch --views--> a --encoder--> h --head---------> query --+
                     b --teacher's encoder and head--> key ----+--info_nce_queue--> loss
                                             earlier keys -----+

Keys of exact copies of a sample are no negatives of it; its own earlier keys are, as in the paper. The teacher that
makes the keys follows the encoder and head slowly, so that keys of different steps agree. The head is version 2's.
Shuffled batch normalisation, which kept a query from telling its key by the batch that both were normalised in, has
given way to statistics joined over processes (as in version 3); the engine joins them.

References: He et al., CVPR 2020, Algorithm 1. https://arxiv.org/abs/1911.05722
Version 2: Chen et al., 2020. https://arxiv.org/abs/2003.04297
"""

import logging
import math
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Description, Samples
from replearn.data.processes import collect, gather
from replearn.encoders import make_encoder, mlp
from replearn.methods.base import JointEmbedding
from replearn.methods.state.contents import Contents
from replearn.methods.state.queue import Queue
from replearn.methods.state.teacher import Teacher
from replearn.objectives import info_nce_queue
from replearn.objectives.contrast import draw_negatives

log = logging.getLogger("replearn")


@dataclass(kw_only=True, eq=False, repr=False)
class MoCo(JointEmbedding):
    """Momentum contrast for unsupervised visual representation learning.

    Attributes:
        hidden: width of the head's hidden layer.
        dim: numbers in an embedding z.
        queue: how many keys of earlier batches are kept as negatives; at most half the number of samples, since a
            sample's own earlier keys count as negatives too.
        momentum: of the teacher; nearer to 1 it follows more slowly.
        temperature: of the softmax over similarities; smaller looks harder at near samples.
        negatives: how many rows of the queue a query is told from, drawn at each step; None: from all.
    """

    family: ClassVar[str] = "contrastive"
    year: ClassVar[int] = 2020
    paper: ClassVar[str] = "https://arxiv.org/abs/1911.05722"

    hidden: int = 512
    dim: int = 128
    queue: int = 1024
    momentum: float = 0.99
    temperature: float = 0.2
    negatives: int | None = None
    learning_rate: float = 3e-3

    def check(self, samples: Samples) -> None:
        super().check(samples)
        half = len(samples) // 2
        if self.queue > half:
            log.info("queue is %d, half of the samples, rather than %d", half, self.queue)

    def build(self, samples: Description) -> None:
        self.encoder_ = make_encoder(self.encoder, samples)
        self.head_ = mlp(self.encoder_.dim, self.hidden, self.dim)
        self.teacher_ = Teacher(self.encoder_, self.head_)
        self.queue_ = Queue(min(self.queue, len(samples) // 2), self.dim)
        self.contents_ = Contents(len(self.queue_.stored))  # of which samples its keys are

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        a, b = self.views_(batch)
        queries = gather(self.head_(self.encoder_(a)))  # (n, dim)
        keys = gather(self.teacher_(b))  # (n, dim)
        queue = self.queue_.rows()  # (queue, dim)
        index, content = collect(batch.index), self.content(batch)
        candidates = ~self.contents_.copies(index=index, content=content)  # (n, queue)
        places = self.queue_.push(keys)
        self.contents_.note(places, index=index[-len(places) :], content=content[-len(places) :])
        keep = draw_negatives(candidates, self.negatives)
        return info_nce_queue(queries, keys, queue, temperature=self.temperature, keep=keep)

    def after_step(self, progress: float) -> None:
        self.teacher_.follow(self.encoder_, self.head_, momentum=self.momentum)

    def loss_at_collapse(self) -> float:
        return math.log(1 + (self.negatives or len(self.queue_.stored)))
