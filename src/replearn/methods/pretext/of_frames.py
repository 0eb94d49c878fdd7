"""`OfFrames`: what pretext tasks share whose network sees frames one by one, and no more at once."""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from replearn.data import Batch, Description
from replearn.encoders.kinds import NETWORKS
from replearn.encoders.modes import evaluating
from replearn.encoders.videos import over_time
from replearn.methods.by_layer import chosen_layers
from replearn.methods.pretext.pretext import Pretext
from replearn.views.tuples import single_frames

MOMENTS = 2  # of a frame's representation over time: its mean, and its first cosine


@dataclass(kw_only=True, eq=False, repr=False)
class OfFrames(Pretext):
    """A pretext task whose encoder is made for clips of one frame.

    The representation of a clip is that of its frames: of each layer the mean over time, and how it changes, as the
    first cosine over time tells.
    """

    sees: ClassVar[str] = "frames"

    def build_for(self, frame: Description) -> None:
        """Make the encoder, for frames that are described."""
        self.frame_ = frame
        super().build(frame)

    def frames(self, batch: Batch) -> Batch:
        """Every frame of every clip, as the encoder sees it, a row each."""
        return single_frames(batch.floats())

    def represent(self, batch: Batch) -> Float[Tensor, "n d"]:
        layers = chosen_layers(self.encoder_, self.layer, self.frames(batch))  # (n·t, _) each
        found = [over_time(h.view(len(batch), -1, h.shape[1]), MOMENTS) for h in layers]
        return found[0] if len(found) == 1 else torch.cat([F.normalize(h, dim=1) for h in found], dim=1)

    @property
    def representation_dim(self) -> int:
        device = self.encoder_.mean.device
        content = NETWORKS[self.frame_.kind].content(self.frame_, 2, device)
        unknown = torch.full((2,), -1, device=device)
        with evaluating([self.encoder_]), torch.no_grad():
            found = chosen_layers(self.encoder_, self.layer, Batch(content, labels=unknown, index=unknown))
        return MOMENTS * sum(layer.shape[1] for layer in found)
