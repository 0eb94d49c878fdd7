"""What happened along a training: loss, learning rate, speed, health; as rows, as CSV, on the terminal."""

import csv
import logging
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from replearn.data.processes import process
from replearn.data.progress import EVERY
from replearn.engine.health import NOT_FINITE, Alarm, Health, NotFinite, Watch
from replearn.engine.pace import Pace, speed
from replearn.engine.run import (
    ALARMS,
    HISTORY,
    CannotWrite,
    clear_parts,
    read_json,
    remove,
    replacing,
    write_json,
)

log = logging.getLogger("replearn")

COLUMNS = (
    *("step", "planned", "loss", "learning_rate", "samples_per_second", "seconds"),
    *("effective_rank", "spread", "growth"),
    *("embedding_rank", "embedding_spread", "candidates", "prototypes"),  # where a method has them
)
COUNTS = ("step", "planned")
ROWS = 1000  # about so many rows over a training
PENDING = 10  # steps between looks at the loss: reading it makes a GPU wait


def time_left(seconds: float, progress: float) -> str:
    """How long a training still takes by its pace so far, as a line goes on; "" at its ends.

    >>> time_left(60.0, 0.25), time_left(30.0, 0.5), time_left(9.0, 1.0)
    (', about 3 min left', ', about 30 s left', '')
    """
    if not 0 < progress < 1:
        return ""
    left = seconds * (1 - progress) / progress
    return f", about {left / 60:.0f} min left" if left >= 90 else f", about {left:.0f} s left"


