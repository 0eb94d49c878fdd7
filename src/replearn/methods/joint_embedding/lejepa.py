"""LeJEPA: views agree with the mean of the large ones, and embeddings are distributed as a standard normal.

    batch --crops--> views --encoder--> h --head--> z --+--squared distance to the mean z of large views--+--> loss
                                                        +--sigreg of each view along random directions----+

No teacher, no predictor, nothing that stops gradients: a normal distribution is no collapse, and of all distributions
of a given variance it is the best one for tasks that are not known yet. One weight is left. The head is thrown away.

References: Balestriero & LeCun, 2025, section 5 and Algorithms 1 and 2. https://arxiv.org/abs/2511.08544
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Description, Samples
from replearn.data.processes import gather
from replearn.encoders import make_encoder, mlp
from replearn.methods.base import JointEmbedding
from replearn.objectives import sigreg
from replearn.objectives.sigreg import directions


@dataclass(kw_only=True, eq=False, repr=False)
class LeJEPA(JointEmbedding):
    """Latent Euclidean joint-embedding predictive architecture.

    Attributes:
        hidden: width of the head's two hidden layers.
        dim: numbers in an embedding z.
        gaussian: weight of SIGReg; that of the distance of views is 1 less it.
        directions: along which embeddings are tested in a step.
    """

    family: ClassVar[str] = "joint_embedding"
    year: ClassVar[int] = 2025
    paper: ClassVar[str] = "https://arxiv.org/abs/2511.08544"
    split: ClassVar[str] = "crops"
    why_collapse: ClassVar[str] = "Is the weight of SIGReg (gaussian) too small?"

    hidden: int = 512
    dim: int = 64
    gaussian: float = 0.05
    directions: int = 256
    batch_size: int = 128
    learning_rate: float = 3e-3

    def build(self, samples: Description) -> None:
        self.encoder_ = make_encoder(self.encoder, samples)
        self.head_ = mlp(self.encoder_.dim, self.hidden, self.dim, depth=3)

    def idle(self, samples: Samples) -> Mapping[str, str]:
        return {} if self.gaussian else {"directions": "nothing is tested along them (gaussian=0)"}

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        views = self.views_(batch)
        z = torch.stack([gather(self.head_(self.encoder_(view))) for view in views])  # (views, n, dim)
        centre = z[: len(self.views_.wholes(views))].mean(0)  # (n, dim)
        distance = (z - centre).square().mean()
        if not self.gaussian:
            return distance
        along = directions(z[0], self.directions)  # (dim, m)
        normal = torch.stack([sigreg(view @ along) for view in z]).mean()
        return (1 - self.gaussian) * distance + self.gaussian * normal

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        """How far embeddings are from a standard normal: about 1 where they are one."""
        z = self.head_(self.encoder_(batch)).float()
        return {"sigreg": sigreg(z @ directions(z, self.directions))}

    def loss_at_collapse(self) -> float:
        return self.gaussian * float(sigreg(torch.zeros(self.batch_size, 1)))
