"""What methods share that learn from episodes: a few samples of a few classes, task after task."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from replearn.data import Batch, Samples
from replearn.data.processes import process, processes
from replearn.engine.episodes import Episodes
from replearn.methods.base import Method
from replearn.views import Split

log = logging.getLogger("replearn")


@dataclass(kw_only=True, eq=False, repr=False)
class Episodic(Method):
    """A method whose batches are whole episodes: as many as `batch_size` has room for.

    The rows of an episode are `(each, way)`: the first sample of each class, then the second of each, ... A method says
    in `each` how many samples of a class an episode has.

    Attributes:
        views: of which the first is taken, or the name of a preset, whose weak view is taken; None takes the default
            for this kind of samples.
        way: classes of an episode.
        shots: samples of each class that a task is learned from.
    """

    family: ClassVar[str] = "labelled"
    needs_labels: ClassVar[bool] = True
    split: ClassVar[str] = "weak"
    whole: ClassVar[bool] = False  # whether a process must hold the rows of whole episodes

    views: Split | str | None = None
    way: int = 5
    shots: int = 1

    @property
    def each(self) -> int:
        """Samples of each class in an episode."""
        raise NotImplementedError

    def order(self, samples: Samples) -> Episodes:
        per_epoch = len(samples) // self.batch_size * (self.batch_size // (self.way * self.each))
        assert samples.labels is not None
        return Episodes(samples.labels, self.way, self.each, per_epoch, self.random_state)

    def tasks(self, batch: Batch) -> list[Batch]:
        """The episodes of a batch, each as a part of it."""
        rows = self.way * self.each
        return [batch.rows(start, start + rows) for start in range(0, len(batch), rows)]

    def places(self, logits: Float[Tensor, "n way"]) -> Int[Tensor, " n"]:
        """The class of each row of an episode, or of several: its place among the `way` classes."""
        return torch.arange(len(logits), device=logits.device) % self.way

    def learn(self, samples: Samples, *, run: Path | None, resume: bool, loggers: Iterable[Any]) -> None:
        with whole_episodes(self, samples):
            super().learn(samples, run=run, resume=resume, loggers=loggers)


@contextmanager
def whole_episodes(method: Episodic, samples: Samples) -> Iterator[None]:
    """While entered, `batch_size` is that of whole episodes, which the log says; then as given again.

    Raises:
        ValueError: no episode fits into a batch or can be drawn from the samples, or processes can't share them.
    """
    asked, rows = method.batch_size, method.way * method.each
    name = type(method).__name__
    if asked < rows:
        raise ValueError(
            f"batch_size must hold an episode of {name}, {method.way} classes of {method.each} samples, {rows} in all; "
            f"got {asked}. Raise it, or lower way."
        )
    episodes = method.order(samples)
    enough = len(episodes.members)
    if enough < method.way:
        raise ValueError(
            f"way must be at most the number of classes that have {method.each} labelled samples, {enough}; got "
            f"{method.way}. Lower way, or the samples of each class."
        )
    number = min(asked, len(samples)) // rows
    share = number if method.whole else number * rows
    if share % processes():
        what = "whole episodes" if method.whole else "rows of episodes"
        raise ValueError(
            f"{name} must share {what} evenly among processes; got {share} for {processes()} of them. "
            f"Set batch_size={processes() * rows}, or a multiple of it."
        )
    if process() == 0:
        log.info(
            "a batch: %d samples, %s of %d classes, %d samples of each",
            *(number * rows, "an episode" if number == 1 else f"{number} episodes", method.way, method.each),
        )
        if episodes.left_out:
            log.warning(
                "%d of %d classes are left out, since they have fewer than %d labelled samples",
                *(episodes.left_out, episodes.left_out + enough, method.each),
            )
    method.batch_size = number * rows
    try:
        yield
    finally:
        method.batch_size = asked
