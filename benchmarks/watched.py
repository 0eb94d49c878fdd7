"""A training by `SimCLR.fit` that tells of every step, and can be ended after any."""

from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from replearn.data import Batch, Samples
from replearn.methods import SimCLR


class Enough(Exception):
    """All that was to be measured is measured."""


class WatchedSimCLR(SimCLR):
    """SimCLR that calls `on_step` after each step; all else, `fit` included, is the method's own."""

    on_step: Callable[[], None]
    checks = 0  # health checks so far: nothing else in a training asks for representations

    def after_step(self, progress: float) -> None:
        self.on_step()

    def represent(self, batch: Batch) -> Tensor:
        self.checks += 1
        return super().represent(batch)


def fit_watched(
    method: WatchedSimCLR, samples: Samples, on_step: Callable[[], None], *, run: Path | None = None
) -> None:
    """Train until `on_step` raises `Enough`."""
    method.on_step = on_step
    try:
        method.fit(samples, run=run)
    except Enough:
        return
    raise RuntimeError("the training ended before the measurement; give it more epochs.")
