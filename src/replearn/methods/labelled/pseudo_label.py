"""Pseudo-label: what the network says of a sample is taken for its label, and learned as if it were one.

    with a label     batch --view--> x --encoder--> h --linear--> logits --cross_entropy(label)------------------> loss
    without          batch --view--> x --encoder--> h --linear--> logits --argmax-----------+
                                                                  logits --cross_entropy----+-- α(t) ------------> loss

Guesses are made anew at each step, and no gradient passes through them. At first they are wrong: `α(t)` is 0 until
`start` of training is done, rises in a line until `rise` of it is, and is `weight` from there. Learned so, the classes
are parted where few samples lie, as by a penalty on the entropy of predictions. What answers and represents afterwards
is the moving average of the weights, which the paper has not; with a momentum of 0 it is the network itself.

References: Lee, ICML workshop 2013, equations 14 to 16.
    https://www.researchgate.net/publication/280581078
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Description, Samples
from replearn.data.labels import UNLABELLED
from replearn.data.processes import collect, gather
from replearn.methods.labelled.semi_supervised import SemiSupervised, confident
from replearn.methods.schedule import Number
from replearn.objectives import cross_entropy
from replearn.objectives.classification import pseudo_labels


@dataclass(kw_only=True, eq=False, repr=False)
class PseudoLabel(SemiSupervised):
    """Pseudo-label: the simple and efficient semi-supervised learning method for deep neural networks.

    Attributes:
        views: of which the first is taken, or the name of a preset; None takes the default for this kind of samples.
        threshold: the probability from which a guess is taken for a label, in [0, 1]; the paper takes all, by 0.
        start: share of training before samples without a label count.
        rise: share of training in which their weight has risen.
    """

    year: ClassVar[int] = 2013
    paper: ClassVar[str] = "https://www.researchgate.net/publication/280581078"
    split: ClassVar[str] = "single"

    mu: int = 1
    threshold: float = 0.0
    start: float = 0.1
    rise: float = 0.6

    def check(self, samples: Samples) -> None:
        """Raises ValueError where a field can't work, or not with these samples."""
        super().check(samples)
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold must lie in [0, 1]; got {self.threshold}. Leave it out for 0.")
        if not 0 <= self.start < self.rise <= 1:
            raise ValueError(
                "start and rise must be shares of training with 0 <= start < rise <= 1; got "
                f"{self.start} and {self.rise}. Leave them out for the defaults."
            )

    def build(self, samples: Description) -> None:
        super().build(samples)
        self.risen_ = Number()  # α(t) / weight

    def say(self, batch: Batch) -> Float[Tensor, "n c"]:
        return gather(self.student_(self.views_(batch)[0]))

    def labelled(self, said: Float[Tensor, "n c"], batch: Batch) -> Float[Tensor, ""]:
        return cross_entropy(said, collect(batch.labels))

    def unlabelled(self, said: Float[Tensor, "n c"], batch: Batch) -> Float[Tensor, ""]:
        without = collect(batch.labels) == UNLABELLED
        taken = torch.where(without, pseudo_labels(said, threshold=self.threshold), UNLABELLED)
        share = (taken != UNLABELLED).sum() / without.sum().clamp(min=1)
        return self.risen_.value * share * cross_entropy(said, taken)

    def after_step(self, progress: float) -> None:
        super().after_step(progress)
        risen = (progress - self.start) / (self.rise - self.start)
        self.risen_.value.fill_(min(1.0, max(0.0, risen)))

    def measured(self, logits: Float[Tensor, "n c"], batch: Batch) -> dict[str, Tensor]:
        """Of samples without a label, the share whose guess is taken for one, too."""
        sure = confident(logits, batch.labels, threshold=self.threshold)
        return super().measured(logits, batch) | {"confident": sure}
