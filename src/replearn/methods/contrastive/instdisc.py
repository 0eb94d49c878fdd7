"""InstDisc: every sample is a class of its own, told from all others by what a bank holds of them.

    batch --view--> x --encoder--> h --head--> z --nce(bank[own], bank[random])--> loss
                                               z --store--> bank[own]

Noise is drawn from all rows, the sample's own among them, as in the paper; rows of exact copies of it are left out.
The head is thrown away after training; the representation is h (the paper's nearest neighbours are of z).

References: Wu et al., CVPR 2018. https://arxiv.org/abs/1805.01978
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from replearn.data import Batch, Description, Samples
from replearn.data.processes import collect, gather
from replearn.encoders import make_encoder, mlp
from replearn.encoders.heads import unused_widths
from replearn.methods.base import JointEmbedding
from replearn.methods.state.bank import Bank, Constant
from replearn.methods.state.contents import Contents
from replearn.objectives import nce


@dataclass(kw_only=True, eq=False, repr=False)
class InstDisc(JointEmbedding):
    """Non-parametric instance discrimination, by noise-contrastive estimation and with a bank of all samples.

    Attributes:
        views: of which the first is taken, or the name of a preset; None takes the default for this kind of samples.
        hidden: width of the head's hidden layers.
        dim: numbers in an embedding z, and in a row of the bank.
        depth: linear layers of the head (the paper's has one).
        temperature: of the softmax over all samples; smaller looks harder at near ones (the paper's is 0.07).
        negatives: rows of the bank drawn at each step, the paper's m; at most all are drawn.
        proximal: weight of the distance to the sample's row in the bank.
        bank_momentum: share of the old row that the bank keeps; 0 replaces it, as the paper does.
    """

    family: ClassVar[str] = "contrastive"
    year: ClassVar[int] = 2018
    paper: ClassVar[str] = "https://arxiv.org/abs/1805.01978"
    split: ClassVar[str] = "single"

    hidden: int = 512
    dim: int = 128
    depth: int = 2
    temperature: float = 0.2
    negatives: int = 4096
    proximal: float = 30.0
    bank_momentum: float = 0.5
    learning_rate: float = 3e-3

    def build(self, samples: Description) -> None:
        self.encoder_ = make_encoder(self.encoder, samples)
        self.head_ = mlp(self.encoder_.dim, self.hidden, self.dim, depth=self.depth)
        self.bank_ = Bank(len(samples), self.dim)
        self.contents_ = Contents(len(samples))
        self.constant_ = Constant()

    def idle(self, samples: Samples) -> Mapping[str, str]:
        return unused_widths(self.depth)

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        z = gather(self.head_(self.encoder_(self.views_(batch)[0])))  # (n, dim)
        index = collect(batch.index)
        drawn, content = self.drawn(index), self.content(batch)
        before, noise = self.bank_(index), self.bank_(drawn)
        with torch.no_grad():
            similarity = F.normalize(z, dim=1) @ noise.T / self.temperature  # (n, m)
            first = similarity.logsumexp((0, 1)) - math.log(similarity.numel())
        loss = nce(
            z,
            before,
            noise,
            temperature=self.temperature,
            log_constant=self.constant_(first),
            proximal=self.proximal,
            own=self.contents_.copies(index=index, content=content, places=drawn),
        )
        self.bank_.store(index, z, momentum=self.bank_momentum)
        self.contents_.note(index, index=index, content=content)
        return loss

    def drawn(self, index: Tensor) -> Tensor:
        """Positions of random samples, the same on all processes."""
        n = len(self.samples_)
        return torch.randint(n, (min(self.negatives, n),), device=index.device)
