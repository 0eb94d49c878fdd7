"""AlignUniform: views of one sample lie near each other, and samples fill the sphere.

    batch --views--> a, b --encoder--> h --head--> z --alignment----------------> loss
                                                     `-uniformity of each view--> loss

The two quantities that SimCLR's loss makes small at once, here apart, so that each has its weight. Equal samples of
a batch do not repel each other. The head is thrown away after training; the representation is h.

References: Wang & Isola, ICML 2020, section 5. https://arxiv.org/abs/2005.10242
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Description, Samples
from replearn.data.processes import gather
from replearn.encoders import make_encoder, mlp
from replearn.methods.base import JointEmbedding
from replearn.objectives import alignment, uniformity
from replearn.objectives.contrast import negative_mask


@dataclass(kw_only=True, eq=False, repr=False)
class AlignUniform(JointEmbedding):
    """Alignment and uniformity on the hypersphere, trained directly.

    Attributes:
        hidden: width of the head's hidden layer.
        dim: numbers in an embedding z.
        alignment: weight of the distance between views of one sample.
        uniformity: weight of how evenly samples fill the sphere.
        power: of that distance, at least 1.
        scale: of the Gaussian potential between samples; larger looks at nearer ones.
    """

    family: ClassVar[str] = "contrastive"
    year: ClassVar[int] = 2020
    paper: ClassVar[str] = "https://arxiv.org/abs/2005.10242"

    hidden: int = 512
    dim: int = 128
    alignment: float = 1.0
    uniformity: float = 1.0
    power: float = 2.0
    scale: float = 2.0
    learning_rate: float = 3e-3

    def build(self, samples: Description) -> None:
        self.encoder_ = make_encoder(self.encoder, samples)
        self.head_ = mlp(self.encoder_.dim, self.hidden, self.dim)

    def idle(self, samples: Samples) -> Mapping[str, str]:
        of = {"power": self.alignment, "scale": self.uniformity}
        return {name: "the weight of its term is 0" for name, weight in of.items() if not weight}

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        a, b = (gather(self.head_(self.encoder_(view))) for view in self.views_(batch))  # (n, dim) each
        keep = negative_mask(a, content=self.content(batch))
        uniform = sum(uniformity(view, scale=self.scale, keep=keep) for view in (a, b)) / 2
        return self.alignment * alignment(a, b, power=self.power) + self.uniformity * uniform

    def loss_at_collapse(self) -> float:
        return 0.0
