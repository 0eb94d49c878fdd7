"""Supervised: the baseline that has the labels, and what a representation without them is measured against.

    batch --view--> x --encoder--> h --linear--> logits --cross_entropy(label)--> loss

The layer of logits is thrown away after training; the representation is h.

References: Bengio, Courville & Vincent, TPAMI 2013, section 1. https://arxiv.org/abs/1206.5538
"""

import math
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples
from replearn.data.labels import UNLABELLED
from replearn.data.processes import collect, gather
from replearn.encoders import make_encoder
from replearn.engine.orders import Order
from replearn.methods.labelled.classifier import Classifier, labelled_order
from replearn.objectives import cross_entropy
from replearn.views import Split


@dataclass(kw_only=True, eq=False, repr=False)
class Supervised(Classifier):
    """Classification of labelled samples; those without a label (-1) are left out of every batch.

    An epoch is as many batches as all samples would fill, so with few labels the labelled ones are seen several times
    in each.

    Attributes:
        views: of which the first is taken, or the name of a preset; None takes the default for this kind of samples.
        smoothing: share of a label spread over all classes, in [0, 1).
    """

    year: ClassVar[int] = 1986
    paper: ClassVar[str] = "https://doi.org/10.1038/323533a0"

    views: Split | str | None = None
    smoothing: float = 0.0

    def build(self, samples: Description) -> None:
        self.encoder_ = make_encoder(self.encoder, samples)
        self.logits_ = nn.Linear(self.encoder_.dim, len(samples.classes))

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        view = self.views_(batch)[0]
        logits = self.logits_(self.encoder_(view))  # (n, c)
        return cross_entropy(gather(logits), collect(batch.labels), smoothing=self.smoothing)

    def loss_count(self, batch: Batch) -> float:
        """The labelled samples."""
        return int((batch.labels != UNLABELLED).sum())

    def order(self, samples: Samples) -> Order:
        return labelled_order(self, samples, ratio=None)

    def loss_at_collapse(self) -> float:
        return math.log(len(self.samples_.classes))