class History:
    """The rows of one training, each the mean over the steps since the row before.

    Args:
        watch: looks at every number.
        pace: tells step and time.
        run: the run folder for `history.csv` and `alarms.json`, or None; only the first process writes.
        loggers: Fabric loggers that get the rows too.
        state: what `state()` gave at a checkpoint; the CSV's rows up to then are kept.
    """

    def __init__(
        self,
        watch: Watch,
        pace: Pace,
        *,
        run: Path | None = None,
        loggers: Sequence[Any] = (),
        state: dict[str, Any] | None = None,
    ) -> None:
        self.watch = watch
        self.pace = pace
        self.rows: list[dict[str, float]] = []
        self._run = run if process() == 0 else None
        self._broken = False  # whether the CSV lacks rows, since writing failed
        self._columns: dict[str, None] = {}  # of the CSV, in order
        self._every = max(1, pace.steps // ROWS)
        self._loggers = loggers
        self._unread: list[tuple[int, Tensor, dict[str, Tensor]]] = []
        self._losses: list[float] = []
        self._named: dict[str, list[float]] = {}
        self._health: dict[str, float] = {}
        self._rate, self._samples = 0.0, 0
        self._last = (pace.step, pace.seconds)  # of the newest row
        if state is not None and run is not None:
            self._restore(state, run)
        self._bar = Progress(
            TextColumn("step {task.completed}/{task.total}  {task.description}"),
            BarColumn(bar_width=20),
            TimeRemainingColumn(compact=True),
            console=Console(stderr=True),
            disable=process() != 0 or not sys.stderr.isatty(),
            transient=True,
        )
        self._told = time.monotonic()  # a line, where there is no bar
        self._task = self._bar.add_task("", total=pace.steps, completed=pace.step)

    @property
    def alarms(self) -> list[Alarm]:
        return self.watch.alarms

    @property
    def past(self) -> "Past":
        """What a fitted method keeps of it: no bar, no files, no loggers."""
        return Past(self.rows, self.alarms)

    def add(
        self,
        loss: Tensor,
        rate: float,
        samples: int,
        health: Health | None = None,
        named: Mapping[str, Tensor] | None = None,
    ) -> None:
        """A step was made: its mean loss, learning rate, number of samples, perhaps a look at health, and terms of the
        loss that have names.

        Raises:
            NotFinite: the loss or the representation is NaN or infinite.
        """
        self._rate, self._samples = rate, samples
        self._unread.append((self.pace.step, loss, dict(named or {})))
        if len(self._unread) >= PENDING or health is not None:
            self._read()
        if health is not None:
            self._health = health.numbers()
            for alarm in self.watch.see_health(self.pace.step, health, rate):
                self._tell(alarm)
        if self.pace.step % self._every == 0:
            self.flush()
        if self._bar.disable and process() == 0 and time.monotonic() - self._told >= EVERY:
            self._told = time.monotonic()
            loss_now = f", loss {self.rows[-1]['loss']:.4f}" if self.rows else ""
            done, left = self.pace.progress, time_left(self.pace.seconds, self.pace.progress)
            log.info(
                "step %d of %d (%.0f %%)%s%s", self.pace.step, self.pace.steps, 100 * done, loss_now, left
            )

    def flush(self) -> None:
        """Write the row of the steps since the last one."""
        self._read()
        if not self._losses:
            return
        step, seconds = self.pace.step, self.pace.seconds
        row = {
            "step": float(step),
            "planned": float(self.pace.steps),  # steps, unless minutes end the training before
            "loss": sum(self._losses) / len(self._losses),
            "learning_rate": self._rate,
            "samples_per_second": (step - self._last[0]) * self._samples / max(seconds - self._last[1], 1e-9),
            "seconds": seconds,
        } | self._health
        row |= {name: sum(values) / len(values) for name, values in self._named.items()}
        self._losses, self._named, self._last, self._health = [], {}, (step, seconds), {}
        self.rows.append(row)
        self._write(row)
        for logger in self._loggers:
            logger.log_metrics({name: number for name, number in row.items() if name not in COUNTS}, step)
        told = f"loss {row['loss']:.4f}  {speed(row['samples_per_second'])}"
        self._bar.update(self._task, completed=step, description=told)

    def state(self) -> dict[str, Any]:
        """What `History` needs to go on: a checkpoint must not make rows that an unbroken run would not have.

        Raises:
            NotFinite: a loss not looked at before is NaN or infinite.
        """
        self._read()
        return {
            "losses": self._losses,
            "named": self._named,
            "health": self._health,
            "last": self._last,
            "watch": self.watch.state(),
        }

    def __enter__(self) -> "History":
        if self._run is not None:
            clear_parts(self._run)
            self._columns = _write_rows(self._run / HISTORY, self.rows)
            if not self.alarms:
                remove(self._run / ALARMS)
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
        for logger in self._loggers:
            logger.finalize("success" if error is None else "failed")

    def _restore(self, state: dict[str, Any], run: Path) -> None:
        self._losses, self._named = state["losses"], state["named"]
        self._health, self._last = state["health"], tuple(state["last"])
        self.watch.restore(state["watch"])
        self.rows = [row for row in read_rows(run) if row.get("step", 0) <= self.pace.step]

    def _read(self) -> None:
        for step, loss, named in self._unread:
            value = float(loss)
            self._tell(self.watch.see_loss(step, value, self._rate))
            self._losses.append(value)
            for name, term in named.items():
                self._named.setdefault(name, []).append(float(term))
        self._unread = []

    def _tell(self, alarm: Alarm | None) -> None:
        if alarm is None:
            return
        if self._run is not None:
            try:
                write_json(self._run / ALARMS, [asdict(alarm) for alarm in self.alarms])
            except CannotWrite as error:
                log.warning("%s", error)
        if alarm.kind == NOT_FINITE:
            raise NotFinite(str(alarm))
        if process() == 0:
            log.warning("%s", alarm)

    def _write(self, row: dict[str, float]) -> None:
        if self._run is None:
            return
        path = self._run / HISTORY
        try:
            if self._broken or not self._columns.keys() >= row.keys():
                self._columns = _write_rows(path, self.rows)
            else:
                with path.open("a", newline="", encoding="utf-8") as file:
                    csv.DictWriter(file, self._columns).writerow(_line(row))
        except (OSError, CannotWrite) as error:
            if not self._broken:
                log.warning(
                    "%s lacks rows from step %d on until there is space (%s)", path, row["step"], error
                )
            self._broken = True
            return
        self._broken = False


@dataclass(frozen=True)
class Past:
    """The rows and alarms of a training that has ended, as its run folder keeps them."""

    rows: list[dict[str, float]]
    alarms: list[Alarm]


def cut_by_clock(last: Mapping[str, float], max_minutes: float | None) -> bool:
    """Whether a training whose newest row is `last` was ended by its `max_minutes`."""
    allowed = 60 * (max_minutes or float("inf"))
    return last.get("step", 0) < last.get("planned", 0) and last.get("seconds", 0) >= allowed


def read_history(run: Path) -> Past:
    """What happened along the training of a run; a warning where a file of it holds something else."""
    past = Past([], [])
    for kept, read in ((past.rows, read_rows), (past.alarms, read_alarms)):
        try:
            kept.extend(read(run))  # type: ignore[arg-type]
        except ValueError as error:
            log.warning("the training's past is left out, curves or alarms: %s", error)
    return past


def read_rows(run: Path) -> list[dict[str, float]]:
    """The rows in a run's `history.csv`, none where there is no such file; a line cut by a kill is left out.

    Raises:
        ValueError: the file holds something else.
    """
    path = run / HISTORY
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    whole = csv.DictReader(line for line in lines if line.endswith("\n"))
    try:
        if not {"step", "loss"} <= set(whole.fieldnames or ()):
            first = f"no columns step and loss in its first line, {lines[0].strip()!r:.60}" if lines else ""
            raise ValueError(first or "it is empty")
        return [{name: float(number) for name, number in row.items() if number} for row in whole]
    except (TypeError, ValueError, csv.Error) as error:
        raise ValueError(
            f"{path} must hold numbers; it does not ({error}). Remove it: the run does not need it."
        ) from error


def read_alarms(run: Path) -> list[Alarm]:
    """What went wrong along a run, from its `alarms.json`.

    Raises:
        ValueError: the file holds something else.
    """
    path = run / ALARMS
    try:
        return [Alarm(**alarm) for alarm in read_json(path)] if path.is_file() else []
    except TypeError as error:
        raise ValueError(
            f"{path} must hold alarms; it does not ({error}). Remove it: the run does not need it."
        ) from error


def _write_rows(path: Path, rows: list[dict[str, float]]) -> dict[str, None]:
    """Write the CSV anew; its columns: those that all trainings have, and what these rows have beside them."""
    columns = dict.fromkeys([*COLUMNS, *(name for row in rows for name in row)])
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(map(_line, rows))
    return columns


def _line(row: dict[str, float]) -> dict[str, Any]:
    return {**row, **{name: int(row[name]) for name in COUNTS if name in row}}
