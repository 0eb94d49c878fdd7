"""SimCLR: agree on two views of one sample, disagree on views of different samples.

    batch --views--> a, b --encoder--> h --head--> z --nt_xent--> loss

Samples of a batch that are equal are no negatives of each other.
The head is thrown away after training; the representation is h. In version 2 it is what comes out of the first
layer of a head of three: `depth=3, layer=1`.

References: Chen et al., ICML 2020, Algorithm 1. https://arxiv.org/abs/2002.05709
Version 2: Chen et al., NeurIPS 2020, section 2. https://arxiv.org/abs/2006.10029
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples
from replearn.data.processes import gather
from replearn.encoders import first_layers, make_encoder, mlp
from replearn.encoders.heads import unused_widths
from replearn.methods.base import JointEmbedding
from replearn.objectives import nt_xent
from replearn.objectives.contrast import draw_negatives, negative_mask


@dataclass(kw_only=True, eq=False, repr=False)
class SimCLR(JointEmbedding):
    """A simple framework for contrastive learning of representations.

    Attributes:
        hidden: width of the head's hidden layers.
        dim: numbers in an embedding z.
        depth: linear layers of the head; 0 is no head at all, z = h.
        layer: what is the representation: 0 the encoder's h, 1 or more what comes out of that layer of the head.
        temperature: of the softmax over similarities; smaller looks harder at near samples.
        negatives: how many of the other samples' views a view is told from, drawn at each step; None: from all.
    """

    family: ClassVar[str] = "contrastive"
    year: ClassVar[int] = 2020
    paper: ClassVar[str] = "https://arxiv.org/abs/2002.05709"

    hidden: int = 512
    dim: int = 128
    depth: int = 2
    layer: int = 0
    temperature: float = 0.5
    negatives: int | None = None
    learning_rate: float = 3e-3

    def build(self, samples: Description) -> None:
        self.encoder_ = make_encoder(self.encoder, samples)
        in_dim = self.encoder_.dim
        self.head_ = mlp(in_dim, self.hidden, self.dim, depth=self.depth) if self.depth else nn.Sequential()
        first_layers(self.head_, self.layer)  # refuses a layer that there is not

    def idle(self, samples: Samples) -> Mapping[str, str]:
        return unused_widths(self.depth)

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        a, b = (gather(self.head_(self.encoder_(view))) for view in self.views_(batch))  # (n, dim) each
        keep = draw_negatives(negative_mask(a, b, content=self.content(batch)), self.negatives)
        return nt_xent(a, b, temperature=self.temperature, keep=keep)

    def represent(self, batch: Batch) -> Float[Tensor, "n d"]:
        h: Tensor = first_layers(self.head_, self.layer)(self.encoder_(batch))
        return h

    def embed(self, h: Float[Tensor, "n d"]) -> Float[Tensor, "n e"]:
        rest = self.head_[len(first_layers(self.head_, self.layer)) :]
        return rest(h)  # type: ignore[no-any-return]

    @property
    def representation_dim(self) -> int:
        """Numbers per sample that `represent` returns."""
        if self.layer == 0:
            return int(self.encoder_.dim)
        return self.dim if self.layer == self.depth else self.hidden

    def loss_at_collapse(self) -> float:
        return math.log(1 + (self.negatives or 2 * self.batch_size - 2))
