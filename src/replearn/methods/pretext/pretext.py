"""`Pretext`: what methods share that change samples and must tell how: its answers are known without a label."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from replearn.data import Batch, Description, Samples
from replearn.data.processes import collect
from replearn.encoders import make_encoder
from replearn.encoders.kinds import NETWORKS
from replearn.encoders.modes import evaluating
from replearn.encoders.stages import NoStages
from replearn.engine.distributed import gather
from replearn.methods.base import Method
from replearn.objectives import cross_entropy
from replearn.views import Split


@dataclass(kw_only=True, eq=False, repr=False)
class Pretext(Method):
    """A method that answers a question of each sample, one of so many answers.

    What the last layer of its network knows is the question; what is of use elsewhere lies below it, for each task and
    each kind of picture in another layer. So the representation is all of them, unless one is asked for.

    Attributes:
        views: what is asked, or the name of a preset; None takes the default for this kind of samples.
        layer: which layer of the encoder is the representation, averaged over positions: 0 the first, -1 the last;
            `all`: each of them, side by side, scaled to length 1.
    """

    family: ClassVar[str] = "pretext"
    why_collapse: ClassVar[str | None] = None  # a question may need few directions

    views: Split | str | None = None
    layer: int | Literal["all"] = "all"

    @property
    def answers(self) -> int:
        """How many answers there are."""
        raise NotImplementedError

    @property
    def frequencies(self) -> Float[Tensor, " k"]:
        """How often each answer is the right one."""
        return torch.full((self.answers,), 1 / self.answers)

    def guess(self, batch: Batch) -> tuple[Float[Tensor, "m k"], Int[Tensor, " m"]]:
        """Logits of all answers to each question, and the right ones."""
        raise NotImplementedError

    def build(self, samples: Description) -> None:
        self.encoder_, self.read_ = make_encoder(self.encoder, samples), samples

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        logits, right = self.guess(batch)
        return cross_entropy(gather(logits), collect(right))

    def _prepare(self, given: Samples) -> Samples:
        samples = super()._prepare(given)
        widths_in(self)  # refuses a layer that there is not
        return samples

    def represent(self, batch: Batch) -> Float[Tensor, "n d"]:
        found = chosen_layers(self, batch)
        return found[0] if len(found) == 1 else torch.cat([F.normalize(h, dim=1) for h in found], dim=1)

    @property
    def representation_dim(self) -> int:
        """Numbers per sample that `represent` returns."""
        return sum(widths_in(self))

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


def chosen_layers(method: Pretext, batch: Batch) -> list[Float[Tensor, "n _"]]:
    """Of the encoder's layers those that are the representation; what it returns where it tells of no layers.

    Raises:
        ValueError: there is no such layer.
    """
    encoder = method.encoder_
    if method.layer == -1:
        return [encoder(batch)]
    try:
        found: list[Tensor] = encoder.layers(batch)
    except NoStages:
        found = []
    if method.layer == "all":
        return found if len(found) > 1 else [encoder(batch)]
    if -len(found) <= method.layer < len(found):
        return [found[method.layer]]
    known = f"from -{len(found)} to {len(found) - 1}" if found else "-1"
    raise ValueError(
        f"layer must be {known} or all, since the encoder tells of {len(found)} layers; got {method.layer}. "
        "Leave it out for all."
    )


def widths_in(method: Pretext) -> list[int]:
    """Numbers of each layer that is the representation. Raises ValueError as `chosen_layers` does."""
    samples, device = method.read_, method.encoder_.mean.device
    content = NETWORKS[samples.kind].content(samples, 2, device)
    unknown = torch.full((2,), -1, device=device)
    with evaluating([method.encoder_]), torch.no_grad():
        found = chosen_layers(method, Batch(content, labels=unknown, index=unknown))
    return [layer.shape[1] for layer in found]
