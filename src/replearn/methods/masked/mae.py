"""MAE: tell the patches of a sample that are hidden, three in four, from the others.

    batch --patches--> p --a quarter, at random--> visible --encoder--> states --+
                         hidden places, a token at each ------------------------+--decoder--> predicted patches
    predicted patches --squared error(hidden patches, each of mean 0 and deviation 1)--> loss

The encoder computes visible patches alone: hidden ones are dropped before its first layer, and cost nothing. The
decoder is thrown away after training. The representation is the mean of the states of all patches, none hidden.

Of patches that are sets of points the error is the Chamfer distance, as in Point-MAE.

References: He et al., CVPR 2022, section 3. https://arxiv.org/abs/2111.06377
    Pang et al., ECCV 2022, section 3 (of points). https://arxiv.org/abs/2203.06604
"""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float, Int
from torch import Tensor

from replearn.data import Batch, Description
from replearn.data.processes import gather
from replearn.encoders import PatchPredictor
from replearn.encoders.patching import chosen
from replearn.methods.masked.patches import PatchPrediction
from replearn.objectives.patches import patch_errors


@dataclass(kw_only=True, eq=False, repr=False)
class MAE(PatchPrediction):
    """Masked autoencoder.

    Attributes:
        width, depth: of the decoder, numbers per state and blocks.
    """

    year: ClassVar[int] = 2022
    paper: ClassVar[str] = "https://arxiv.org/abs/2111.06377"

    width: int = 96
    depth: int = 1
    batch_size: int = 32
    learning_rate: float = 3e-3
    weight_decay: float = 0.05

    def build(self, samples: Description) -> None:
        super().build(samples)
        self.decoder_ = PatchPredictor(
            self.encoder_.dim, width=self.width, depth=self.depth, out=self.numbers_
        )

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        view = self.view(batch)
        keep, hidden = self.hide(view)
        target = self.target(chosen(self.encoder_.patches(view), hidden))  # (n, m, v)
        errors = patch_errors(self.predict(view, keep, hidden), target, sets=self.encoder_.sets)  # (n, m)
        return gather(errors.mean(1)).mean()

    def predict(
        self, batch: Batch, keep: Int[Tensor, "n k"], hidden: Int[Tensor, "n m"]
    ) -> Float[Tensor, "n m v"]:
        states = self.encoder_.read(batch, "states", keep=keep)  # (n, k, d)
        told: Tensor = self.decoder_(states, keep, hidden, self.encoder_.where(batch, self.width))
        return told
