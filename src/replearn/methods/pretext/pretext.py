"""`Pretext`: what methods share that change samples and must tell how: its answers are known without a label."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from replearn.data import Batch, Description
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
        self.encoder_ = make_encoder(self.encoder, samples)
        self.layers_, self.width_ = layers_in(self, samples)

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        logits, right = self.guess(batch)
        return cross_entropy(gather(logits), collect(right))

    def represent(self, batch: Batch) -> Float[Tensor, "n d"]:
        if not self.layers_:
            return self.encoder_(batch)  # type: ignore[no-any-return]
        found = self.encoder_.layers(batch)
        chosen = [found[place] for place in self.layers_]
        return chosen[0] if len(chosen) == 1 else torch.cat([F.normalize(h, dim=1) for h in chosen], dim=1)

    @property
    def representation_dim(self) -> int:
        """Numbers per sample that `represent` returns."""
        return self.width_

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        """The share of questions that is answered right, and that of who always says the most frequent answer.

        The gain is how far it is from this to always right: 0 for guessing, 1 at best.
        """
        logits, right = self.guess(batch)
        found, chance = (logits.argmax(1) == right).float().mean(), self.frequencies.max()
        gain = (found - chance) / (1 - chance).clamp_min(1e-9)
        return {"pretext_accuracy": found, "chance": chance, "pretext_gain": gain}

    def loss_at_collapse(self) -> float | None:
        shares: list[float] = self.frequencies.tolist()
        return -sum(share * math.log(share) for share in shares if share)


def layers_in(method: Pretext, samples: Description) -> tuple[tuple[int, ...], int]:
    """Which layers of the encoder are the representation, none for what the encoder returns, and how many numbers.

    Raises:
        ValueError: there is no such layer.
    """
    encoder = method.encoder_
    whole: tuple[tuple[int, ...], int] = (), int(encoder.dim)
    if method.layer == -1:
        return whole
    device = encoder.mean.device
    content = NETWORKS[samples.kind].content(samples, 2, device)
    unknown = torch.full((2,), -1, device=device)
    try:
        with evaluating([encoder]), torch.no_grad():
            found = encoder.layers(Batch(content, labels=unknown, index=unknown))
    except NoStages:
        found = []
    widths = [layer.shape[1] for layer in found]
    if method.layer == "all":
        return (tuple(range(len(widths))), sum(widths)) if len(widths) > 1 else whole
    if -len(widths) <= method.layer < len(widths):
        return (method.layer % len(widths),), widths[method.layer]
    raise ValueError(
        f"layer must be from -{len(widths)} to {len(widths) - 1}, since the encoder tells of {len(widths)} layers; got "
        f"{method.layer}. Use -1 for the last, or all."
        if widths
        else f"layer must be -1 or all, since the encoder tells of no layers; got {method.layer}."
    )
