"""Mean teacher: what the moving average of the networks says of one view, the network must say of another.

    all samples      batch --view--> a --teacher's encoder--> h' --linear--> p' ----+
                     batch --view--> b --encoder------------> h --linear--> p ------+--probability_error-- w(t) --> loss
    with a label                                            logits of b --cross_entropy(label)------------------> loss

The teacher gets no gradient and follows at each step; it answers and represents afterwards. The weight rises as
`weight · exp(-5 (1 - T)²)`, where `T` goes from 0 to 1 until `rise` of training is done. With `teacher=False` it is the
Π-model: both predictions are the network's own, and both learn.

References: Tarvainen & Valpola, NeurIPS 2017, equations 1 and 2, appendix B. https://arxiv.org/abs/1703.01780
    Laine & Aila, ICLR 2017, Algorithm 1 (the Π-model). https://arxiv.org/abs/1610.02242
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Description
from replearn.data.processes import collect, gather
from replearn.methods.labelled.semi_supervised import SemiSupervised
from replearn.methods.schedule import Number
from replearn.objectives import cross_entropy, probability_error


@dataclass(kw_only=True, eq=False, repr=False)
class MeanTeacher(SemiSupervised):
    """Mean teachers are better role models.

    Attributes:
        views: the teacher's and the network's view of a batch, or the name of a preset; None takes the default for
            this kind of samples.
        weight: of the squared distance of probabilities, summed over classes.
        rise: share of training in which the weight has risen.
        teacher: whether the average of weights sets the targets; else it is the Π-model, and the average only answers.
    """

    year: ClassVar[int] = 2017
    paper: ClassVar[str] = "https://arxiv.org/abs/1703.01780"

    mu: int = 1
    weight: float = 3.0
    rise: float = 0.4
    teacher: bool = True

    def build(self, samples: Description) -> None:
        super().build(samples)
        self.risen_ = Number()  # w(t) / weight
        self.risen_.value.fill_(risen(0.0))

    def say(self, batch: Batch) -> list[Float[Tensor, "n c"]]:
        a, b = self.views_(batch)
        return [gather(self.target(a)), gather(self.student_(b))]

    def target(self, view: Batch) -> Float[Tensor, "n c"]:
        """The logits of the prediction to agree with."""
        if not self.teacher:
            return self.student_(view)  # type: ignore[no-any-return]
        with torch.no_grad():
            return self.logits_(self.encoder_(view))  # type: ignore[no-any-return]

    def labelled(self, said: list[Float[Tensor, "n c"]], batch: Batch) -> Float[Tensor, ""]:
        return cross_entropy(said[1], collect(batch.labels))

    def unlabelled(self, said: list[Float[Tensor, "n c"]], batch: Batch) -> Float[Tensor, ""]:
        """The term of all samples, those with a label among them."""
        target, told = said
        return self.risen_.value * probability_error(told, target)

    def after_step(self, progress: float) -> None:
        self.follow(
            buffers=not self.teacher
        )  # a teacher's running statistics are its own, of the views that it saw
        self.risen_.value.fill_(risen(min(1.0, progress / self.rise)))


def risen(t: float) -> float:
    """The share of its weight that consistency has when `t` of the rise is done, `exp(-5 (1 - t)²)`.

    >>> [round(risen(t), 4) for t in (0.0, 0.5, 1.0)]
    [0.0067, 0.2865, 1.0]
    """
    return math.exp(-5 * (1 - t) ** 2)
