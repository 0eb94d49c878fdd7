"""GraphMAE: tell the numbers of a graph's hidden nodes from the states of the nodes around them.

    batch --numbers--> x --a token at half of the nodes--> x' --encoder--> states --zeros at these nodes--+
                       |                                                      layer like the encoder's--> told
                       +--(1 - cosine(x, told))^gamma, of hidden nodes-----------------------------------> loss

States of hidden nodes are left out once more before the decoder, so that what is told comes from their neighbours. The
error counts directions alone, and easy nodes the less the larger gamma is. The decoder is thrown away after training.

References: Hou et al., KDD 2022, section 3 and equation 2. https://arxiv.org/abs/2205.10803
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from replearn.data import Batch, Description, Samples
from replearn.data.processes import gather
from replearn.encoders import GraphEncoder, NodeDecoder, make_encoder
from replearn.methods.base import Method
from replearn.methods.exhibit import Exhibit
from replearn.methods.masked.patches import check_share
from replearn.objectives.prediction import cosine_errors
from replearn.views.graphs import hidden_count, hide_nodes


@dataclass(kw_only=True, eq=False, repr=False)
class GraphMAE(Method):
    """Masked graph autoencoder.

    Attributes:
        share: of the nodes that are hidden.
        gamma: exponent of the error, 1 or more.
    """

    family: ClassVar[str] = "masked"
    year: ClassVar[int] = 2022
    paper: ClassVar[str] = "https://arxiv.org/abs/2205.10803"
    why_collapse: ClassVar[str | None] = None  # numbers of nodes are told, which do not collapse
    needs: ClassVar[tuple[str, ...]] = ("encoder", "nodes")

    share: float = 0.5
    gamma: float = 2.0
    learning_rate: float = 1e-3
    weight_decay: float = 2e-4

    def check(self, samples: Samples) -> None:
        super().check(samples)
        check_share(self.share)
        if not self.gamma >= 1:
            raise ValueError(f"gamma must be at least 1; got {self.gamma}. The paper takes 1 to 3.")

    def build(self, samples: Description) -> None:
        encoder = make_encoder(self.encoder, samples)
        if not isinstance(encoder, GraphEncoder):
            raise ValueError(
                f"GraphMAE needs an encoder of graphs; got {type(encoder).__name__}. Use 'gin' or 'gcn'."
            )
        self.encoder_ = encoder
        self.token_ = nn.Embedding(1, samples.shape[0])
        nn.init.zeros_(self.token_.weight)
        self.decoder_ = NodeDecoder(self.encoder_, samples.shape[0])

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        hidden = hide_nodes(batch, self.share)  # (v,)
        errors = cosine_errors(self.predict(batch, hidden), self.encoder_.numbers(batch), gamma=self.gamma)
        counted = torch.stack([errors * hidden, hidden.to(errors.dtype)], dim=1)  # (v, 2)
        total, count = gather(self.encoder_.sums(batch, counted)).sum(0)
        loss: Tensor = total / count.clamp(min=1)
        return loss

    def loss_count(self, batch: Batch) -> float:
        return hidden_count(batch, self.share)

    def predict(self, batch: Batch, hidden: Bool[Tensor, " v"]) -> Float[Tensor, "v d"]:
        """The numbers of all nodes, as told from those that are not hidden."""
        seen = self.encoder_.with_numbers(batch, hidden, self.token_.weight)
        told: Tensor = self.decoder_(self.encoder_.read(seen, "states"), batch, hidden)
        return told

    def exhibit(self, batch: Batch) -> Exhibit:
        """The samples with nodes hidden, with what the network says of these, and as they are."""
        hidden = hide_nodes(batch, self.share)
        told = self.predict(batch, hidden)
        seen = self.encoder_.with_numbers(batch, hidden, torch.zeros_like(told))
        return Exhibit(
            "What are the hidden nodes?",
            f"Test samples with {self.share:.0%} of their nodes hidden, what the network says of these, and the "
            "samples as they are.",
            {"seen": seen.x, "predicted": self.encoder_.with_numbers(batch, hidden, told).x, "true": batch.x},
        )
