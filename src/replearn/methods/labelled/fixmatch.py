"""FixMatch: what the network is sure of when it sees a sample nearly as it is, it must say of a strong view, too.

    with a label     batch --weak-----> a --encoder--> h --linear--> logits --cross_entropy(label)-------------> loss
    without          batch --weak-----> a --encoder--> h --linear--> p --argmax, where max p >= threshold--+
                     batch --strong---> b --encoder--> h --linear--> logits --------------cross_entropy----+--> loss

No gradient passes through the guess. What answers and represents afterwards is the moving average of the weights.

References: Sohn et al., NeurIPS 2020, equations 3 and 4. https://arxiv.org/abs/2001.07685
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Samples
from replearn.data.labels import UNLABELLED
from replearn.data.processes import collect, gather
from replearn.methods.labelled.semi_supervised import SemiSupervised, confident
from replearn.objectives import cross_entropy
from replearn.objectives.classification import pseudo_labels


@dataclass(kw_only=True, eq=False, repr=False)
class FixMatch(SemiSupervised):
    """FixMatch: simplifying semi-supervised learning with consistency and confidence.

    Attributes:
        threshold: the probability from which a guess is taken for a label, in [0, 1].
    """

    year: ClassVar[int] = 2020
    paper: ClassVar[str] = "https://arxiv.org/abs/2001.07685"

    threshold: float = 0.95

    def check(self, samples: Samples) -> None:
        """Raises ValueError where a field can't work, or not with these samples."""
        super().check(samples)
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold must lie in [0, 1]; got {self.threshold}. Leave it out for 0.95.")

    def say(self, batch: Batch) -> list[Float[Tensor, "n c"]]:
        return [gather(self.student_(view)) for view in self.views_(batch)]

    def labelled(self, said: list[Float[Tensor, "n c"]], batch: Batch) -> Float[Tensor, ""]:
        return cross_entropy(said[0], collect(batch.labels))

    def unlabelled(self, said: list[Float[Tensor, "n c"]], batch: Batch) -> Float[Tensor, ""]:
        weak, strong = said
        guessed = pseudo_labels(weak, threshold=self.threshold)
        without = collect(batch.labels) == UNLABELLED
        taken = torch.where(without, guessed, UNLABELLED)
        return cross_entropy(strong, taken) * (taken != UNLABELLED).sum() / without.sum().clamp(min=1)

    def measured(self, logits: Float[Tensor, "n c"], batch: Batch) -> dict[str, Tensor]:
        """Of samples without a label, the share whose guess is taken for one, too."""
        sure = confident(logits, batch.labels, threshold=self.threshold)
        return super().measured(logits, batch) | {"confident": sure}
