"""What methods share that make a code of a sample, and a sample of a code."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from replearn.data import Batch, Description
from replearn.encoders import Encoder, decoder_for, make_decoder, make_encoder
from replearn.encoders.kinds import NETWORKS
from replearn.methods.base import Method
from replearn.methods.checks import check_codes, check_drawn
from replearn.objectives import squared_error

ROWS = 512  # codes that are decoded at a time


@dataclass(kw_only=True, eq=False, repr=False)
class Coder(Method):
    """A method whose representation is a code that it can decode.

    Attributes:
        encoder: a name (see `replearn.encoders`) or a module, which is copied; `auto` is `mlp` for tables, and for
            images of up to 4,096 numbers, which it learns in a fraction of the time of convolutions; else `conv`.
        decoder: `linear`, `mlp` or `conv`; `auto` mirrors the encoder.
        dim: numbers in the code.
    """

    family: ClassVar[str] = "reconstruction"
    needs: ClassVar[tuple[str, ...]] = ("encoder", "decoder")

    dim: int = 32
    decoder: str = "auto"
    weight_decay: float = 0.0

    def build(self, samples: Description) -> None:
        if self.dim < 1:
            raise ValueError(f"dim counts the numbers in the code and must be at least 1; got {self.dim}.")
        self.encoder_ = self.make_encoder(samples)
        self.code_ = nn.Linear(self.encoder_.dim, self.code_size(samples))
        self.decoder_ = self.make_decoder(samples)

    def code_size(self, samples: Description) -> int:
        """Numbers in the code of such samples."""
        return self.dim

    def make_encoder(self, samples: Description) -> Encoder:
        """The encoder that the field names."""
        return make_encoder(
            NETWORKS[samples.kind].coder(samples) if self.encoder == "auto" else self.encoder, samples
        )

    def make_decoder(self, samples: Description) -> nn.Module:
        """The decoder that the field names, of codes."""
        if self.decoder == "auto":
            return decoder_for(self.encoder_, samples.shape, dim=self.representation_dim)
        return make_decoder(self.decoder, self.representation_dim, samples.shape)

    def represent(self, batch: Batch) -> Float[Tensor, "n dim"]:
        code: Tensor = self.code_(self.encoder_(batch))  # (n, dim)
        return code

    def decode(self, code: Float[Tensor, "n dim"]) -> Float[Tensor, "n ..."]:
        """Samples from codes, on the samples' scale."""
        return self.encoder_.unstandardise(self.decoder_(code))

    def inverse_transform(self, codes: Any) -> Float[np.ndarray, "n ..."]:
        """Samples from codes `(n, dim)`: what the decoder makes of them, `(n, *shape)` on the samples' scale.

        Raises:
            ValueError: codes are of another width, or not finite.
        """
        codes = check_codes(codes, self.representation_dim)
        own = next(self.decoder_.parameters())
        with torch.inference_mode():
            parts = [
                self.decode(torch.as_tensor(codes[i : i + ROWS], dtype=own.dtype, device=own.device))
                for i in range(0, max(1, len(codes)), ROWS)
            ]
        return np.concatenate([part.float().cpu().numpy() for part in parts])

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        """`distortion`: squared distance of samples and reconstructions, on the samples' scale."""
        sample = self.encoder_.unstandardise(self.encoder_.standardise(batch))
        return {"distortion": squared_error(self.decode(self.represent(batch)), sample)}

    @property
    def representation_dim(self) -> int:
        return self.dim


@dataclass(kw_only=True, eq=False, repr=False)
class Generator(Coder):
    """A coder whose codes are meant to be normally distributed, with mean 0 and variance 1: drawn ones make samples."""

    def sample(self, n: int, *, random_state: int = 0) -> Float[np.ndarray, "n ..."]:
        """New samples: what is expected of codes drawn from the prior, `(n, *shape)` on the samples' scale.

        Raises:
            ValueError: n is less than 1.
        """
        check_drawn(n)
        return self.inverse_transform(np.random.default_rng(random_state).normal(size=(n, self.dim)))
