"""PIRL: a sample and its shuffled patches have one representation, the one that a bank holds of the sample.

    batch --views--> image --encoder--> h --head--> z --nce(bank[own], bank[random])--> loss
                     patches --encoder--> h_1, ..., h_p --puzzle--> z' --nce(same)-----> loss
                                              z --store--> bank[own]

Rows of the sample itself, and of exact copies of it, are no noise. Both heads are thrown away after training; the
representation is h.

References: Misra & van der Maaten, CVPR 2020. https://arxiv.org/abs/1912.01991
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Description, Samples
from replearn.data.processes import collect, gather
from replearn.encoders import make_encoder, mlp
from replearn.encoders.heads import unused_widths
from replearn.methods.base import JointEmbedding
from replearn.methods.state.bank import Bank
from replearn.methods.state.contents import Contents
from replearn.objectives import nce
from replearn.views.defaults import parts_of


@dataclass(kw_only=True, eq=False, repr=False)
class PIRL(JointEmbedding):
    """Pretext-invariant representation learning, with the jigsaw puzzle as pretext.

    Attributes:
        views: the sample and at least one part of it, or the name of a preset; None takes the default for this kind
            of samples.
        hidden: width of the heads' hidden layers.
        dim: numbers in an embedding z, in what is kept of a patch, and in a row of the bank.
        depth: linear layers of each head (the paper's have one).
        temperature: of the similarities; smaller looks harder at near samples (the paper's is 0.07).
        negatives: rows of the bank drawn at each step; at most all are drawn.
        weight: of the patches' loss, λ in the paper, in [0, 1]; the image's has the rest.
        bank_momentum: share of the old row that the bank keeps.
    """

    family: ClassVar[str] = "contrastive"
    year: ClassVar[int] = 2020
    paper: ClassVar[str] = "https://arxiv.org/abs/1912.01991"
    split: ClassVar[str] = "jigsaw"

    hidden: int = 512
    dim: int = 128
    depth: int = 2
    temperature: float = 0.1
    negatives: int = 4096
    weight: float = 0.5
    bank_momentum: float = 0.5
    learning_rate: float = 1e-3

    def build(self, samples: Description) -> None:
        parts = len(parts_of(self.views, samples, self.split).describe(samples)) - 1
        if parts < 1 or not 0 <= self.weight <= 1:
            raise ValueError(
                f"PIRL needs views of a sample and of 1 part or more, and a weight in [0, 1]; got {parts} parts, "
                f"weight {self.weight}. Use Jigsaw(...) or Pair(...)."
            )
        self.encoder_ = make_encoder(self.encoder, samples)
        self.head_ = mlp(self.encoder_.dim, self.hidden, self.dim, depth=self.depth)
        self.patch_ = mlp(self.encoder_.dim, self.hidden, self.dim, depth=self.depth)
        self.puzzle_ = mlp(parts * self.dim, self.hidden, self.dim, depth=self.depth)
        self.bank_ = Bank(len(samples), self.dim)
        self.contents_ = Contents(len(samples))

    def idle(self, samples: Samples) -> Mapping[str, str]:
        return unused_widths(self.depth)

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        image, *patches = self.views_(batch)
        z = gather(self.head_(self.encoder_(image)))  # (n, dim)
        pieces = torch.cat([self.patch_(self.encoder_(patch)) for patch in patches], dim=1)  # (n, p·dim)
        shuffled = gather(self.puzzle_(pieces))  # (n, dim)
        index = collect(batch.index)
        n = len(self.samples_)
        drawn = torch.randint(n, (min(self.negatives, n),), device=index.device)
        content = self.content(batch)
        copies = self.contents_.copies(index=index, content=content, places=drawn)  # (n, m)
        own, before, noise = (index[:, None] == drawn) | copies, self.bank_(index), self.bank_(drawn)
        puzzle, plain = (nce(a, before, noise, temperature=self.temperature, own=own) for a in (shuffled, z))
        self.bank_.store(index, z, momentum=self.bank_momentum)
        self.contents_.note(index, index=index, content=content)
        return self.weight * puzzle + (1 - self.weight) * plain
