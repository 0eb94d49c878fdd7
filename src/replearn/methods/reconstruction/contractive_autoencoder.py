"""Contractive autoencoder: predict the sample from a code that changes little when the sample does.

    batch --encoder--> h --linear, sigmoid--> code --decoder--> reconstruction --squared_error(sample)--> loss
                                              d code / d batch --contraction----------------------------> + loss

What is left of the code's changes is along the directions that reconstruction needs: those in which the data lie. With
`encoder="auto"` it is the paper's, one layer of sigmoids with a decoder of the same weights, and the penalty is exact.
Other encoders are differentiated through along `projections` random directions, which is right on average. Their
decoders have weights of their own, which could undo any contraction by growing: there the sigmoids read numbers of
unit variance.

References: Rifai et al., ICML 2011, equations 1 and 7. https://icml.cc/2011/papers/455_icmlpaper.pdf
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples
from replearn.encoders import Encoder, make_encoder, tied_decoder
from replearn.methods.reconstruction.coder import Coder
from replearn.objectives import contraction, squared_error
from replearn.objectives.contraction import projected_rows, sigmoid_rows
from replearn.views import normal


@dataclass(kw_only=True, eq=False, repr=False)
class ContractiveAutoencoder(Coder):
    """Autoencoder with a penalty on the encoder's Jacobian.

    Attributes:
        encoder: a name or a module, which is copied; `auto` is none: one layer of sigmoids reads the sample.
        weight: of the penalty.
        projections: random directions per sample; for encoders other than `auto`.
    """

    year: ClassVar[int] = 2011
    paper: ClassVar[str] = "https://icml.cc/2011/papers/455_icmlpaper.pdf"

    refused: ClassVar[Mapping[str, str]] = {
        "slice_size": "its penalty is a gradient by the samples, through the whole encoder",
        "compile": "its penalty is differentiated twice, which compiled networks can't be",
        "fsdp": "its penalty is differentiated twice, and weights are let go after the first time",
    }

    learning_rate: float = 1e-2
    weight: float = 1.0
    projections: int = 1

    def build(self, samples: Description) -> None:
        if self.weight < 0 or self.projections < 1:
            raise ValueError(
                "weight must not be negative, and projections must be at least 1; "
                f"got {self.weight} and {self.projections}. Leave them out for the defaults."
            )
        super().build(samples)
        self.scale_: nn.Module = nn.Identity()
        if self.encoder == "auto":
            nn.init.xavier_uniform_(self.code_.weight, gain=2.0)  # with 1, codes lie about 1/2 for long
        else:
            self.code_ = nn.Linear(self.encoder_.dim, self.dim, bias=False)
            self.scale_ = nn.BatchNorm1d(self.dim, affine=False)

    def make_encoder(self, samples: Description) -> Encoder:
        return (
            make_encoder(nn.Flatten(), samples) if self.encoder == "auto" else super().make_encoder(samples)
        )

    def make_decoder(self, samples: Description) -> nn.Module:
        if self.encoder == "auto" and self.decoder == "auto":
            return tied_decoder(self.encoder_, self.code_, samples.shape)
        return super().make_decoder(samples)

    def represent(self, batch: Batch) -> Float[Tensor, "n dim"]:
        return self.code(self.encoder_(batch))

    def code(self, h: Float[Tensor, "n d"]) -> Float[Tensor, "n dim"]:
        """The code of a representation."""
        logits: Tensor = self.scale_(self.code_(h))
        return logits.sigmoid()

    def idle(self, samples: Samples) -> Mapping[str, str]:
        if self.encoder == "auto":
            return {"projections": "the penalty of one layer is exact, which `auto` is"}
        return {} if self.weight else {"projections": "the weight of what they estimate is 0"}

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        x = self.encoder_.standardise(batch).requires_grad_()
        code = self.code(self.encoder_.body(x))  # (n, dim)
        error = squared_error(self.decoder_(code), x.detach())
        if self.encoder == "auto":
            return error + self.weight * contraction(sigmoid_rows(code, self.code_.weight))
        directions = normal(batch, self.projections, self.dim)
        return error + self.weight * contraction(projected_rows(code, x, directions))
