"""SimCLR: agree on two views of one sample, disagree on views of different samples.

    batch --views--> a, b --encoder--> h --head--> z --nt_xent--> loss

The head is thrown away after training; the representation is h.

References: Chen et al., ICML 2020, Algorithm 1. https://arxiv.org/abs/2002.05709
"""

import math
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Description
from replearn.encoders import make_encoder, mlp
from replearn.engine.distributed import gather
from replearn.methods.base import Method
from replearn.objectives import nt_xent
from replearn.views import Split


@dataclass(kw_only=True, eq=False, repr=False)
class SimCLR(Method):
    """A simple framework for contrastive learning of representations.

    Attributes:
        views: two views of a batch, or the name of a preset; None takes the default for this kind of samples.
        hidden: width of the head's hidden layer.
        dim: numbers in an embedding z.
        temperature: of the softmax over similarities; smaller looks harder at near samples.
    """

    family: ClassVar[str] = "contrastive"
    kinds: ClassVar[tuple[str, ...]] = ("image", "table")
    year: ClassVar[int] = 2020
    paper: ClassVar[str] = "https://arxiv.org/abs/2002.05709"
    smallest_batch: ClassVar[int] = 2
    why_not_smaller: ClassVar[str] = "the other samples are its negatives"
    for_smaller: ClassVar[str] = "BYOL or VICReg to do without negatives"

    views: Split | str | None = None
    hidden: int = 512
    dim: int = 128
    temperature: float = 0.5
    learning_rate: float = 3e-3

    def build(self, samples: Description) -> None:
        self.encoder_ = make_encoder(self.encoder, samples)
        self.head_ = mlp(self.encoder_.dim, self.hidden, self.dim)

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        a, b = (self.head_(self.encoder_(view)) for view in self.views_(batch))  # (n, dim) each
        return nt_xent(gather(a), gather(b), temperature=self.temperature)

    def loss_at_collapse(self) -> float:
        return math.log(2 * self.batch_size - 1)
