"""SimSiam: predict the embedding of the other view, which holds still: no negatives, no teacher.

    batch --views--> a --encoder--> h --head--> z --predictor--> p --+
                     b --encoder--> h --head--> z, no gradient ------+--negative_cosine--> loss

and the same with a and b exchanged, in equal parts. What keeps embeddings from collapsing is that no gradient
reaches the side that is predicted.

References: Chen & He, CVPR 2021, Algorithm 1 and equation 4. https://arxiv.org/abs/2011.10566
"""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Description
from replearn.data.processes import gather
from replearn.encoders import make_encoder, mlp
from replearn.methods.base import JointEmbedding
from replearn.objectives import negative_cosine


@dataclass(kw_only=True, eq=False, repr=False)
class SimSiam(JointEmbedding):
    """Exploring simple Siamese representation learning.

    Attributes:
        hidden: width of the head's hidden layers.
        dim: numbers in an embedding z.
        bottleneck: width of the predictor's hidden layer, smaller than `dim`.
        stop_gradient: whether the side that is predicted holds still; without it embeddings collapse, which is
            the paper's own ablation (figure 2).
    """

    family: ClassVar[str] = "joint_embedding"
    year: ClassVar[int] = 2021
    paper: ClassVar[str] = "https://arxiv.org/abs/2011.10566"
    why_collapse: ClassVar[str] = "Is stop_gradient on, has the predictor a bottleneck?"

    hidden: int = 512
    dim: int = 512
    bottleneck: int = 128
    stop_gradient: bool = True
    learning_rate: float = 3e-3

    def build(self, samples: Description) -> None:
        self.encoder_ = make_encoder(self.encoder, samples)
        self.head_ = mlp(self.encoder_.dim, self.hidden, self.dim, depth=3, last_norm=True)
        self.predictor_ = mlp(self.dim, self.bottleneck, self.dim)

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        z_a, z_b = (self.head_(self.encoder_(view)) for view in self.views_(batch))  # (n, dim) each
        p_a, p_b = (gather(self.predictor_(z)) for z in (z_a, z_b))  # (n, dim) each
        z_a, z_b = (gather(z.detach() if self.stop_gradient else z) for z in (z_a, z_b))
        return (negative_cosine(p_a, z_b) + negative_cosine(p_b, z_a)) / 2
