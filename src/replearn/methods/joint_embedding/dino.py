"""DINO: a student sees each crop of a sample and predicts what its teacher says of the large ones.

    large crops --teacher--> scores --centre--> targets
    each crop --encoder--> h --head--> scores of prototypes --soft_cross_entropy(targets of others)--> loss

The teacher is a moving average of the student, and h is its. Each crop's term goes backward before the next.

References: Caron et al., ICCV 2021, Algorithm 1 and section 3. https://arxiv.org/abs/2104.14294
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Description, Samples
from replearn.data.processes import gather
from replearn.encoders import make_encoder
from replearn.methods.base import JointEmbedding
from replearn.methods.state.centre import Centre
from replearn.methods.state.prototypes import PrototypeHead
from replearn.methods.state.teacher import Teacher, rising_momentum
from replearn.objectives import soft_cross_entropy


@dataclass(kw_only=True, eq=False, repr=False)
class DINO(JointEmbedding):
    """Self-distillation with no labels.

    Attributes:
        hidden, dim, prototypes: widths of the head's two hidden layers, of its bottleneck z, and of its last layer.
        temperature: of the student.
        first_temperature, teacher_temperature: of the teacher, at the start and after its warm-up.
        momentum: of the teacher, at the start; it rises to 1.
        centre_momentum: of the mean of the teacher's scores, which is subtracted from them.
        sharpening, frozen: shares of training that this warm-up takes, and before prototypes move.
    """

    family: ClassVar[str] = "joint_embedding"
    year: ClassVar[int] = 2021
    paper: ClassVar[str] = "https://arxiv.org/abs/2104.14294"
    split: ClassVar[str] = "crops"
    why_collapse: ClassVar[str | None] = (
        "Does the centre move, is the teacher's temperature below the student's?"
    )

    hidden: int = 512
    dim: int = 128
    prototypes: int = 1024
    temperature: float = 0.1
    first_temperature: float = 0.04
    teacher_temperature: float = 0.04
    sharpening: float = 0.3
    momentum: float = 0.95
    centre_momentum: float = 0.5
    frozen: float = 0.05
    batch_size: int = 64
    learning_rate: float = 4e-3

    def build(self, samples: Description) -> None:
        self.encoder_ = make_encoder(self.encoder, samples)
        self.head_ = PrototypeHead(self.encoder_.dim, self.hidden, self.dim, self.prototypes)
        self.head_.prototypes.freeze(self.frozen > 0)
        self.teacher_ = Teacher(self.encoder_, self.head_)
        self.centre_ = Centre(self.prototypes, first=self.first_temperature, last=self.teacher_temperature)

    def idle(self, samples: Samples) -> Mapping[str, str]:
        if self.first_temperature != self.teacher_temperature:
            return {}
        return {"sharpening": "first_temperature and teacher_temperature are equal, with no way to go"}

    def terms(self, batch: Batch) -> Sequence[Callable[[], Tensor]]:
        views = self.views_(batch)
        large = self.views_.wholes(views)
        targets = torch.stack([self.centre_(gather(self.teacher_(view))) for view in large])  # (g, n, k)
        targets /= len(large) * (len(views) - 1)  # the loss is a mean over pairs, and linear in targets
        own = [*targets, *[0.0] * (len(views) - len(large))]
        return [partial(self.term, view, targets.sum(0) - q) for view, q in zip(views, own, strict=True)]

    def term(self, view: Batch, targets: Float[Tensor, "n k"]) -> Float[Tensor, ""]:
        """The part of the loss in which the student sees one crop."""
        scores = gather(self.head_(self.encoder_(view)))  # (n, k)
        return soft_cross_entropy(scores, targets, temperature=self.temperature)

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        return torch.stack([term() for term in self.terms(batch)]).sum()

    def represent(self, batch: Batch) -> Float[Tensor, "n d"]:
        return self.teacher_.chain[0](batch)  # type: ignore[no-any-return]

    def after_step(self, progress: float) -> None:
        self.head_.prototypes.freeze(progress < self.frozen)
        self.centre_.follow(momentum=self.centre_momentum, warm=progress / max(self.sharpening, 1e-9))
        momentum = rising_momentum(progress, start=self.momentum)
        self.teacher_.follow(self.encoder_, self.head_, momentum=momentum)

    def embed(self, h: Float[Tensor, "n d"]) -> None:
        """None: the centre takes off what embeddings have in common, so lying near each other is no collapse."""

    def assign(self, h: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        return (self.head_(h) / self.temperature).softmax(1)  # type: ignore[no-any-return]

    def loss_at_collapse(self) -> float:
        return math.log(self.prototypes)
