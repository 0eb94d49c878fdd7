"""CPC: what came so far predicts what comes, told from what came elsewhere.

    batch --views--> row_1, ..., row_R --encoder--> h_r --latent--> z_r --context--> c_r = summary of z_1 ... z_r
                     c_r --W_k--> prediction of z_{r+k} --future_contrast(z_{r+k} of all)--> loss

A row is a row of patches of an image, or a segment of a sequence. A grid is read in four directions, each by a context
of its own; a sequence forth and back. The representation is z of all patches, or of 16 parts of a larger grid.

References: van den Oord, Li & Vinyals, 2018. https://arxiv.org/abs/1807.03748
    Hénaff et al. (version 2, images), ICML 2020. https://arxiv.org/abs/1905.09272
"""

import logging
import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from replearn.data import Batch, Description
from replearn.data.processes import gather
from replearn.encoders import make_encoder
from replearn.encoders.context import Forecast, directions, in_parts
from replearn.methods.base import JointEmbedding
from replearn.objectives import future_contrast
from replearn.objectives.contrast import draw_negatives, negative_mask
from replearn.views.defaults import parts_of

log = logging.getLogger("replearn")


@dataclass(kw_only=True, eq=False, repr=False)
class CPC(JointEmbedding):
    """Contrastive predictive coding, over the patches of an image or the segments of a sequence.

    Attributes:
        views: rows of patches of a sample, or the name of a preset; None takes the default for this kind of samples.
        hidden: numbers in a context c.
        dim: numbers in a latent z, which predictions are of.
        steps: how many rows ahead are predicted, at most.
        temperature: of the softmax over the latents of all samples and columns.
        negatives: how many of the other latents one is told from, drawn at each step; None: from all.
    """

    family: ClassVar[str] = "contrastive"
    year: ClassVar[int] = 2018
    paper: ClassVar[str] = "https://arxiv.org/abs/1807.03748"
    split: ClassVar[str] = "grid"

    hidden: int = 256
    dim: int = 64
    steps: int = 3
    temperature: float = 1.0
    negatives: int | None = None
    batch_size: int = 64
    learning_rate: float = 2e-3

    def build(self, samples: Description) -> None:
        self.parts_ = parts_of(self.views, samples, self.split)
        rows = self.parts_.describe(samples)
        if len(rows) < 2 or self.steps < 1:
            got = f"got {len(rows)} rows and {self.steps}. Use Grid(rows, ...)."
            raise ValueError(f"CPC needs views of 2 rows or more and at least 1 step; {got}")
        self.encoder_ = make_encoder(self.encoder, rows[0])
        self.latent_ = nn.Sequential(nn.LayerNorm(self.encoder_.dim), nn.Linear(self.encoder_.dim, self.dim))
        self.grid_ = torch.empty(1, len(rows), self.parts_.per_part(samples), self.dim)
        ahead = [min(self.steps, way.shape[1] - 1) for way in directions(self.grid_)]
        if self.steps > max(ahead):
            log.info("steps is %d, as far as the rows go, rather than %d", max(ahead), self.steps)
        self.forecast_ = nn.ModuleList(Forecast(self.dim, self.hidden, steps) for steps in ahead)

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        ways = directions(self._latents(batch, self.views_(batch)))  # (n, r, w, dim) each
        content = torch.unique(self.content(batch), return_inverse=True)[1]  # (n,)
        losses = [
            self.contrast(z, forecast(z), content) for forecast, z in zip(self.forecast_, ways, strict=True)
        ]
        return torch.stack(losses).mean()

    def contrast(
        self, z: Float[Tensor, "n r w d"], ahead: list[Tensor], content: Int[Tensor, " m"] | None = None
    ) -> Float[Tensor, ""]:
        """The mean loss over all rows that are guessed, by the contexts of a direction."""
        z, losses = gather(z), []
        if content is not None:  # the same place of equal samples
            content = (
                content[:, None] * z.shape[2] + torch.arange(z.shape[2], device=z.device)
            ).flatten()  # (n·w,)
        for k, guesses in enumerate(ahead, start=1):
            for guess, later in zip(gather(guesses).unbind(1), z[:, k:].unbind(1), strict=True):
                a, b = guess.flatten(0, 1), later.flatten(0, 1)  # (n·w, dim) each
                keep = draw_negatives(negative_mask(b, content=content), self.negatives)
                losses.append(future_contrast(a, b, temperature=self.temperature, keep=keep))
        return torch.stack(losses).mean()

    def _latents(self, batch: Batch, rows: tuple[Batch, ...]) -> Float[Tensor, "n r w dim"]:
        z = [self.latent_(self.encoder_(row)).unflatten(0, (len(batch), -1)) for row in rows]
        return torch.stack(z, dim=1)

    def represent(self, batch: Batch) -> Float[Tensor, "n d"]:
        return in_parts(self._latents(batch, self.parts_.parts(batch))).flatten(1)  # (n, places·dim)

    @property
    def representation_dim(self) -> int:
        return in_parts(self.grid_).numel()

    def embed(self, h: Float[Tensor, "n d"]) -> Float[Tensor, "n e"]:
        return h.view(len(h), -1, self.dim).mean(1)

    def loss_at_collapse(self) -> float:
        others = [self.negatives or self.batch_size * way.shape[2] - 1 for way in directions(self.grid_)]
        return sum(math.log(1 + number) for number in others) / len(others)
