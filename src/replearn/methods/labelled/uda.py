"""UDA: what the network says of a sample nearly as it is, made sharper, it must say of a strong view of it, too.

    with a label    batch --weak----> a --encoder--> h --linear--> p --cross_entropy(label), if p(label) < limit--> loss
    without         batch --weak----> a --encoder--> h --linear--> p, sharpened, where max p > threshold --+
                    batch --strong--> b --encoder--> h --linear--> p ----------------KL--------------------+--> loss

The limit rises from 1 / c to 1 in the course of training, so that the few labels are not learned by heart before those
without have been heard. No gradient passes through the sharpened answer. What answers and represents afterwards is the
moving average of the weights.

References: Xie et al., NeurIPS 2020, section 2 and appendix A (annealing). https://arxiv.org/abs/1904.12848
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from replearn.data import Batch, Description, Samples
from replearn.data.labels import UNLABELLED
from replearn.data.processes import collect, gather
from replearn.methods.labelled.semi_supervised import SemiSupervised
from replearn.methods.schedule import Number
from replearn.objectives import cross_entropy
from replearn.objectives.precision import full_precision

# How far the limit has risen by the share of training done.
SCHEDULES: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda done: done,
    "log": lambda done: 1 - torch.exp(-5 * done),  # soon: many labels, or a network that learns slowly
    "exp": lambda done: torch.exp(5 * (done - 1)),  # late: few labels
}


@dataclass(kw_only=True, eq=False, repr=False)
class UDA(SemiSupervised):
    """Unsupervised data augmentation for consistency training.

    Attributes:
        threshold: an answer counts if its largest probability is above this, in [0, 1].
        temperature: answers are sharpened by it, greater than 0; 1 leaves them as they are.
        annealing: how the limit rises from which a labelled sample is left out of a batch since its label is probable
            enough: `linear`, `log` (at once), `exp` (at the end), or `none` leaves none out.
    """

    year: ClassVar[int] = 2020
    paper: ClassVar[str] = "https://arxiv.org/abs/1904.12848"

    threshold: float = 0.8
    temperature: float = 0.4
    annealing: Literal["linear", "log", "exp", "none"] = "linear"

    def check(self, samples: Samples) -> None:
        """Raises ValueError where a field can't work, or not with these samples."""
        super().check(samples)
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold must lie in [0, 1]; got {self.threshold}. Leave it out for 0.8.")
        if self.annealing not in (*SCHEDULES, "none"):
            raise ValueError(
                f"annealing must be linear, log, exp or none; got {self.annealing!r}. Leave it out for linear."
            )

    def build(self, samples: Description) -> None:
        super().build(samples)
        self.done_ = Number()  # share of training

    def say(self, batch: Batch) -> list[Float[Tensor, "n c"]]:
        return [gather(self.student_(view)) for view in self.views_(batch)]

    def labelled(self, said: list[Float[Tensor, "n c"]], batch: Batch) -> Float[Tensor, ""]:
        labels = collect(batch.labels)
        if self.annealing != "none":
            labels = improbable(said[0], labels, limit=self.limit(said[0].shape[1]))
        return cross_entropy(said[0], labels)

    def unlabelled(self, said: list[Float[Tensor, "n c"]], batch: Batch) -> Float[Tensor, ""]:
        weak, strong = said
        without = collect(batch.labels) == UNLABELLED
        taken = without & (weak.detach().softmax(1).amax(1) > self.threshold)
        return sharpened_kl(strong, weak, taken, temperature=self.temperature) / without.sum().clamp(min=1)

    def limit(self, classes: int) -> Float[Tensor, ""]:
        """The probability from which a label needs no more learning for now."""
        risen = SCHEDULES[self.annealing](self.done_.value)
        return risen * (1 - 1 / classes) + 1 / classes

    def after_step(self, progress: float) -> None:
        super().after_step(progress)
        self.done_.value.fill_(progress)


def improbable(
    logits: Float[Tensor, "n c"], labels: Int[Tensor, " n"], *, limit: Float[Tensor, ""]
) -> Int[Tensor, " n"]:
    """The labels whose probability is below a limit; -1 elsewhere."""
    own = logits.detach().softmax(1).gather(1, labels.clamp(min=0)[:, None])[:, 0]
    return torch.where(own < limit, labels, UNLABELLED)


@full_precision
def sharpened_kl(
    strong: Float[Tensor, "n c"], weak: Float[Tensor, "n c"], taken: Bool[Tensor, " n"], *, temperature: float
) -> Float[Tensor, ""]:
    """KL(q, p), summed over the rows that are taken, of q = softmax(weak / temperature) and p = softmax(strong)."""
    target = (weak.detach() / temperature).softmax(1)  # (n, c)
    return (F.kl_div(strong.log_softmax(1), target, reduction="none").sum(1) * taken).sum()
