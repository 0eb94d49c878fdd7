"""SSL-HSIC: embeddings depend, by a kernel's measure, on the sample that they are views of.

    batch --views--> a, b --encoder--> h --head--> z --ssl_hsic--> loss

Without a target network, the simpler of the paper's two ways. The head is thrown away after training; the
representation is h.

References: Li, Pogodin, Sutherland & Gretton, NeurIPS 2021, section 3. https://arxiv.org/abs/2106.08320
"""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Description
from replearn.data.processes import gather
from replearn.encoders import make_encoder, mlp
from replearn.methods.base import JointEmbedding
from replearn.objectives import ssl_hsic


@dataclass(kw_only=True, eq=False, repr=False)
class SSLHSIC(JointEmbedding):
    """Self-supervised learning with kernel dependence maximization.

    Attributes:
        hidden: width of the head's hidden layer.
        dim: numbers in an embedding z.
        gamma: weight of the dependence of embeddings on themselves. What an encoder says at the start must vary in
            more than gamma² directions, or it collapses: the paper's 3 asks for wide heads and large batches.
        scale: the distance beyond which the kernel falls.
    """

    family: ClassVar[str] = "joint_embedding"
    year: ClassVar[int] = 2021
    paper: ClassVar[str] = "https://arxiv.org/abs/2106.08320"

    hidden: int = 512
    dim: int = 128
    gamma: float = 1.0
    scale: float = 1.0
    learning_rate: float = 3e-3

    def build(self, samples: Description) -> None:
        self.encoder_ = make_encoder(self.encoder, samples)
        self.head_ = mlp(self.encoder_.dim, self.hidden, self.dim)

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        a, b = (self.head_(self.encoder_(view)) for view in self.views_(batch))  # (n, dim) each
        return ssl_hsic(gather(a), gather(b), gamma=self.gamma, scale=self.scale)

    def loss_at_collapse(self) -> float:
        return 0.0
