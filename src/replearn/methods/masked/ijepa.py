"""I-JEPA: tell the states of hidden blocks of a sample, as a slow copy of the encoder has them, from one context.

    batch --blocks--> context --encoder--> states --+
                      places of a target block ----+--predictor--> told
    batch --teacher (a moving average of the encoder)--> states --layer norm, target blocks--> targets
    told --smooth absolute error(targets)--> loss

What is told are states, not pixels: the teacher may leave out what can't be told. Nothing but the slow teacher and the
predictor keeps states from becoming one for all. The paper's equation has the squared error; the smooth one minds
outliers less. The representation is the mean of the teacher's states.

References: Assran et al., CVPR 2023, section 3. https://arxiv.org/abs/2301.08243
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Description
from replearn.data.processes import gather
from replearn.encoders import Encoder, PatchPredictor
from replearn.encoders.patching import chosen
from replearn.methods.masked.patches import MaskedPatches
from replearn.methods.state.teacher import Teacher, rising_momentum
from replearn.views.blocks import draw_blocks


@dataclass(kw_only=True, eq=False, repr=False)
class IJEPA(MaskedPatches):
    """Image-based joint-embedding predictive architecture.

    Attributes:
        blocks: that are told of each sample.
        width, depth: of the predictor, numbers per state and blocks of attention.
        momentum: of the teacher at the start; it rises to 1. Longer trainings want more, the paper's of 0.996.
    """

    year: ClassVar[int] = 2023
    paper: ClassVar[str] = "https://arxiv.org/abs/2301.08243"

    blocks: int = 4
    width: int = 96
    depth: int = 2
    momentum: float = 0.98
    batch_size: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 0.05

    def build(self, samples: Description) -> None:
        super().build(samples)
        dim = self.encoder_.dim
        self.predictor_ = PatchPredictor(dim, width=self.width, depth=self.depth, out=dim)
        self.teacher_ = Teacher(self.encoder_)

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        view = self.view(batch)
        grid = self.encoder_.grid(view)
        blocks = draw_blocks(view, grid, number=self.blocks)
        states = self.encoder_.read(view, "states", keep=blocks.context)  # (n, k, d)
        where = self.encoder_.where(view, self.width)
        states, seen, where = (
            rows.repeat_interleave(self.blocks, 0) for rows in (states, blocks.context, where)
        )  # (n·b, _, _)
        told = self.predictor_(states, seen, blocks.targets.flatten(0, 1), where)  # (n·b, m, d)
        target = chosen(self.targets(view), blocks.targets.flatten(1)).view_as(told)
        errors = F.smooth_l1_loss(told.to(target.dtype), target, reduction="none").mean((1, 2))
        return gather(errors).mean()

    @torch.no_grad()
    def targets(self, batch: Batch) -> Float[Tensor, "n p d"]:
        """The teacher's states of all patches, each of mean 0 and deviation 1."""
        states = self.read_from.read(batch, "states")
        return F.layer_norm(states, states.shape[2:])

    @property
    def read_from(self) -> Encoder:
        return self.teacher_.chain[0]  # type: ignore[return-value]

    def after_step(self, progress: float) -> None:
        momentum = rising_momentum(progress, start=self.momentum)
        self.teacher_.follow(self.encoder_, momentum=momentum)

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        """How much targets differ between samples, place by place: their deviation, 1 at most about, 0 at collapse."""
        return {"target_spread": self.targets(batch).float().std(0).mean()}
