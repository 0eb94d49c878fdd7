"""What methods share that learn classes from few labels and many samples without."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples
from replearn.data.labels import UNLABELLED
from replearn.encoders import make_encoder
from replearn.engine.orders import Order
from replearn.methods.labelled.classifier import Classifier, labelled_order, labelled_rows
from replearn.methods.schedule import Number
from replearn.methods.state.teacher import follow, mean_at_first, still_copy
from replearn.objectives.classification import pseudo_labels
from replearn.views import Split

Term = Callable[[Any, Batch], Tensor]


@dataclass(kw_only=True, eq=False, repr=False)
class SemiSupervised(Classifier):
    """A classifier that learns from samples of which some have a label; those of the others are -1.

    `student_` learns, an encoder and a layer of logits; `encoder_` and `logits_`, which represent and answer, are the
    moving averages of its weights. A method writes `say`, and the two terms of its loss, `labelled` and `unlabelled`;
    one that has more terms adds them to `weighted`.

    Attributes:
        views: a weak and a strong view of a batch, or the name of a preset; None takes the default for this kind.
        mu: how many samples without a label come to each with one in a batch.
        weight: of the term of samples without a label.
        momentum: of the average of weights that answers: how much of it stays at each step. In the first steps less
            stays, so that it is the mean of all weights so far and none of those at the start weighs more.

    References: Tarvainen & Valpola, NeurIPS 2017 (the average; that it begins as a mean is in their program).
        https://arxiv.org/abs/1703.01780
    """

    split: ClassVar[str] = "weak_strong"

    views: Split | str | None = None
    mu: int = 7
    weight: float = 1.0
    momentum: float = 0.99
    epochs: int = 20
    batch_size: int = 64
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
        self.steps_ = Number()  # that the averages have followed

    def order(self, samples: Samples) -> Order:
        return labelled_order(self, samples, ratio=self.mu)

    def say(self, batch: Batch) -> Any:
        """What all terms of the loss are computed from."""
        raise NotImplementedError

    def labelled(self, said: Any, batch: Batch) -> Float[Tensor, ""]:
        """The term of the samples that have labels."""
        raise NotImplementedError

    def unlabelled(self, said: Any, batch: Batch) -> Float[Tensor, ""]:
        """The term of those that have none, before it is weighted."""
        raise NotImplementedError

    def weighted(self) -> Mapping[str, tuple[float, Term]]:
        """The terms of the loss by name, each with its weight."""
        return {"labelled": (1.0, self.labelled), "unlabelled": (self.weight, self.unlabelled)}

    def terms(self, batch: Batch) -> Mapping[str, Callable[[], Tensor]]:
        # By the first term, in the forward pass that processes wait for.
        said = cache(lambda: self.say(batch))
        return {
            name: lambda weight=weight, term=term: weight * term(said(), batch)  # type: ignore[misc]
            for name, (weight, term) in self.weighted().items()
        }

    def after_step(self, progress: float) -> None:
        self.follow(buffers=True)

    def follow(self, *, buffers: bool) -> None:
        """Move the averages towards the student; `buffers`: running statistics of batch normalisation, too."""
        self.steps_.value += 1
        momentum = mean_at_first(self.momentum, seen=int(self.steps_.value))  # those at the start among them
        for own, student in zip((self.encoder_, self.logits_), self.student_, strict=True):
            follow(own, student, momentum=momentum, buffers=buffers)

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        """How many of the classes the student's guesses are spread over; a method adds what it knows of them."""
        return self.measured(self.student_(batch), batch)

    def measured(self, logits: Float[Tensor, "n c"], batch: Batch) -> dict[str, Tensor]:
        """The same, of the student's logits of a batch."""
        return {"guessed_classes": guessed_classes(logits)}


def guessed_classes(logits: Float[Tensor, "n c"]) -> Float[Tensor, ""]:
    """How many classes the mean prediction is spread over, exp of its entropy, as a share of all classes.

    1 where all classes are predicted alike; 1 / c where guesses have run away and all samples are of one class.

    >>> import torch
    >>> round(guessed_classes(torch.tensor([[50.0, 0.0, 0.0, 0.0], [0.0, 50.0, 0.0, 0.0]])).item(), 4)
    0.5
    """
    mean = logits.float().softmax(1).mean(0)  # (c,)
    spread: Tensor = torch.special.entr(mean).sum().exp()
    return spread / logits.shape[1]


def confident(
    logits: Float[Tensor, "n c"], labels: Int[Tensor, " n"], *, threshold: float
) -> Float[Tensor, ""]:
    """The share of rows without a label whose likeliest class has a probability of at least `threshold`.

    >>> import torch
    >>> logits, labels = torch.tensor([[9.0, 0.0], [9.0, 0.0], [0.1, 0.0]]), torch.tensor([1, -1, -1])
    >>> confident(logits, labels, threshold=0.95).item()
    0.5
    """
    without = labels == UNLABELLED
    sure = pseudo_labels(logits, threshold=threshold) != UNLABELLED
    return (sure & without).sum() / without.sum().clamp(min=1)
