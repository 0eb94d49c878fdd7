"""VICReg: views agree, every number of an embedding keeps its variance, and no two vary together.

    batch --views--> a, b --encoder--> h --head--> z --vicreg--> loss

No negatives: the variance, over the batch, is what forbids collapse. The head is thrown away after training; the
representation is h.

References: Bardes, Ponce & LeCun, ICLR 2022, section 4. https://arxiv.org/abs/2105.04906
"""

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Description
from replearn.data.processes import gather
from replearn.encoders import make_encoder, mlp
from replearn.methods.base import JointEmbedding
from replearn.objectives import vicreg
from replearn.objectives.redundancy import EPSILON


@dataclass(kw_only=True, eq=False, repr=False)
class VICReg(JointEmbedding):
    """Variance-invariance-covariance regularization.

    Attributes:
        hidden: width of the head's two hidden layers.
        dim: numbers in an embedding z; unlike in contrast, more of them help.
        invariance: weight of the squared distance of views, mean over the numbers (as in the paper's Algorithm 1).
        variance: weight of standard deviations below 1.
        covariance: weight of covariances.
    """

    family: ClassVar[str] = "joint_embedding"
    year: ClassVar[int] = 2022
    paper: ClassVar[str] = "https://arxiv.org/abs/2105.04906"

    hidden: int = 512
    dim: int = 512
    invariance: float = 25.0
    variance: float = 25.0
    covariance: float = 1.0
    learning_rate: float = 3e-3

    def build(self, samples: Description) -> None:
        self.encoder_ = make_encoder(self.encoder, samples)
        self.head_ = mlp(self.encoder_.dim, self.hidden, self.dim, depth=3)

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        a, b = (self.head_(self.encoder_(view)) for view in self.views_(batch))  # (n, dim) each
        return vicreg(
            gather(a),
            gather(b),
            invariance=self.invariance / self.dim,
            variance=self.variance,
            covariance=self.covariance,
        )

    def loss_at_collapse(self) -> float:
        return 2 * self.variance * (1 - sqrt(EPSILON))
