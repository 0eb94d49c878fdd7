"""CMC: groups of channels of one sample agree, each seen by an encoder of its own; other samples' disagree.

    batch --views--> L  --encoder 1--> h_1 --head 1--> z_1 --+
                     ab --encoder 2--> h_2 --head 2--> z_2 --+--info_nce of every pair, both ways--> loss

The heads are thrown away after training; the representation is the join of all h.

References: Tian, Krishnan & Isola, ECCV 2020. https://arxiv.org/abs/1906.05849
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples
from replearn.data.processes import gather
from replearn.encoders import Encoder, make_encoder, mlp
from replearn.encoders.heads import unused_widths
from replearn.methods.base import JointEmbedding
from replearn.objectives import info_nce
from replearn.objectives.contrast import draw_negatives, negative_mask
from replearn.views.defaults import parts_of


@dataclass(kw_only=True, eq=False, repr=False)
class CMC(JointEmbedding):
    """Contrastive multiview coding over the full graph of groups; the other samples of the batch are the negatives.

    Attributes:
        views: two or more groups of a sample, or the name of a preset; None takes the default for this kind of
            samples.
        hidden: width of the heads' hidden layers.
        dim: numbers in an embedding z.
        depth: linear layers of a head (the paper's have one).
        temperature: of the softmax over similarities; smaller looks harder at near samples.
        negatives: how many of the other samples one is told from, drawn at each step; None: from all of the batch.
    """

    family: ClassVar[str] = "contrastive"
    year: ClassVar[int] = 2020
    paper: ClassVar[str] = "https://arxiv.org/abs/1906.05849"
    split: ClassVar[str] = "groups"

    hidden: int = 512
    dim: int = 128
    depth: int = 2
    temperature: float = 0.1
    negatives: int | None = None
    learning_rate: float = 3e-3

    def build(self, samples: Description) -> None:
        self.parts_ = parts_of(self.views, samples, self.split)
        groups = self.parts_.describe(samples)
        if len(groups) < 2:
            raise ValueError(
                f"CMC needs views of 2 groups or more; got {len(groups)}. Use Groups() or Pair(...)."
            )
        encoders = [make_encoder(self.encoder, group) for group in groups]
        self.encoders_ = nn.ModuleList(encoders)
        self.heads_ = nn.ModuleList([mlp(e.dim, self.hidden, self.dim, depth=self.depth) for e in encoders])

    def idle(self, samples: Samples) -> Mapping[str, str]:
        return unused_widths(self.depth)

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        networks = zip(self.heads_, self.encoders_, self.views_(batch), strict=True)
        z = [gather(head(encoder(group))) for head, encoder, group in networks]  # (n, dim) each
        losses, content = [], self.content(batch)
        for a, b in permutations(z, 2):
            keep = draw_negatives(negative_mask(a, content=content), self.negatives)
            losses.append(info_nce(a, b, temperature=self.temperature, keep=keep))
        return torch.stack(losses).sum()

    def represent(self, batch: Batch) -> Float[Tensor, "n d"]:
        groups = zip(self.encoders_, self.parts_.parts(batch), strict=True)
        return torch.cat([encoder(group) for encoder, group in groups], dim=1)

    def embed(self, h: Float[Tensor, "n d"]) -> Float[Tensor, "n e"]:
        """That of the first group."""
        size = self.heads_[0][0].in_features  # type: ignore[index]
        return self.heads_[0](h[:, :size])  # type: ignore[no-any-return]

    @property
    def representation_dim(self) -> int:
        """Numbers per sample that `represent` returns."""
        return sum(encoder.dim for encoder in self.encoders_ if isinstance(encoder, Encoder))

    def loss_at_collapse(self) -> float:
        pairs = len(self.encoders_) * (len(self.encoders_) - 1)
        return pairs * math.log(1 + (self.negatives or self.batch_size - 1))
