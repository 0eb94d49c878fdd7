"""SupCon: agree on all views of one class, disagree on views of other classes.

    batch --views--> a, b --encoder--> h --head--> z --supervised_contrast(label)--> loss

Unlabelled samples take part: each is a class of its own, as all are in SimCLR. The head is thrown away after
training; the representation is h.

References: Khosla et al., NeurIPS 2020, section 3. https://arxiv.org/abs/2004.11362
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Description
from replearn.data.processes import collect, gather
from replearn.encoders import make_encoder, mlp
from replearn.methods.base import JointEmbedding
from replearn.objectives import supervised_contrast
from replearn.objectives.contrast import draw_negatives
from replearn.objectives.supervised_contrast import other_class


@dataclass(kw_only=True, eq=False, repr=False)
class SupCon(JointEmbedding):
    """Supervised contrastive learning; labels of -1 are unknown: such a sample is told from all but its copies.

    Attributes:
        views: two or more views of a batch, or the name of a preset; None takes the default for this kind of samples.
        hidden: width of the head's hidden layer.
        dim: numbers in an embedding z.
        temperature: of the softmax over similarities; smaller looks harder at near samples.
        negatives: how many views of other classes a view is told from, drawn at each step; None: from all.
    """

    family: ClassVar[str] = "contrastive"
    year: ClassVar[int] = 2020
    paper: ClassVar[str] = "https://arxiv.org/abs/2004.11362"
    needs_labels: ClassVar[bool] = True

    hidden: int = 512
    dim: int = 128
    temperature: float = 0.3
    negatives: int | None = None
    learning_rate: float = 3e-3

    def build(self, samples: Description) -> None:
        self.encoder_ = make_encoder(self.encoder, samples)
        self.head_ = mlp(self.encoder_.dim, self.hidden, self.dim)

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        views = [self.head_(self.encoder_(view)) for view in self.views_(batch)]  # (n, dim) each
        z, labels = gather(torch.stack(views, dim=1)), collect(batch.labels)  # (n, v, dim)
        keep = draw_negatives(other_class(labels, z.shape[1], self.content(batch)), self.negatives)
        return supervised_contrast(z, labels, temperature=self.temperature, keep=keep)

    def loss_at_collapse(self) -> float | None:
        return math.log(2 * self.batch_size - 1) if self.negatives is None else None
