"""Deep belief network: Boltzmann machines on top of each other, each learns to make what the one below found.

    batch --units--> v --RBM 1--> h1 --RBM 2--> h2 ... --> h
                     contrastive_divergence of each, given what is below --> loss

Greedy: the share `k / depth` of training done, layer `k + 1` begins to learn, and no layer ever hears of those above
it. The ones below go on learning at the falling rate. The representation is the mean of the highest units; samples come
from Gibbs chains in the highest machine, down through the others.

References: Hinton, Osindero & Teh, Neural Computation 2006. https://doi.org/10.1162/neco.2006.18.7.1527
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from replearn.data import Batch, Description
from replearn.methods.reconstruction.boltzmann import BoltzmannMachine


class Turn(nn.Module):
    """How many layers learn by now, a buffer: saved and resumed."""

    layers: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("layers", torch.ones((), dtype=torch.int64))


@dataclass(kw_only=True, eq=False, repr=False)
class DeepBelief(BoltzmannMachine):
    """Stacked Boltzmann machines, trained from the bottom up.

    Attributes:
        hidden: units in each layer below the highest.
        depth: layers.
    """

    year: ClassVar[int] = 2006
    paper: ClassVar[str] = "https://doi.org/10.1162/neco.2006.18.7.1527"

    hidden: int = 512
    depth: int = 2

    def sizes(self) -> list[int]:
        return [self.hidden] * (self.depth - 1) + [self.dim]

    def build(self, samples: Description) -> None:
        if self.hidden < 1 or self.depth < 2:
            raise ValueError(
                f"hidden must be at least 1 and depth at least 2; got {self.hidden} and {self.depth}. "
                "One layer is an RBM."
            )
        super().build(samples)
        self.turn_ = Turn()

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        learning = int(self.turn_.layers)
        with torch.no_grad():
            below = self.up(batch)
        losses = [
            self.layer_loss(layer, p, batch)
            for layer, p in zip(self.machines[:learning], below, strict=False)
        ]
        # Zeros, so that all processes have a gradient of everything.
        losses += [
            0 * torch.stack([p.sum() for p in layer.parameters()]).sum() for layer in self.machines[learning:]
        ]
        return torch.stack(losses).sum()

    def after_step(self, progress: float) -> None:
        self.turn_.layers.fill_(min(self.depth, 1 + int(progress * self.depth)))
