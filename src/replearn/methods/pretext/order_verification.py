"""OrderVerification: tell whether three frames are in order; only who knows how things move can.

    batch --views--> frames a, b, c, d, e of where much moves --encoder, each alone--> z_a ... z_e
    [z_b, z_c, z_d]    in order           --+
    [z_b, z_a, z_d]    out of order       --+--or backwards, by a coin--> head --cross_entropy(in order?)--> loss
    [z_b, z_e, z_d]    out of order       --+

All three tuples begin and end with the same frames, so only the one between them tells. Backwards the answer is the
same: what goes one way can go the other. Frames are seen alone by one network, and are compared at last. Where
neighbours are one frame nothing is asked. The representation is that of frames, its mean over time and how it changes.

References: Misra, Zitnick & Hebert, Shuffle and learn, ECCV 2016. https://arxiv.org/abs/1603.08561
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from replearn.data import Batch, Description
from replearn.encoders import mlp
from replearn.methods.checks import check_views
from replearn.methods.exhibit import Exhibit
from replearn.methods.pretext.of_frames import OfFrames
from replearn.methods.pretext.pretext import answered_where_asked
from replearn.views import uniform
from replearn.views.defaults import parts_of
from replearn.views.tuples import FIVE, FrameTuples, can_be_ordered

SAID = ("out of order", "in order")
TUPLES = ((1, 2, 3), (1, 0, 3), (1, 4, 3))  # of a, b, c, d, e: the first one is in order


@dataclass(kw_only=True, eq=False, repr=False)
class OrderVerification(OfFrames):
    """Shuffle and learn: unsupervised learning using temporal order verification.

    Attributes:
        views: `FrameTuples(...)`, or the name of a preset; None takes the default for this kind of samples.
        hidden: width of the head's hidden layer.
    """

    year: ClassVar[int] = 2016
    paper: ClassVar[str] = "https://arxiv.org/abs/1603.08561"
    split: ClassVar[str] = "frame_order"

    hidden: int = 256
    batch_size: int = 32
    learning_rate: float = 3e-3

    @property
    def answers(self) -> int:
        """In order or not."""
        return len(SAID)

    @property
    def frequencies(self) -> Float[Tensor, " k"]:
        return torch.tensor([2 / 3, 1 / 3])

    def build(self, samples: Description) -> None:
        check_views(self, FrameTuples, "tuples of frames")
        (frame,) = parts_of(self.views, samples, self.split).describe(samples)
        self.build_for(frame)
        self.head_ = mlp(3 * self.encoder_.dim, self.hidden, self.answers)

    def guess(self, batch: Batch) -> tuple[Float[Tensor, "m k"], Int[Tensor, " m"]]:
        (frames,) = self.views_(batch)
        turned = uniform(batch, len(TUPLES)) < 0.5  # (n, 3)
        right = torch.tensor([1, 0, 0], device=turned.device).expand(len(batch), -1)
        asked = can_be_ordered(batch)[:, None]
        return self.logits(frames, turned).flatten(0, 1), torch.where(asked, right, -1).flatten()

    def logits(self, frames: Batch, turned: Tensor) -> Float[Tensor, "n r k"]:
        """Of the three tuples of each sample, those that are turned backwards."""
        z = self.encoder_(frames).unflatten(0, (-1, FIVE))  # (n, 5, d)
        three = z[:, torch.tensor(TUPLES, device=z.device)]  # (n, 3 tuples, 3 frames, d)
        three = torch.where(turned[:, :, None, None], three.flip(2), three)
        told: Tensor = self.head_(three.flatten(2).flatten(0, 1))  # (n·3, 2)
        return told.view(len(z), len(TUPLES), -1)

    def loss_count(self, batch: Batch) -> float:
        """The clips that are asked."""
        return int(can_be_ordered(batch).sum())

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        """As of all pretext tasks, of the clips that are asked; and the share that is left out."""
        return answered_where_asked(self.guess(batch), self.frequencies.max())

    def exhibit(self, batch: Batch) -> Exhibit | None:
        """Three frames of each clip, in order or not, and what the network says."""
        kept = torch.nonzero(can_be_ordered(batch))[:, 0]
        if not len(kept):
            return None
        (frames,) = FrameTuples().parts(batch)
        logits = self.logits(
            frames, torch.zeros(len(batch), len(TUPLES), dtype=torch.bool, device=kept.device)
        )
        which = kept % len(TUPLES)
        told = logits.argmax(2)[kept, which]
        x = frames.x.unflatten(0, (-1, FIVE))
        shown = x[kept[:, None], torch.tensor(TUPLES, device=kept.device)[which]]  # (k, 3, c, 1, h, w)
        return Exhibit(
            "Are they in order?",
            "Three frames of test samples, in one of three in order, and what the network says.",
            dict(zip(("first", "middle", "last"), shown.unbind(1), strict=True)),
            [SAID[int(one)] for one in told],
            (told == (which == 0).long()).tolist(),
            float(self.frequencies.max()),
        )
