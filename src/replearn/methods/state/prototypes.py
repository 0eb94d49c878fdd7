"""Prototypes: a head's last layer, which says how near an embedding is to each of some learned directions."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class Prototypes(nn.Module):
    """The cosine of each embedding with each of `number` learned vectors.

    Rows and prototypes are divided by their lengths at every use, in float32: this is SwAV's layer of
    normalised prototypes, and DINO's l2-normalised bottleneck with its weight-normalised last layer.

    Args:
        dim: numbers per embedding.
        number: of prototypes.

    Example:
        >>> prototypes = Prototypes(2, 3)
        >>> _ = prototypes.weight.data.copy_(torch.tensor([[1.0, 0.0], [0.0, 5.0], [-2.0, 0.0]]))
        >>> prototypes(torch.tensor([[3.0, 0.0]])).tolist()
        [[1.0, 0.0, -1.0]]

    References: Caron et al., NeurIPS 2020, Algorithm 1. https://arxiv.org/abs/2006.09882 Caron et al., ICCV 2021,
        section 3.1. https://arxiv.org/abs/2104.14294
    """

    moving: Tensor

    def __init__(self, dim: int, number: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(F.normalize(torch.randn(number, dim), dim=1))
        self.register_buffer("moving", torch.ones(()))

    def forward(self, z: Float[Tensor, "n dim"]) -> Float[Tensor, "n k"]:
        with torch.autocast(z.device.type, enabled=False):
            # The weight itself, with a gradient that is 0 while frozen: each weight has one on every process.
            weight = torch.lerp(self.weight.detach(), self.weight, self.moving)  # (k, dim)
            z = z.to(torch.promote_types(z.dtype, torch.float32))
            return F.linear(F.normalize(z, dim=1), F.normalize(weight, dim=1))

    def freeze(self, frozen: bool) -> None:
        """Whether prototypes stay where they are: while embeddings change fast, at the start of training."""
        self.moving.fill_(not frozen)


class PrototypeHead(nn.Module):
    """DINO's head: three linear layers with BatchNorm and GELU between them, then prototypes.

    BatchNorm is the paper's option (appendix C). Without it the embeddings of an encoder that ends in ReLU are nearly
    one vector at first, the centre takes away all that they have in common, and the loss stays at ln `number`.

    Args:
        in_dim: numbers per row that come in.
        hidden: width of the two layers between.
        dim: numbers in an embedding, the bottleneck before the prototypes.
        number: of prototypes.

    Example:
        >>> PrototypeHead(512, 2048, 256, 1000)(torch.zeros(4, 512)).shape
        torch.Size([4, 1000])

    References: Caron et al., ICCV 2021, appendix C. https://arxiv.org/abs/2104.14294
    """

    def __init__(self, in_dim: int, hidden: int, dim: int, number: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Linear(in_dim, hidden, bias=False), nn.BatchNorm1d(hidden), nn.GELU()),
            *(nn.Linear(hidden, hidden, bias=False), nn.BatchNorm1d(hidden), nn.GELU()),
            nn.Linear(hidden, dim),
        )
        self.prototypes = Prototypes(dim, number)

    def forward(self, h: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        scores: Tensor = self.prototypes(self.layers(h))  # (n, k)
        return scores
