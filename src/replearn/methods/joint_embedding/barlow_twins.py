"""Barlow Twins: each number of an embedding agrees between views, and repeats no other number.

    batch --views--> a, b --encoder--> h --head--> z --barlow_twins--> loss

No negatives: samples are compared with none, numbers are, over the batch. The head is thrown away after training;
the representation is h.

References: Zbontar et al., ICML 2021, section 2. https://arxiv.org/abs/2103.03230
"""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Description
from replearn.data.processes import gather
from replearn.encoders import make_encoder, mlp
from replearn.methods.base import JointEmbedding
from replearn.objectives import barlow_twins


@dataclass(kw_only=True, eq=False, repr=False)
class BarlowTwins(JointEmbedding):
    """Barlow Twins: self-supervised learning via redundancy reduction.

    Attributes:
        hidden: width of the head's two hidden layers.
        dim: numbers in an embedding z; unlike in contrast, more of them help.
        redundancy: weight of what different numbers have in common.
    """

    family: ClassVar[str] = "joint_embedding"
    year: ClassVar[int] = 2021
    paper: ClassVar[str] = "https://arxiv.org/abs/2103.03230"

    hidden: int = 512
    dim: int = 512
    redundancy: float = 5e-3
    learning_rate: float = 3e-3

    def build(self, samples: Description) -> None:
        self.encoder_ = make_encoder(self.encoder, samples)
        self.head_ = mlp(self.encoder_.dim, self.hidden, self.dim, depth=3)

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        a, b = (self.head_(self.encoder_(view)) for view in self.views_(batch))  # (n, dim) each
        return barlow_twins(gather(a), gather(b), redundancy=self.redundancy)

    def loss_at_collapse(self) -> float:
        return float(self.dim)
