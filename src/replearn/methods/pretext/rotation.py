"""Rotation: tell by how many quarters an image is turned; only who knows what it shows can.

    batch --views--> x, x turned by 90, 180, 270 degrees --encoder--> h --linear--> logits --cross_entropy(turn)--> loss

All four turns of an image are in one batch. What looks the same from all sides (0, 1 and 8 among digits, textures,
pictures from above) cannot be told, and is learned nothing from. The last layer knows the turn best and everything else
worse, so the representation is all layers.

References: Gidaris, Singh & Komodakis, ICLR 2018. https://arxiv.org/abs/1803.07728
    Kolesnikov, Zhai & Beyer, CVPR 2019, section 4 (which layer to take). https://arxiv.org/abs/1901.09005
"""

import logging
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from replearn.data import Batch, Description
from replearn.methods.checks import check_views
from replearn.methods.exhibit import Exhibit
from replearn.methods.pretext.pretext import Pretext
from replearn.views.defaults import parts_of
from replearn.views.rotations import TURNS, Rotations, quarters

log = logging.getLogger("replearn")

DEGREES = 360 // TURNS


@dataclass(kw_only=True, eq=False, repr=False)
class Rotation(Pretext):
    """Unsupervised representation learning by predicting image rotations.

    Attributes:
        views: `Rotations(...)`, or the name of a preset; None takes the default for this kind of samples.
    """

    year: ClassVar[int] = 2018
    paper: ClassVar[str] = "https://arxiv.org/abs/1803.07728"
    split: ClassVar[str] = "rotations"

    batch_size: int = 64
    learning_rate: float = 3e-3

    @property
    def answers(self) -> int:
        """Turns that there are."""
        return TURNS

    def build(self, samples: Description) -> None:
        check_turns(self, samples)
        super().build(samples)
        self.logits_ = nn.Linear(self.encoder_.dim, TURNS)

    def guess(self, batch: Batch) -> tuple[Float[Tensor, "m k"], Int[Tensor, " m"]]:
        (turned,) = self.views_(batch)
        return self.logits_(self.encoder_(turned)), quarters(batch)

    def exhibit(self, batch: Batch) -> Exhibit:
        """The samples, each turned in one of four ways, and how the network says it is turned."""
        (turned,) = Rotations().parts(batch)
        each = torch.arange(len(batch), device=batch.labels.device)
        shown = TURNS * each + (each + 1) % TURNS  # turned by 90, 180, 270, 0, 90, ...
        guessed = self.logits_(self.encoder_(turned)).argmax(1)[shown]
        right = quarters(batch)[shown] == guessed
        return Exhibit(
            "Which way up is it?",
            "Test samples, turned by 0, 90, 180 or 270 degrees, and by how much the network says they are.",
            {"turned": turned.x[shown]},
            [f"{DEGREES * int(turn)}°" for turn in guessed],
            right.tolist(),
            float(self.frequencies.max()),
        )


def check_turns(method: Any, samples: Description) -> None:
    """Raises ValueError where a method's views turn no samples; says so where they see the middle of samples alone."""
    check_views(method, Rotations, "views that turn samples")
    (seen,) = parts_of(method.views, samples, method.split).describe(samples)
    if seen.shape != samples.shape:
        log.info("of samples of shape %s the middle is seen in training, %s", samples.shape, seen.shape)
