"""Exemplar: each of some seed samples is a class of its own, whose members are its distortions.

    n samples --draw--> seeds;  batch of seeds --views--> distorted --encoder--> h --linear--> logits
    logits --cross_entropy(which seed)--> loss

Of images the seed is the square with the strongest gradients; place, size, angle, contrast and colours of its
distortions are drawn at once. With many seeds some are alike, and the softmax must tell apart what is not different, so
accuracy falls beyond some number of classes. A bank in place of the softmax goes further: `InstDisc`.

References: Dosovitskiy, Springenberg, Riedmiller & Brox, NeurIPS 2014. https://arxiv.org/abs/1406.6909
"""

import logging
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples
from replearn.data.kinds.base import BatchSamples
from replearn.methods.exhibit import Exhibit
from replearn.methods.pretext.pretext import Pretext
from replearn.views.choose import make_views

log = logging.getLogger("replearn")

DISTORTIONS = 5  # that are shown of a seed


@dataclass(kw_only=True, eq=False, repr=False)
class Exemplar(Pretext):
    """Discriminative unsupervised feature learning with exemplar convolutional networks.

    Attributes:
        views: of which the first is a distortion of a seed, or the name of a preset; None takes the default for this
            kind of samples.
        classes: seeds, drawn from the samples; at most all are taken.
        epochs: passes over the seeds.
    """

    more_answers: ClassVar[str] = "Raise classes to 2 or more, of as many samples."
    year: ClassVar[int] = 2014
    paper: ClassVar[str] = "https://arxiv.org/abs/1406.6909"
    split: ClassVar[str] = "exemplars"

    classes: int = 2000
    epochs: int = 200
    learning_rate: float = 3e-3

    @property
    def answers(self) -> int:
        """Seeds that there are."""
        return min(self.classes, len(self.samples_))

    def build(self, samples: Description) -> None:
        super().build(samples)
        self.logits_ = nn.Linear(self.encoder_.dim, min(self.classes, len(samples)))

    def training_samples(self, samples: Samples) -> Samples:
        """The seeds: some of the samples, drawn by the random state."""
        if self.classes < len(samples):
            log.info("seeds: %d of %d samples; the others are not learned from", self.classes, len(samples))
        drawn = np.random.default_rng(self.random_state).permutation(len(samples))[: self.classes]
        return samples.subset(np.sort(drawn))

    def guess(self, batch: Batch) -> tuple[Float[Tensor, "m k"], Int[Tensor, " m"]]:
        distorted = self.views_(batch)[0]
        return self.logits_(self.encoder_(distorted)), batch.index

    def exhibit(self, batch: Batch) -> Exhibit:
        """Samples, and what a seed is made into."""
        views = getattr(self, "views_", None)  # a run that was loaded has none
        if views is None:
            own = BatchSamples(batch, self.samples_)
            views = make_views(self.views, own, self.split)
        drawn = [views(batch)[0].x for _ in range(DISTORTIONS)]
        return Exhibit(
            "Which distortions are of one seed?",
            "Test samples, each with some of the distortions by which seeds like it are members of one class.",
            {"sample": batch.floats().x, **{f"distortion {i}": x for i, x in enumerate(drawn, start=1)}},
        )
