"""A training by compiled loops, portion after portion: pace, history, checkpoints, and a stop that loses nothing.

    with Passes(steps, tables, keeping) as passes:
        for step in passes.left():
            ...                                    learn from a portion, into the tables
            passes.learned(loss, rate, samples)    a row, and now and then a checkpoint

What is drawn must be a function of the seed and the step: then a training that was killed ends with the same bits.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import nn

from replearn.engine.checkpoint import Checkpoints
from replearn.engine.extension import last_extension
from replearn.engine.health import Watch
from replearn.engine.history import History
from replearn.engine.pace import Pace
from replearn.engine.run import STATE
from replearn.engine.signals import StopSignal
from replearn.engine.train import stopped


@dataclass(frozen=True)
class Keeping:
    """What is kept of a training.

    Attributes:
        run: folder of history and checkpoints, or None.
        resume: whether to go on from the newest checkpoint there, if there is one.
        loggers: Fabric loggers that get the rows too.
        minutes: between checkpoints.
    """

    run: Path | None = None
    resume: bool = False
    loggers: Iterable[Any] = ()
    minutes: float = 1.0


class Passes:
    """Steps of a training, of which `steps` make the whole.

    Args:
        steps: portions, over all epochs.
        tables: what is learned, by name; a resumed training's come into these arrays.
        keeping: what is kept, and where.

    Raises:
        ValueError: no checkpoint of the run to resume is whole, or they are of other tables.
    """

    def __init__(self, steps: int, tables: Mapping[str, Float[np.ndarray, "..."]], keeping: Keeping) -> None:
        self.keeping = keeping
        self._checkpoints = Checkpoints(keeping.run / STATE if keeping.run else None, _Tables(tables))
        if not keeping.resume:
            self._checkpoints.clear()
        state = self._checkpoints.load() or {}
        extension = last_extension(keeping.run) if keeping.resume else None
        begun = (extension.step, extension.seconds) if extension else (0, 0.0)
        if state.get("pace", {}).get("step", 0) < begun[0]:
            raise ValueError(
                f"{keeping.run}/{STATE} must hold the tables of step {begun[0]}, at which the run was extended; it "
                "does not. Fit again, into another folder."
            )
        self.pace = Pace(steps, None, begun=begun, **state.get("pace", {}))
        loggers, past = tuple(keeping.loggers), state.get("history")
        self.history = History(Watch(), self.pace, run=keeping.run, loggers=loggers, state=past)
        # Of the epoch, by name: the sum of values, and how many there were.
        self.sums: dict[str, list[float]] = state.get("sums", {})
        self._entered = ExitStack()
        self._stopping = 0

    def __enter__(self) -> "Passes":
        with ExitStack() as entered:
            entered.enter_context(self.history)
            self._stop = entered.enter_context(StopSignal(saves=self.keeping.run is not None))
            self._entered = entered.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entered.__exit__(kind, error, trace)

    def left(self) -> Iterator[int]:
        """The steps that are still to be made; the last checkpoint is that of the end.

        Raises:
            Stopped: a signal asked to stop; the state is saved.
        """
        for step in range(self.pace.step, self.pace.steps):
            yield step
            ended = step + 1 == self.pace.steps
            if ended or self._stopping or self.pace.save_due(self.keeping.minutes):
                state = {"pace": self.pace.state(), "history": self.history.state(), "sums": self.sums}
                saved = self._checkpoints.save(self.pace.step, state)
            if self._stopping and not ended:
                raise stopped(self.pace, self.keeping.run, self._stopping, saved=saved)

    def count(self, name: str, value: float, number: float) -> None:
        """Add to a mean over the epoch."""
        total, so_far = self.sums.get(name, (0.0, 0.0))
        self.sums[name] = [total + value, so_far + number]

    def means(self) -> dict[str, float]:
        """The means over the epoch that ends here, of what was counted at all; the next begins with nothing."""
        found = {name: value / number for name, (value, number) in self.sums.items() if number}
        self.sums = {}
        return found

    def learned(
        self, loss: float, rate: float, samples: int, named: Mapping[str, float] | None = None
    ) -> None:
        """A step was made: its mean loss, learning rate, number of samples, and means that have names.

        With names, at the end of an epoch, a row is written.
        """
        self._stopping = self.pace.advance(self._stop.asked)
        tensors = {name: torch.tensor(value) for name, value in (named or {}).items()}
        self.history.add(torch.tensor(loss), rate, samples, named=tensors)
        if named:
            self.history.flush()


class _Tables(nn.Module):
    """Arrays as a module's buffers, which share their memory."""

    def __init__(self, tables: Mapping[str, Float[np.ndarray, "..."]]) -> None:
        super().__init__()
        for name, table in tables.items():
            self.register_buffer(name, torch.from_numpy(table))
