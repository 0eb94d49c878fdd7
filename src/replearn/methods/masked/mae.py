"""MAE: tell the patches of a sample that are hidden, three in four, from the others.

    batch --patches--> p --a quarter, at random--> visible --encoder--> states --+
                         hidden places, a token at each ------------------------+--decoder--> predicted patches
    predicted patches --squared_error(hidden patches, each of mean 0 and deviation 1)--> loss

The encoder computes visible patches alone: hidden ones are dropped before its first layer, and cost nothing. The
decoder is thrown away after training. The representation is the mean of the states of all patches, none hidden.

References: He et al., CVPR 2022, section 3. https://arxiv.org/abs/2111.06377
"""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from replearn.data import Batch, Description, Samples
from replearn.encoders import PatchPredictor
from replearn.encoders.patching import chosen
from replearn.engine.distributed import gather
from replearn.methods.exhibit import Exhibit
from replearn.methods.masked.patches import MaskedPatches, check_share, hide
from replearn.objectives.patches import denormalised, normalised


@dataclass(kw_only=True, eq=False, repr=False)
class MAE(MaskedPatches):
    """Masked autoencoder.

    Attributes:
        share: of the patches that are hidden.
        width, depth: of the decoder, numbers per state and blocks.
        normalise: whether a hidden patch is predicted with its own mean taken off, divided by its own deviation.
    """

    year: ClassVar[int] = 2022
    paper: ClassVar[str] = "https://arxiv.org/abs/2111.06377"

    share: float = 0.75
    width: int = 96
    depth: int = 1
    normalise: bool = True
    batch_size: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 0.05

    def check(self, samples: Samples) -> None:
        super().check(samples)
        check_share(self.share)

    def build(self, samples: Description) -> None:
        super().build(samples)
        self.decoder_ = PatchPredictor(
            self.encoder_.dim, width=self.width, depth=self.depth, out=self.numbers_
        )

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        return gather(self.errors(self.view(batch))).mean()

    def hide(self, batch: Batch) -> tuple[Int[Tensor, "n k"], Int[Tensor, "n m"]]:
        """The places of patches that are seen, and of those that are hidden."""
        return hide(batch, prod(self.encoder_.grid(batch)), self.share)

    def errors(self, batch: Batch) -> Float[Tensor, " n"]:
        """The mean squared error of each sample's hidden patches."""
        keep, hidden = self.hide(batch)
        target = self.target(chosen(self.encoder_.patches(batch), hidden))  # (n, m, v)
        return (self.predict(batch, keep, hidden) - target).square().mean((1, 2))

    def target(self, patches: Float[Tensor, "n m v"]) -> Float[Tensor, "n m v"]:
        """What is predicted of patches."""
        return normalised(patches) if self.normalise else patches

    def predict(
        self, batch: Batch, keep: Int[Tensor, "n k"], hidden: Int[Tensor, "n m"]
    ) -> Float[Tensor, "n m v"]:
        """What the decoder says of the hidden patches, where those to keep are seen."""
        states = self.encoder_.read(batch, "states", keep=keep)  # (n, k, d)
        told: Tensor = self.decoder_(states, keep, hidden, self.encoder_.grid(batch))
        return told

    def reconstruct(
        self, batch: Batch, keep: Int[Tensor, "n k"], hidden: Int[Tensor, "n m"]
    ) -> tuple[Tensor, Tensor]:
        """The samples without their hidden patches, which are as the mean, and with the predicted ones in their place.

        A normalised patch gets back its own mean and deviation, which the decoder does not know (as in the paper's
        figures).
        """
        patches = self.encoder_.patches(batch)  # (n, p, v)
        told = self.predict(batch, keep, hidden)
        if self.normalise:
            told = denormalised(told, chosen(patches, hidden))
        places = hidden[:, :, None].expand_as(told)
        seen, filled = (
            patches.scatter(1, places, rows.to(patches.dtype)) for rows in (torch.zeros_like(told), told)
        )
        return self.encoder_.assemble(seen, batch), self.encoder_.assemble(filled, batch)

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        """The error of hidden patches, of that of their own means: 1 where no more of a patch is known."""
        keep, hidden = self.hide(batch)
        target = chosen(self.encoder_.patches(batch), hidden)
        of_means = self.target(target) - self.target(target).mean(2, keepdim=True)
        error = (self.predict(batch, keep, hidden) - self.target(target)).square().mean()
        return {"masked_error": error / of_means.square().mean().clamp_min(1e-9)}

    def exhibit(self, batch: Batch) -> Exhibit:
        """The samples with patches hidden, with what the network says of these, and as they are."""
        seen, filled = self.reconstruct(batch, *self.hide(batch))
        own = "; each predicted patch has the true one's brightness and contrast" if self.normalise else ""
        return Exhibit(
            "What is behind the patches?",
            f"Test samples with {self.share:.0%} of their patches hidden, what the network predicts there{own}, and "
            "the samples as they are.",
            {"seen": seen.clamp(0, 1), "predicted": filled.clamp(0, 1), "true": batch.floats().x},
        )
