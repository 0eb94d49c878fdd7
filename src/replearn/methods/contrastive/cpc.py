"""CPC: what came so far predicts what comes, told from what came elsewhere.

    batch --views--> row_1, ..., row_R --encoder--> h_r --latent--> z_r --context--> c_r = summary of z_1 ... z_r
                     c_r --W_k--> prediction of z_{r+k} --future_contrast(z_{r+k} of all)--> loss

A row is a row of patches of an image, or one segment of a sequence. A grid is read in four directions, each by a
context of its own; a sequence forth and back. The representation is the mean of h over each row, the rows joined; the
papers' mean over all positions forgets where things lie, which little images tell by.

References:
    van den Oord, Li & Vinyals, 2018. https://arxiv.org/abs/1807.03748
    Hénaff et al. (version 2, images), ICML 2020. https://arxiv.org/abs/1905.09272
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from replearn.data import Batch, Description
from replearn.encoders import make_encoder
from replearn.encoders.context import Forecast, directions
from replearn.engine.distributed import gather
from replearn.methods.joint import JointEmbedding
from replearn.objectives import future_contrast
from replearn.objectives.negatives import draw_negatives, strangers
from replearn.views.cuts import parts_of


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
    learning_rate: float = 3e-3

    def build(self, samples: Description) -> None:
        self.parts_ = parts_of(self.views, samples, self.split)
        rows = self.parts_.describe(samples)
        if len(rows) < 2 or self.steps < 1:
            raise ValueError(
                f"CPC needs views of 2 rows or more and at least 1 step; got {len(rows)} rows and {self.steps}. "
                "Use Grid(rows, ...)."
            )
        self.encoder_ = make_encoder(self.encoder, rows[0])
        self.latent_ = nn.Sequential(nn.LayerNorm(self.encoder_.dim), nn.Linear(self.encoder_.dim, self.dim))
        grid = torch.empty(0, len(rows), self.parts_.per_part(samples), self.dim)
        self.forecast_ = nn.ModuleList(
            [Forecast(self.dim, self.hidden, min(self.steps, way.shape[1] - 1)) for way in directions(grid)]
        )
        self.widths_ = [way.shape[2] for way in directions(grid)]

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        z = self.latent_(self.rows(batch, self.views_(batch)))  # (n, r, w, dim)
        ways = zip(self.forecast_, directions(z), strict=True)
        return torch.stack([self.contrast(way, forecast(way)) for forecast, way in ways]).mean()

    def contrast(self, z: Float[Tensor, "n r w d"], ahead: list[Tensor]) -> Float[Tensor, ""]:
        """The mean loss over all rows that are guessed, by the contexts of a direction."""
        z, losses = gather(z), []
        for k, guesses in enumerate(ahead, start=1):
            for guess, later in zip(gather(guesses).unbind(1), z[:, k:].unbind(1), strict=True):
                a, b = guess.flatten(0, 1), later.flatten(0, 1)  # (n·w, dim) each
                keep = draw_negatives(strangers(b), self.negatives)
                losses.append(future_contrast(a, b, temperature=self.temperature, keep=keep))
        return torch.stack(losses).mean()

    def rows(self, batch: Batch, rows: tuple[Batch, ...]) -> Float[Tensor, "n r w d"]:
        return torch.stack([self.encoder_(row).unflatten(0, (len(batch), -1)) for row in rows], dim=1)

    def represent(self, batch: Batch) -> Float[Tensor, "n d"]:
        return self.rows(batch, self.parts_.parts(batch)).mean(2).flatten(1)  # (n, r·d)

    @property
    def representation_dim(self) -> int:
        """Numbers per sample that `represent` returns."""
        return int(self.encoder_.dim) * len(self.parts_.describe(self.samples_))

    def embed(self, h: Float[Tensor, "n d"]) -> Float[Tensor, "n e"]:
        return self.latent_(h[:, : self.encoder_.dim])  # type: ignore[no-any-return]

    def loss_at_collapse(self) -> float:
        others = [self.negatives or self.batch_size * width - 1 for width in self.widths_]
        return sum(math.log(1 + number) for number in others) / len(others)
