"""What happened along a training: loss, learning rate, speed, health; as rows, as CSV, and on the terminal."""

import csv
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from replearn.engine.distributed import process
from replearn.engine.health import Alarm, Watch
from replearn.engine.pace import Pace
from replearn.engine.run import replacing

log = logging.getLogger("replearn")

COLUMNS = ("step", "loss", "learning_rate", "samples_per_second", "seconds", "effective_rank", "spread")
ROWS = 1000  # about so many rows over a training
PENDING = 10  # steps between looks at the loss: reading it makes a GPU wait


class History:
    """The rows of one training, each the mean over the steps since the row before.

    Args:
        watch: looks at every number.
        pace: tells step and time.
        path: the CSV, or None; only the first process writes it. A resumed training keeps its rows up to `pace.step`.
        loggers: Fabric loggers that get the rows too.
    """

    def __init__(self, watch: Watch, pace: Pace, *, path: Path | None = None, loggers: Sequence[Any] = ()) -> None:
        self.watch = watch
        self.pace = pace
        self.path = path if process() == 0 else None
        self.rows: list[dict[str, float]] = _rows_until(path, pace.step) if path else []
        self._every = max(1, pace.steps // ROWS)
        self._loggers = loggers
        self._unread: list[tuple[int, Tensor]] = []
        self._losses: list[float] = []
        self._rate, self._samples = 0.0, 0
        self._last = (pace.step, pace.seconds)  # of the newest row
        self._health: dict[str, float] = {}
        self._bar = Progress(
            TextColumn("step {task.completed}/{task.total}  {task.description}"),
            BarColumn(bar_width=20),
            TimeRemainingColumn(compact=True),
            console=Console(stderr=True),
            disable=process() != 0 or not sys.stderr.isatty(),
            transient=True,
        )
        self._task = self._bar.add_task("", total=pace.steps)

    @property
    def alarms(self) -> list[Alarm]:
        return self.watch.alarms

    def add(self, loss: Tensor, rate: float, samples: int) -> None:
        """A step was made, with this mean loss, learning rate and number of samples."""
        self._rate, self._samples = rate, samples
        self._unread.append((self.pace.step, loss))
        if len(self._unread) >= PENDING:
            self._read()
        if self.pace.step % self._every == 0:
            self.flush()

    def see(self, rank: float, spread: float) -> None:
        """The representation of some samples has this effective rank and spread."""
        self._health = {"effective_rank": rank, "spread": spread}
        self._tell(self.watch.see_embeddings(self.pace.step, spread, self._rate))

    def flush(self) -> None:
        """Write the row of the steps since the last one."""
        self._read()
        if not self._losses:
            return
        step, seconds = self.pace.step, self.pace.seconds
        row = {
            "step": step,
            "loss": sum(self._losses) / len(self._losses),
            "learning_rate": self._rate,
            "samples_per_second": (step - self._last[0]) * self._samples / max(seconds - self._last[1], 1e-9),
            "seconds": seconds,
        } | self._health
        self._losses, self._last, self._health = [], (step, seconds), {}
        self.rows.append(row)
        if self.path is not None:
            with self.path.open("a", newline="", encoding="utf-8") as file:
                csv.DictWriter(file, COLUMNS).writerow(row)
        for logger in self._loggers:
            logger.log_metrics({name: number for name, number in row.items() if name != "step"}, step)
        told = f"loss {row['loss']:.4f}  {row['samples_per_second']:.0f} samples/s"
        self._bar.update(self._task, completed=step, description=told)

    def __enter__(self) -> "History":
        if self.path is not None:
            _write_rows(self.path, self.rows)
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def _read(self) -> None:
        for step, loss in self._unread:
            value = float(loss)
            self._tell(self.watch.see_loss(step, value, self._rate))
            self._losses.append(value)
        self._unread = []

    def _tell(self, alarm: Alarm | None) -> None:
        if alarm is not None and process() == 0:
            log.warning("%s", alarm)


def _rows_until(path: Path, step: int) -> list[dict[str, float]]:
    """The rows of an interrupted training up to `step`; a last line cut short by a kill is left out."""
    if not step or not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        whole = [row for row in csv.DictReader(file) if None not in row.values()]
    rows = [{name: float(number) for name, number in row.items() if number} for row in whole]
    return [row for row in rows if row["step"] <= step]


def _write_rows(path: Path, rows: list[dict[str, float]]) -> None:
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
