"""What methods share that learn classes from few labels and many samples without."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples
from replearn.encoders import make_encoder
from replearn.engine.orders import Order
from replearn.methods.labelled.classifier import Classifier, labelled_order, labelled_rows
from replearn.methods.state.teacher import follow, still_copy
from replearn.views import Split


@dataclass(kw_only=True, eq=False, repr=False)
class SemiSupervised(Classifier):
    """A classifier that learns from samples of which some have a label; those of the others are -1.

    `student_` learns, an encoder and a layer of logits; `encoder_` and `logits_`, which represent and answer, are the
    moving averages of its weights. A method writes `labelled` and `unlabelled`, the two terms of its loss.

    Attributes:
        views: a weak and a strong view of a batch, or the name of a preset; None takes the default for this kind.
        mu: how many samples without a label come to each with one in a batch.
        weight: of the term of samples without a label.
        momentum: of the average of weights that answers: how much of it stays at each step.
    """

    split: ClassVar[str] = "weak_strong"

    views: Split | str | None = None
    mu: int = 7
    weight: float = 1.0
    momentum: float = 0.99
    epochs: int = 20
    learning_rate: float = 3e-3

    def check(self, samples: Samples) -> None:
        """Raises ValueError where a field can't work, or not with these samples."""
        super().check(samples)
        if len(labelled_rows(samples)) == len(samples):
            raise ValueError(
                f"{type(self).__name__} must have samples without a label (-1), too; got labels of all "
                f"{len(samples):,}. Use Supervised."
            )

    def build(self, samples: Description) -> None:
        encoder = make_encoder(self.encoder, samples)
        self.student_ = nn.Sequential(encoder, nn.Linear(encoder.dim, len(samples.classes)))
        self.encoder_, self.logits_ = (still_copy(net) for net in self.student_)

    def order(self, samples: Samples) -> Order:
        return labelled_order(self, samples, ratio=self.mu)

    def say(self, batch: Batch) -> Any:
        """What both terms of the loss are computed from."""
        raise NotImplementedError

    def labelled(self, said: Any, batch: Batch) -> Float[Tensor, ""]:
        """The term of the samples that have labels."""
        raise NotImplementedError

    def unlabelled(self, said: Any, batch: Batch) -> Float[Tensor, ""]:
        """The term of those that have none, before it is weighted."""
        raise NotImplementedError

    def terms(self, batch: Batch) -> Mapping[str, Callable[[], Tensor]]:
        said = cache(
            lambda: self.say(batch)
        )  # by the first term, in the forward pass that processes wait for
        return {
            "labelled": lambda: self.labelled(said(), batch),
            "unlabelled": lambda: self.weight * self.unlabelled(said(), batch),
        }

    def after_step(self, progress: float) -> None:
        for own, student in zip((self.encoder_, self.logits_), self.student_, strict=True):
            follow(own, student, momentum=self.momentum, buffers=True)
