"""Autoencoder: predict the sample from a code that is too small to copy it.

    batch --encoder--> h --linear--> code --decoder--> reconstruction --squared_error(sample)--> loss

The representation is the code. Encoder and decoder may be linear, dense or convolutional; the linear one learns the
subspace of principal components (Baldi & Hornik, Neural Networks 1989).

References: Hinton & Salakhutdinov, Science 2006. https://doi.org/10.1126/science.1127647
"""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from replearn.data import Batch, Description
from replearn.encoders import decoder_for, make_encoder
from replearn.methods.base import Method
from replearn.objectives import squared_error


@dataclass(kw_only=True, eq=False, repr=False)
class Autoencoder(Method):
    """Undercomplete autoencoder with squared error.

    Attributes:
        dim: numbers in the code; fewer than in a sample.
    """

    family: ClassVar[str] = "reconstruction"
    kinds: ClassVar[tuple[str, ...]] = ("image", "table")
    year: ClassVar[int] = 2006
    paper: ClassVar[str] = "https://doi.org/10.1126/science.1127647"

    dim: int = 64
    weight_decay: float = 0.0

    def build(self, samples: Description) -> None:
        if not 0 < self.dim < prod(samples.shape):
            raise ValueError(
                f"dim must lie between 1 and the {prod(samples.shape)} numbers of a sample, or the code could copy it; "
                f"got {self.dim}. Choose a smaller code."
            )
        self.encoder_ = make_encoder(self.encoder, samples)
        self.code_ = nn.Linear(self.encoder_.dim, self.dim)
        self.decoder_ = decoder_for(self.encoder_, samples.shape, dim=self.dim)

    def represent(self, batch: Batch) -> Float[Tensor, "n dim"]:
        code: Tensor = self.code_(self.encoder_(batch))  # (n, dim)
        return code

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        return squared_error(self.decoder_(self.represent(batch)), self.encoder_.standardise(batch))

    def inverse_transform(self, codes: np.ndarray) -> np.ndarray:
        """Samples from codes `(n, dim)`: what the decoder makes of them, `(n, *shape)` on the samples' scale."""
        parameter = next(self.decoder_.parameters())
        with torch.inference_mode():
            x = self.decoder_(torch.as_tensor(codes, dtype=parameter.dtype, device=parameter.device))
        return self.encoder_.unstandardise(x).cpu().numpy()

    @property
    def representation_dim(self) -> int:
        return self.dim
