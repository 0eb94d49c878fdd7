"""`ByLayer`: what methods share whose representation may be any layer of their encoder, or all of them.

What the last layer of a network knows best is what it was trained to tell; what is of use elsewhere may lie below.
"""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Samples
from replearn.encoders import Encoder
from replearn.encoders.kinds import NETWORKS
from replearn.encoders.modes import evaluating
from replearn.encoders.stages import NoStages
from replearn.methods.base import Method


@dataclass(kw_only=True, eq=False, repr=False)
class ByLayer(Method):
    """A method that represents by layers of its encoder.

    Attributes:
        layer: which layer of the encoder is the representation, averaged over positions: 0 the first, -1 the last;
            `all`: each of them, side by side, scaled to length 1.
    """

    layer: int | Literal["all"] = "all"

    @property
    def read_from(self) -> Encoder:
        """The network that represents."""
        return self.encoder_  # type: ignore[no-any-return]

    def represent(self, batch: Batch) -> Float[Tensor, "n d"]:
        found = chosen_layers(self.read_from, self.layer, batch)
        return found[0] if len(found) == 1 else torch.cat([F.normalize(h, dim=1) for h in found], dim=1)

    @property
    def representation_dim(self) -> int:
        """Numbers per sample that `represent` returns."""
        samples, encoder = self.samples_, self.read_from
        device = encoder.mean.device
        content = NETWORKS[samples.kind].content(samples, 2, device)
        unknown = torch.full((2,), -1, device=device)
        with evaluating([encoder]), torch.no_grad():
            found = chosen_layers(encoder, self.layer, Batch(content, labels=unknown, index=unknown))
        return sum(layer.shape[1] for layer in found)

    def _prepare(self, given: Samples) -> Samples:
        samples = super()._prepare(given)
        _ = self.representation_dim  # refuses a layer that there is not
        return samples


def chosen_layers(encoder: Encoder, layer: int | Literal["all"], batch: Batch) -> list[Float[Tensor, "n _"]]:
    """Of the encoder's layers those that are asked for; what it returns where it tells of no layers.

    Raises:
        ValueError: there is no such layer.
    """
    if layer == -1:
        return [encoder(batch)]
    try:
        found: list[Tensor] = encoder.layers(batch)
    except NoStages:
        found = []
    if layer == "all":
        return found if len(found) > 1 else [encoder(batch)]
    if -len(found) <= layer < len(found):
        return [found[layer]]
    known = f"from -{len(found)} to {len(found) - 1}" if found else "-1"
    raise ValueError(
        f"layer must be {known} or all, since the encoder tells of {len(found)} layers; got {layer}. "
        "Leave it out for the default."
    )
