"""`Pretext`: what methods share that change samples and must tell how: its answers are known without a label."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from replearn.data import Batch, Description, Samples
from replearn.data.processes import collect, gather
from replearn.encoders import make_encoder
from replearn.methods.by_layer import ByLayer
from replearn.objectives import cross_entropy
from replearn.views import Split


@dataclass(kw_only=True, eq=False, repr=False)
class Pretext(ByLayer):
    """A method that answers a question of each sample, one of so many answers.

    What is of use elsewhere lies below the last layer, for each task and each kind of picture in another one. So the
    representation is all of them, unless one is asked for.

    Attributes:
        views: what is asked, or the name of a preset; None takes the default for this kind of samples.
    """

    family: ClassVar[str] = "pretext"
    why_collapse: ClassVar[str | None] = None  # a question may need few directions
    more_answers: ClassVar[str] = "Choose another method."  # how there are more than one

    views: Split | str | None = None

    @property
    def answers(self) -> int:
        """How many answers there are."""
        raise NotImplementedError

    def _prepare(self, given: Samples) -> Samples:
        samples = super()._prepare(given)
        if self.answers < 2:
            raise ValueError(
                f"{type(self).__name__} asks which of several answers is right; by its fields and samples there is "
                f"{self.answers}. {self.more_answers}"
            )
        return samples

    @property
    def frequencies(self) -> Float[Tensor, " k"]:
        """How often each answer is the right one."""
        return torch.full((self.answers,), 1 / self.answers)

    def guess(self, batch: Batch) -> tuple[Float[Tensor, "m k"], Int[Tensor, " m"]]:
        """Logits of all answers to each question, and the right ones."""
        raise NotImplementedError

    def build(self, samples: Description) -> None:
        self.encoder_ = make_encoder(self.encoder, samples)

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        logits, right = self.guess(batch)
        return cross_entropy(gather(logits), collect(right))

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        """The share of questions that is answered right, and that of who always says the most frequent answer.

        The gain is how far it is from this to always right: 0 for guessing, 1 at best.
        """
        return answered(*self.guess(batch), self.frequencies.max())

    def loss_at_collapse(self) -> float | None:
        shares: list[float] = self.frequencies.tolist()
        return -sum(share * math.log(share) for share in shares if share)


def answered(
    logits: Float[Tensor, "m k"], right: Int[Tensor, " m"], chance: Float[Tensor, ""]
) -> dict[str, Tensor]:
    """What `Pretext.measures` tells, of logits of all answers and the right ones."""
    found = (logits.argmax(1) == right).float().mean()
    gain = (found - chance) / (1 - chance).clamp_min(1e-9)
    return {"pretext_accuracy": found, "chance": chance, "pretext_gain": gain}


def answered_where_asked(
    guess: tuple[Float[Tensor, "m k"], Int[Tensor, " m"]], chance: Float[Tensor, ""]
) -> dict[str, Tensor]:
    """The same of the samples that are asked, whose right answer is not -1; and the share that is left out."""
    logits, right = guess
    asked = right >= 0
    found = {"left_out": 1 - asked.float().mean()}
    return found | (answered(logits[asked], right[asked], chance) if asked.any() else {})
