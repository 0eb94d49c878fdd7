"""S4L: one network learns classes from the samples that have labels, and by how much each sample is turned from all.

    all samples      batch --view--> x, x turned by 90, 180, 270 degrees --encoder--> h --linear--> turns
                     turns --cross_entropy(turn)------------------------------------------------------------> loss
    with a label     h --linear--> logits --cross_entropy(label)-------------------------------------------> loss

All four turns of a sample are in one batch; with `turned` classes are told of all of them, as in the paper, else of the
first alone. The paper's "mix of all models" adds VAT's two terms (`divergence` and `entropy`); what it trains after
that, on guessed labels, is left to `PseudoLabel`. What answers and represents afterwards is the moving average of the
weights, which the paper has not.

References: Zhai, Oliver, Kolesnikov & Beyer, ICCV 2019, section 3, equations 1 and 2.
    https://arxiv.org/abs/1905.03670
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples
from replearn.data.labels import UNLABELLED
from replearn.data.processes import collect, gather
from replearn.methods.labelled.semi_supervised import SemiSupervised, Term
from replearn.methods.labelled.vat import VAT, unsteadiness
from replearn.methods.pretext.pretext import answered
from replearn.methods.pretext.rotation import check_turns
from replearn.objectives import cross_entropy, entropy
from replearn.views import Split
from replearn.views.rotations import TURNS, quarters

Said = tuple[Batch, Float[Tensor, "m c"], Float[Tensor, "m k"]]


@dataclass(kw_only=True, eq=False, repr=False)
class S4L(SemiSupervised):
    """S4L: self-supervised semi-supervised learning.

    Attributes:
        views: `Rotations(...)`, or the name of a preset; None takes the default for this kind of samples.
        turned: whether classes are told of all turns of a sample, else of the first, which is none, alone.
        weight: of the term that tells turns.
        divergence, entropy: weights of VAT's divergence and entropy, of all turns.
        epsilon, xi, iterations: of the divergence, see `VAT`.
    """

    year: ClassVar[int] = 2019
    paper: ClassVar[str] = "https://arxiv.org/abs/1905.03670"
    split: ClassVar[str] = "rotations"

    views: Split | str | None = None
    mu: int = 1
    turned: bool = True
    divergence: float = 0.0
    entropy: float = 0.0
    epsilon: float = VAT.epsilon
    xi: float = VAT.xi
    iterations: int = VAT.iterations

    def idle(self, samples: Samples) -> Mapping[str, str]:
        why = "only the divergence, which has no weight, looks for the worst direction"
        return {} if self.divergence else dict.fromkeys(("epsilon", "xi", "iterations"), why)

    def build(self, samples: Description) -> None:
        check_turns(self, samples)
        super().build(samples)
        self.turns_ = nn.Linear(self.representation_dim, TURNS)

    def say(self, batch: Batch) -> Said:
        (seen,) = self.views_(batch)
        h = self.student_[0](seen)  # (n·4, d)
        return seen, self.student_[1](h), self.turns_(h)

    def weighted(self) -> Mapping[str, tuple[float, Term]]:
        more = {
            "divergence": (self.divergence, self.steadiness),
            "entropy": (self.entropy, self.unsure),
        }
        return {**super().weighted(), **{name: part for name, part in more.items() if part[0]}}

    def labelled(self, said: Said, batch: Batch) -> Float[Tensor, ""]:
        seen, logits, _ = said
        labels = seen.labels if self.turned else seen.labels.where(quarters(batch) == 0, UNLABELLED)
        return cross_entropy(gather(logits), collect(labels))

    def unlabelled(self, said: Said, batch: Batch) -> Float[Tensor, ""]:
        """The term that tells turns, of all samples: those with a label are among them."""
        return cross_entropy(gather(said[2]), collect(quarters(batch)))

    def steadiness(self, said: Said, batch: Batch) -> Float[Tensor, ""]:
        """VAT's divergence."""
        seen, logits, _ = said
        return unsteadiness(
            self.student_, seen, logits, epsilon=self.epsilon, xi=self.xi, iterations=self.iterations
        )

    def unsure(self, said: Said, batch: Batch) -> Float[Tensor, ""]:
        """The entropy of predictions."""
        return entropy(gather(said[1]))

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        """How well turns are told, too: see `Pretext.measures`."""
        _, _, turns = self.say(batch)
        return super().measures(batch) | answered(turns, quarters(batch), turns.new_tensor(1 / TURNS))
