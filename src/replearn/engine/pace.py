"""How far a training has come, by steps and by minutes, alike on all processes."""

import time
from typing import Any

import torch
import torch.distributed as dist

from replearn.data.processes import processes

EARLY = (10, 25, 50, 100, 200)  # steps at which a long training is looked at, too


class Pace:
    """Counts steps and seconds of one training, over all its resumptions.

    Without `max_minutes` all that a training computes follows from its steps, so an interrupted and resumed
    one ends with the bits of an unbroken one. With it the learning rate follows the clock, and no two
    trainings are alike.

    Args:
        steps: optimiser steps of the whole training.
        max_minutes: end sooner, with the learning rate's schedule drawn together, or None.
        step, seconds: where to go on from.
        begun: step and seconds at which the schedule begins, that of an extension (see `replearn.engine.extension`).
    """

    def __init__(
        self,
        steps: int,
        max_minutes: float | None,
        *,
        step: int = 0,
        seconds: float = 0.0,
        begun: tuple[int, float] = (0, 0.0),
    ) -> None:
        self.steps = steps
        self.max_minutes = max_minutes
        self.step = step
        self.seconds = seconds
        self._begun = begun
        self._began = time.monotonic() - seconds
        self._saved = seconds

    @property
    def progress(self) -> float:
        """Share of the schedule that is done, in [0, 1]: of steps or of minutes, whichever is further."""
        seconds = 60 * self.max_minutes - self._begun[1] if self.max_minutes else 0.0
        by_time = (self.seconds - self._begun[1]) / max(seconds, 1e-9) if self.max_minutes else 0.0
        return min(1.0, max(self.share(self.step), by_time))

    def share(self, step: int) -> float:
        """Share of the schedule that is done at a step."""
        return (step - self._begun[0]) / max(1, self.steps - self._begun[0])

    def advance(self, stop: int) -> int:
        """A step was made. Any process's wish to stop is everybody's: all must leave the loop at one step."""
        self.step += 1
        self.seconds = time.monotonic() - self._began
        if processes() == 1:
            return stop
        # On the CPU, where process groups have a backend on any machine: no GPU waits for it.
        both = torch.tensor([self.seconds, float(stop)], dtype=torch.float64)
        dist.all_reduce(both, dist.ReduceOp.MAX)
        self.seconds = float(both[0])
        return int(both[1])

    def due(self, times: int) -> bool:
        """Whether a thing done about `times` times over the training, and a few times early on, is due now.

        Always at the last step.
        """
        return self.step % max(1, self.steps // times) == 0 or self.step in EARLY or self.progress >= 1.0

    def save_due(self, minutes: float) -> bool:
        """Whether the last checkpoint is `minutes` old; asking starts the clock anew."""
        due = self.seconds - self._saved >= 60 * minutes
        if due:
            self._saved = self.seconds
        return due

    def state(self) -> dict[str, Any]:
        """What `Pace` needs to go on."""
        return {"step": self.step, "seconds": self.seconds}


def speed(samples_per_second: float) -> str:
    """A speed for a reader.

    >>> speed(12345.6), speed(0.74)
    ('12,346 samples/s', '0.74 samples/s')
    """
    return f"{samples_per_second:{',.0f' if samples_per_second >= 10 else '.2g'}} samples/s"
