"""Extensions: a run that had ended goes on from its weights, with a new schedule over the steps that are left.

    method.json                "extensions": [{"epochs": 40.0, "step": 440, "seconds": 31.2}]
    weights-440.safetensors    the weights after those 40 epochs; gone when the extension has ended

Steps and epochs are counted on, so order and random numbers are new ones; what follows the progress of a training (the
learning rate, a teacher's momentum, a weight that rises) begins again. The optimiser begins with no memory.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import Any

from replearn.engine.checkpoint import Holder
from replearn.engine.health import Watch
from replearn.engine.history import read_alarms
from replearn.engine.run import EVALUATION, HISTORY, METHOD, REPORT, WEIGHTS, read_json, read_tensors, remove

log = logging.getLogger("replearn")


@dataclass(frozen=True)
class Extension:
    """Where a run that had ended went on.

    Attributes:
        epochs: that it had.
        step, seconds: that it had come to.
    """

    epochs: float
    step: int
    seconds: float

    def weights(self, run: Path) -> Path:
        """Where the weights before it lie while it lasts."""
        return run / f"weights-{self.step}.safetensors"


def extensions_in(content: Any, path: Path) -> list[Extension]:
    """The extensions that a `method.json` tells of, the first first.

    Raises:
        ValueError: they are no such list.
    """
    told = content.get("extensions", [])
    try:
        found = [Extension(float(one["epochs"]), int(one["step"]), float(one["seconds"])) for one in told]
        if any(not (0 < one.epochs < inf and one.step > 0 and 0 <= one.seconds < inf) for one in found):
            raise ValueError("a number is too small, or too large")
        if any(before.step > after.step for before, after in pairwise(found)):
            raise ValueError("steps fall")
    except (TypeError, KeyError, ValueError, OverflowError) as error:
        raise ValueError(
            f"extensions in {path} must be a list of epochs, step and seconds that rise; got {told!r:.80}. Restore "
            "the file."
        ) from error
    return found


def last_extension(run: Path | None) -> Extension | None:
    """The newest extension of a run; None: it is in its first training."""
    if run is None or not (run / METHOD).exists():
        return None
    found = extensions_in(read_json(run / METHOD), run / METHOD)
    return found[-1] if found else None


def begin(extension: Extension, run: Path, module: Holder) -> dict[str, Any]:
    """Put the weights that an extension begins with into a module; the state of a training that begins there.

    Raises:
        ValueError: they are broken, or of another module.
    """
    path = extension.weights(run)
    try:
        module.load_state_dict(read_tensors(path))
    except RuntimeError as error:
        raise ValueError(f"{path} must be of this method; it is not. Give the run its own file.") from error
    watch = Watch()
    watch.alarms = read_alarms(run)
    last = (extension.step, extension.seconds)
    history = {"losses": [], "named": {}, "health": {}, "last": last, "watch": watch.state()}
    return {"pace": {"step": extension.step, "seconds": extension.seconds}, "history": history}


def set_aside(extension: Extension, run: Path) -> None:
    """Rename what tells of the weights before an extension: they will be others. What `embed` has written keeps its
    name, and is told.
    """
    told = []
    for name in (EVALUATION, REPORT):
        path = run / name
        aside = path.with_stem(f"{path.stem}-{extension.step}")
        with suppress(FileNotFoundError):
            path.replace(aside)
            told.append(f"{name} is now {aside.name}")
    told += [f"{name} stays as it is" for name in _embedded_in(run)]
    if told:
        log.info("%s: made with the weights before: %s", run, ", ".join(told))


def _embedded_in(run: Path) -> list[str]:
    """The files in a run's folder that say, as those of `embed` do, of which weights they are."""
    import pyarrow.parquet as pq

    found = [path.name for path in run.glob("*.npy") if path.with_name(f"{path.name}.json").exists()]
    for path in run.glob("*.parquet"):
        with suppress(OSError, ValueError):  # a table of somebody else
            if b"replearn" in (pq.read_schema(path).metadata or {}):
                found.append(path.name)
    return sorted(found)


def put_back(run: Path, extensions: Sequence[Extension], *, last: int) -> None:
    """End what a kill has left half done: weights that were set aside for an extension that never began, or by one that
    has ended.

    Args:
        run: its folder.
        extensions: that its `method.json` tells of.
        last: the last step of its history; 0: it has none.

    Raises:
        ValueError: an extension begins after all steps of the history.
    """
    if last and extensions and extensions[-1].step > last:
        raise ValueError(
            f"extensions in {run / METHOD} must begin within the {last:,} steps of {HISTORY}; got step "
            f"{extensions[-1].step:,}. Restore the file."
        )
    begun = {extension.weights(run) for extension in extensions}
    never = Extension(0.0, last, 0.0).weights(run)
    if never not in begun and never.exists() and not (run / WEIGHTS).exists():
        never.replace(run / WEIGHTS)
    if (run / WEIGHTS).exists():
        for path in begun:
            remove(path)


def to_json(extensions: Sequence[Extension]) -> list[dict[str, Any]]:
    """What `extensions_in` reads."""
    return [asdict(extension) for extension in extensions]


def in_parts(extensions: Sequence[Extension], epochs: float) -> str:
    """The epochs of a training and of its extensions, or nothing where it has none.

    >>> in_parts([Extension(40, 440, 31.2), Extension(60, 660, 45.0)], 80)
    '40 + 20 + 20 epochs'
    """
    ends = [*(extension.epochs for extension in extensions), epochs]
    parts = [end - start for start, end in zip([0.0, *ends], ends, strict=False)]
    return " + ".join(f"{part:.4g}" for part in parts) + " epochs" if extensions else ""
