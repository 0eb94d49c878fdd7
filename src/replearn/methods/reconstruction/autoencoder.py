"""Autoencoder: predict the sample from a code that is too small to copy it.

    batch --encoder--> h --linear--> code --decoder--> reconstruction --squared_error(sample)--> loss

The representation is the code. Encoder and decoder may be linear, dense or convolutional; the linear one learns the
subspace of principal components (Baldi & Hornik, Neural Networks 1989).

References: Hinton & Salakhutdinov, Science 2006. https://doi.org/10.1126/science.1127647
"""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from replearn.data import Batch, Description
from replearn.encoders import tied_decoder
from replearn.methods.coder import Coder, check_smaller
from replearn.objectives import squared_error


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

    def build(self, samples: Description) -> None:
        check_smaller(self.dim, samples)
        super().build(samples)

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
