"""ArrowOfTime: tell whether a clip is played forwards or backwards; only who knows what happens can.

    batch --views--> x_1 ... x_t,  x_t ... x_1 --encoder--> h --linear--> logits --cross_entropy(direction)--> loss

Both directions of a clip are in one batch, so nothing but time tells them apart. A clip whose first or last two frames
are one frame is not asked: filled up clips would give the answer away. Of what looks the same both ways, things that
fly without loss say, nothing can be learned.

References: Wei, Lim, Zisserman & Freeman, CVPR 2018 (there of optical flow, here of frames).
    https://openaccess.thecvf.com/content_cvpr_2018/html/Wei_Learning_and_Using_CVPR_2018_paper.html
    Pickup et al., Seeing the arrow of time, CVPR 2014. https://doi.org/10.1109/CVPR.2014.262
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from replearn.data import Batch, Description
from replearn.methods.checks import check_views
from replearn.methods.exhibit import Exhibit
from replearn.methods.pretext.pretext import Pretext, answered_where_asked
from replearn.views.directions import Directions, directions_of, goes_on
from replearn.views.videos import told_frames

SAID = ("forwards", "backwards")


@dataclass(kw_only=True, eq=False, repr=False)
class ArrowOfTime(Pretext):
    """Learning and using the arrow of time.

    Attributes:
        views: `Directions(...)`, or the name of a preset; None takes the default for this kind of samples.
    """

    year: ClassVar[int] = 2018
    paper: ClassVar[str] = (
        "https://openaccess.thecvf.com/content_cvpr_2018/html/Wei_Learning_and_Using_CVPR_2018_paper.html"
    )
    split: ClassVar[str] = "directions"

    batch_size: int = 32
    learning_rate: float = 3e-3

    @property
    def answers(self) -> int:
        """Directions that there are."""
        return len(SAID)

    def build(self, samples: Description) -> None:
        check_views(self, Directions, "views that play clips both ways")
        super().build(samples)
        self.logits_ = nn.Linear(self.encoder_.dim, self.answers)

    def guess(self, batch: Batch) -> tuple[Float[Tensor, "m k"], Int[Tensor, " m"]]:
        (played,) = self.views_(batch)
        return self.logits_(self.encoder_(played)), directions_of(batch)

    def loss_count(self, batch: Batch) -> float:
        """The clips that are asked."""
        return int(goes_on(batch).sum())

    def measures(self, batch: Batch) -> dict[str, Tensor]:
        """As of all pretext tasks, of the clips that are asked; and the share that is left out."""
        return answered_where_asked(self.guess(batch), self.frequencies.max())

    def exhibit(self, batch: Batch) -> Exhibit | None:
        """Clips that are played one way or the other, and which way the network says it is."""
        asked = torch.nonzero(goes_on(batch))[:, 0]
        if not len(asked):
            return None
        (played,) = Directions().parts(batch)
        shown = 2 * asked + torch.arange(len(asked), device=asked.device) % 2  # forwards, backwards, ...
        told = self.logits_(self.encoder_(played)).argmax(1)[shown]
        return Exhibit(
            "Which way does time run?",
            "Frames of test samples, every other one played backwards, and how the network says it is played.",
            told_frames(played.x[shown]),
            [SAID[int(way)] for way in told],
            (told == shown % 2).tolist(),
            float(self.frequencies.max()),
        )
