"""Autoencoder: predict the sample from a code that is too small to copy it.

    batch --encoder--> h --linear--> code --decoder--> reconstruction --squared_error(sample)--> loss

The representation is the code. Encoder and decoder may be linear, dense or convolutional; the linear one learns the
subspace of principal components (Baldi & Hornik, Neural Networks 1989).

References: Hinton & Salakhutdinov, Science 2006. https://doi.org/10.1126/science.1127647
"""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples
from replearn.encoders import tied_decoder
from replearn.methods.few import at_most
from replearn.methods.reconstruction.coder import Coder
from replearn.objectives import squared_error

SMALLER = "numbers that are fewer than a sample's, or the code could copy it"


@dataclass(kw_only=True, eq=False, repr=False)
class Autoencoder(Coder):
    """Undercomplete autoencoder with squared error.

    Attributes:
        tied: whether the decoder's weights are the encoder's, transposed; for encoders `linear` and `mlp`.
    """

    year: ClassVar[int] = 2006
    paper: ClassVar[str] = "https://doi.org/10.1126/science.1127647"

    learning_rate: float = 3e-3
    tied: bool = False

    def check(self, samples: Samples) -> None:
        super().check(samples)
        at_most(self, "dim", prod(samples.shape) - 1, SMALLER)

    def code_size(self, samples: Description) -> int:
        return at_most(self, "dim", prod(samples.shape) - 1, SMALLER, heard=False)

    @property
    def representation_dim(self) -> int:
        return self.code_.out_features

    def make_decoder(self, samples: Description) -> nn.Module:
        if not self.tied:
            return super().make_decoder(samples)
        if self.decoder != "auto":
            raise ValueError(
                f"decoder must be auto where its weights are tied; got {self.decoder!r}. Use tied=False."
            )
        return tied_decoder(self.encoder_, self.code_, samples.shape)

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        return squared_error(self.decoder_(self.represent(batch)), self.encoder_.standardise(batch))
