"""A training by `fit` that tells of every step, and can be ended after any."""

from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from replearn.data import Batch, Samples
from replearn.methods import Method, SimCLR


class Enough(Exception):
    """All that was to be measured is measured."""


class WatchedSimCLR(SimCLR):
    """SimCLR that counts its health checks; all else, `fit` included, is the method's own."""

    checks = 0  # nothing else in a training asks for representations

    def represent(self, batch: Batch) -> Tensor:
        self.checks += 1
        return super().represent(batch)


def fit_watched(
    method: Method, samples: Samples, on_step: Callable[[], None], *, run: Path | None = None
) -> None:
    """Train until `on_step`, called at the end of each step, raises `Enough`."""
    own = method.after_step

    def after_step(progress: float) -> None:
        own(progress)
        on_step()

    method.after_step = after_step  # type: ignore[method-assign]
    try:
        method.fit(samples, run=run)
    except Enough:
        return
    finally:
        del method.after_step
    raise RuntimeError("the training ended before the measurement; give it more epochs.")
