"""BYOL: predict the embedding that a slow copy of the same networks gives to the other view.

    batch --views--> a --encoder--> h --head--> z --predictor--> p ---+
                     b --teacher's encoder and head-----------> z' ---+--2 + 2 negative_cosine--> loss

and the same with a and b exchanged. There are no negatives; what keeps embeddings from collapsing is that the
teacher gets no gradient and only follows, and that the predictor stands between. The teacher follows ever more
slowly, until it stands still at the end.

References: Grill et al., NeurIPS 2020, section 3.1 and equation 2. https://arxiv.org/abs/2006.07733
"""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Description
from replearn.data.processes import gather
from replearn.encoders import make_encoder, mlp
from replearn.methods.base import JointEmbedding
from replearn.methods.state.teacher import Teacher, rising_momentum
from replearn.objectives import negative_cosine


@dataclass(kw_only=True, eq=False, repr=False)
class BYOL(JointEmbedding):
    """Bootstrap your own latent: a new approach to self-supervised learning.

    Attributes:
        hidden: width of the hidden layers of head and predictor.
        dim: numbers in an embedding z.
        momentum: of the teacher at the start; it rises to 1. Longer trainings want more, the paper's of 0.996.
    """

    family: ClassVar[str] = "joint_embedding"
    year: ClassVar[int] = 2020
    paper: ClassVar[str] = "https://arxiv.org/abs/2006.07733"
    why_collapse: ClassVar[str] = "Does the teacher follow slowly enough (momentum)?"

    hidden: int = 512
    dim: int = 128
    momentum: float = 0.8
    learning_rate: float = 3e-3

    def build(self, samples: Description) -> None:
        self.encoder_ = make_encoder(self.encoder, samples)
        self.head_ = mlp(self.encoder_.dim, self.hidden, self.dim)
        self.predictor_ = mlp(self.dim, self.hidden, self.dim)
        self.teacher_ = Teacher(self.encoder_, self.head_)

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        a, b = self.views_(batch)
        p_a, p_b = (gather(self.predictor_(self.head_(self.encoder_(view)))) for view in (a, b))  # (n, dim)
        z_a, z_b = (gather(self.teacher_(view)) for view in (a, b))  # (n, dim) each
        return 4 + 2 * (negative_cosine(p_a, z_b) + negative_cosine(p_b, z_a))

    def after_step(self, progress: float) -> None:
        momentum = rising_momentum(progress, start=self.momentum)
        self.teacher_.follow(self.encoder_, self.head_, momentum=momentum)
