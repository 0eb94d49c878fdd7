"""`Exhibit`: what a method was asked of some samples, and what it answered, for a report to show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from replearn.data import Batch
from replearn.encoders.modes import evaluating
from replearn.engine.machine import random_state_kept

DRAWN = 0  # seed of the views that are shown


@dataclass(frozen=True, eq=False)
class Exhibit:
    """A question that a method was asked of k samples, and its answers.

    Attributes:
        title: the question, as a heading: `Which way up is it?`.
        note: what is shown, in a sentence or two.
        pictures: content of k rows by its name (`seen`, `predicted`, `true`), from top to bottom, which the samples'
            kind draws; images `(k, c, h, w)` in [0, 1].
        said: what the method said of each sample, in a few words; empty where pictures tell it all.
        right: whether it was right, `(k,)`; None where there is no right or wrong.
        chance: the share that who always says the most frequent answer gets right, where that is known.
    """

    title: str
    note: str
    pictures: Mapping[str, Any]
    said: Sequence[str] = ()
    right: Sequence[bool] | None = None
    chance: float | None = None


def exhibit_of(method: Any, batch: Batch) -> Exhibit | None:
    """The exhibit of a fitted method, the same at each call; None of one that has none."""
    ask = getattr(method, "exhibit", None)
    if not callable(ask):
        return None
    modules = list(method.modules().values())
    device = next((weights.device for module in modules for weights in module.parameters()), None)
    with evaluating(modules), random_state_kept(), torch.inference_mode():
        torch.manual_seed(DRAWN)
        found: Exhibit | None = ask(batch.to(device) if device else batch)
    return found
