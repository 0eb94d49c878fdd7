"""Draws what methods answer that predict in images: `python docs/make_answers.py`, or some: `... jigsaw training`.

Methods are fitted with seed 0, on built-in data, and kept in a folder for the other pictures (`--runs`).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from make_codes import Fitted, draw
from matplotlib.figure import Figure

import replearn
from replearn.encoders.modes import evaluating
from replearn.engine.machine import random_state_kept
from replearn.methods import MAE
from replearn.report import exhibit_figure
from replearn.report.attention import stage_figure
from replearn.report.components import reconstruction_figure
from replearn.views import Hidden

SHOWN = 10  # samples of a picture
EPOCHS = {"emoji": 30, "digits": 10}
SMALL = {"encoder": "resnet_tiny"}  # of methods that don't ask for patches
MOMENTS = (0.01, 0.1, 0.5, 0.99)  # shares of a training


def answers(name: str, data: str = "emoji", **fields: Any) -> Callable[[Fitted], Figure]:
    """What draws the answers of a method, of test samples."""

    def drawn(fitted: Fitted) -> Figure:
        method = fitted(name, data, **({"epochs": EPOCHS[data]} | fields))
        return exhibit_figure(method, replearn.load_data(data, split="test"), shown=SHOWN)

    return drawn


def attention(fitted: Fitted) -> Figure:
    """Where networks answer most that were asked for rotations, and that were given labels."""
    epochs = EPOCHS["emoji"]
    nets = {
        "labels": fitted("supervised", "emoji", epochs=epochs, **SMALL).encoder_,
        "rotation": fitted("rotation", "emoji", epochs=epochs, **SMALL).encoder_,
    }
    return stage_figure(nets, replearn.load_data("emoji", split="test"))


def training(fitted: Fitted) -> Figure:
    """What MAE predicts of the same hidden patches as its training goes on."""
    test = replearn.load_data("digits", split="test")
    chosen = test[np.arange(SHOWN)]
    method = Watched(epochs=EPOCHS["digits"], random_state=0, device="cpu")
    method.shown, method.found = chosen, {}
    method.fit(replearn.load_data("digits", split="train"))
    return reconstruction_figure(chosen.floats().x.numpy(), method.found)


class Watched(MAE):
    """MAE that keeps what it predicts of some samples at some moments of its training."""

    shown: Any
    found: dict[str, Any]

    def after_step(self, progress: float) -> None:
        super().after_step(progress)
        due = [moment for moment in MOMENTS if progress >= moment and f"{moment:.0%}" not in self.found]
        if not due:
            return
        with random_state_kept(), evaluating(self.modules().values()), torch.no_grad():
            torch.manual_seed(0)  # the same patches are hidden each time
            for moment in due:
                seen, filled = self.reconstruct(self.shown, *self.hide(self.shown))
                self.found.setdefault("seen", seen.clamp(0, 1).numpy())
                self.found[f"{moment:.0%}"] = filled.clamp(0, 1).numpy()


def blurred(fitted: Fitted) -> Figure:
    """Holes filled by the squared error alone, and with an adversary that asks for what could be there."""
    batch = replearn.load_data("emoji", split="test")[np.arange(SHOWN)]
    found: dict[str, Any] = {}
    for name, share in (("error alone", 0.0), ("with an adversary", 0.001)):
        method = fitted("contextencoder", "emoji", epochs=EPOCHS["emoji"], adversarial=share, **SMALL)
        views = Hidden("centre", fill=tuple(method.encoder_.mean.tolist()))
        with evaluating(method.modules().values()), torch.no_grad():
            seen, _, weights = views(batch)
            found["hidden"] = seen.x.numpy()
            found[name] = method.filled(seen, weights).numpy()
    return reconstruction_figure(batch.floats().x.numpy(), found)


PICTURES: dict[str, Callable[[Fitted], Figure]] = {
    "rotation": answers("rotation", **SMALL),
    "relativepatch": answers("relativepatch", **SMALL),
    "jigsaw": answers("jigsaw", **SMALL),
    "colorization": answers("colorization", **SMALL),
    "exemplar": answers("exemplar", **SMALL),
    "contextencoder": answers("contextencoder", **SMALL),
    "mae": answers("mae"),
    "simmim": answers("simmim"),
    "imagegpt": answers("imagegpt", "digits", epochs=3),
    "blurred": blurred,
    "attention": attention,
    "training": training,
}


if __name__ == "__main__":
    draw(__doc__, PICTURES, "answers")
