"""SimMIM: tell the numbers of hidden patches by one linear layer, from an encoder that sees a token in their places.

    batch --patches--> embeddings --a token at hidden places--> all places --encoder--> states --linear--> predicted
    predicted patches --absolute error(hidden patches)--> loss

The encoder computes all places, hidden ones too: it costs more than MAE, and any encoder of patches will do that puts
each state where its patch was. The representation is the mean of the states of all patches, none hidden.

References: Xie et al., CVPR 2022, section 3. https://arxiv.org/abs/2111.09886
"""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from replearn.data import Batch, Description
from replearn.data.processes import gather
from replearn.encoders.patching import chosen
from replearn.methods.masked.patches import PatchPrediction
from replearn.objectives.patches import patch_errors


@dataclass(kw_only=True, eq=False, repr=False)
class SimMIM(PatchPrediction):
    """A simple framework for masked image modelling."""

    year: ClassVar[int] = 2022
    paper: ClassVar[str] = "https://arxiv.org/abs/2111.09886"

    share: float = 0.6
    normalise: bool = False
    batch_size: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 0.05

    def build(self, samples: Description) -> None:
        super().build(samples)
        self.token_ = nn.Embedding(1, self.encoder_.dim)
        nn.init.normal_(self.token_.weight, std=0.02)
        self.decoder_ = nn.Linear(self.encoder_.dim, self.numbers_)

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        view = self.view(batch)
        keep, hidden = self.hide(view)
        target = self.target(chosen(self.encoder_.patches(view), hidden))  # (n, m, v)
        told = self.predict(view, keep, hidden)
        errors = patch_errors(told, target, sets=self.encoder_.sets, power=1)  # (n, m)
        return gather(errors.mean(1)).mean()

    def predict(
        self, batch: Batch, keep: Int[Tensor, "n k"], hidden: Int[Tensor, "n m"]
    ) -> Float[Tensor, "n m v"]:
        blank = torch.zeros(
            len(hidden), prod(self.encoder_.grid(batch)), dtype=torch.bool, device=hidden.device
        )
        blank = blank.scatter(1, hidden, value=True)  # (n, p)
        states = self.encoder_.read(batch, "states", hidden=blank, token=self.token_.weight[0])  # (n, p, d)
        told: Tensor = self.decoder_(chosen(states, hidden))
        return told
