"""Trials: what was judged after how much training, and kept in a file, so that a choice that was stopped goes on."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from replearn.engine.run import read_json, write_json
from replearn.evaluate.choosing import JOINT

PROBE = "probe"
ROWS = "trials"  # what the file calls its rows
T = TypeVar("T")


@dataclass(frozen=True)
class Trial:
    """A method, judged after so much training.

    Attributes:
        name: of the method.
        round: from 1 on; 0 of what needs no training.
        minutes: that it has learned for.
        measures: `probe`, the share of labelled samples told right; without labels those of `replearn.evaluate.choose`.
        took: seconds of this training and of judging.
    """

    name: str
    round: int
    minutes: float
    measures: dict[str, float]
    took: float


def begun(path: Path, asked: dict[str, Any], row: Callable[..., T], *, command: str) -> list[T]:
    """What an earlier call of a command measured; the file is made if it is not there.

    So that a call that is stopped before its first row goes on, too.

    Raises:
        ValueError: that call began with something else, or its file is damaged.
    """
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        keep(path, asked, [])
    content: Any = read_json(path)
    try:
        before = dict(content["asked"])
        known = [row(**one) for one in content[ROWS]]
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(
            f"{path} must be as {command} wrote it; it is not. Choose another folder."
        ) from error
    other = [name for name, value in asked.items() if before.get(name) != value]
    if other:
        raise ValueError(
            f"{command} goes on with what it began with; in {path.parent} it had other {', '.join(other)}. Choose "
            "another folder."
        )
    return known


def keep(path: Path, asked: dict[str, Any], rows: Sequence[Any]) -> None:
    """Write what was asked and measured, so that `begun` finds it."""
    write_json(path, {"asked": asked, ROWS: [asdict(row) for row in rows]})


class Trials:
    """What was judged, kept in a file."""

    def __init__(self, path: Path, asked: dict[str, Any], on_trial: Callable[[Trial], None]) -> None:
        self.path, self.asked, self.on_trial = path, asked, on_trial
        self.known = begun(path, asked, Trial, command="auto")
        self.took_before = sum(trial.took for trial in self.known)
        self.all: list[Trial] = []

    def find(self, name: str, number: int) -> Trial | None:
        """A trial of an earlier call."""
        return next((one for one in self.known if (one.name, one.round) == (name, number)), None)

    def minutes(self, name: str) -> float:
        """How long a method has learned in its trials so far."""
        return max((one.minutes for one in self.all if one.name == name), default=0.0)

    def judging(self, name: str) -> float:
        """Minutes that judging took at the last trial of this name; 0 without one."""
        own = [one for one in self.all if one.name == name]
        learned = own[-1].minutes - (own[-2].minutes if len(own) > 1 else 0.0) if own else 0.0
        return max(0.0, own[-1].took / 60 - learned) if own else 0.0

    def add(self, trial: Trial) -> None:
        """Tell a trial; one that needs training is kept as well."""
        self.all.append(trial)
        if trial.round and trial not in self.known:
            self.known.append(trial)
            keep(self.path, self.asked, self.known)
        self.on_trial(trial)

    def best(self, names: Sequence[str], number: int | None = None) -> list[str]:
        """The names, the best by its last trial (of a round) first: by the probe, else by the mean place."""
        last = {one.name: one.measures for one in self.all if number is None or one.round == number}
        table = pd.DataFrame({name: last[name] for name in names}).T
        places = pd.DataFrame({measure: table[measure].rank(ascending=measure == JOINT) for measure in table})
        return list(places.mean(axis=1).sort_values(kind="stable").index)
