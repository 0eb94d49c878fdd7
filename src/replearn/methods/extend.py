"""Asking a run that has ended for more epochs, or more minutes: whether it is an extension, and what is told of it."""

import logging
import shlex
from contextlib import suppress
from pathlib import Path
from typing import Any

from replearn.data.processes import process
from replearn.engine.checkpoint import checkpoints_in
from replearn.engine.extension import Extension, extensions_in, put_back, set_aside
from replearn.engine.history import cut_by_clock, read_rows
from replearn.engine.run import HISTORY, METHOD, STATE, WEIGHTS, read_json, remove, write_json
from replearn.methods.outline import Outline

log = logging.getLogger("replearn")


def put_in_order(folder: Path) -> None:
    """End what a kill has left half done as an extension began or ended."""
    if (folder / METHOD).is_file():
        content = read_json(folder / METHOD)
        extensions = extensions_in(content, folder / METHOD) if isinstance(content, dict) else []
        put_back(folder, extensions, last=int(_last_row(folder).get("step", 0)))


def extension_for(method: Outline, old: dict[str, Any], folder: Path) -> Extension | None:
    """Where the run in `folder` goes on if `method` asks for more than it had; None where it asks for no more.

    Args:
        method: with the fields that are asked for.
        old: the `method.json` of the run, which has ended.
        folder: of the run.

    Raises:
        ValueError: it asks for fewer epochs; or for more, and the run can't be extended.
    """
    had, asked = old["fields"].get("epochs"), getattr(method, "epochs", None)
    if had is None or asked is None:
        return None
    what_then = f"Begin a new run with its encoder: --encoder {shlex.quote(str(folder))} --run OTHER."
    if asked < had:
        raise ValueError(
            f"the run in {folder} has ended, after {had} epochs, and can have no fewer; got epochs={asked}. "
            f"{what_then}"
        )
    last = _last_row(folder)
    minutes, before = getattr(method, "max_minutes", None), old["fields"].get("max_minutes")
    cut = cut_by_clock(last, before)
    if asked == had and not (cut and (minutes is None or minutes > before)):
        return None
    schedule = method.schedule_again()
    if schedule is None:
        raise ValueError(
            f"a run of {type(method).__name__} that has ended can't be extended, {method.why_not_extended}; it had "
            f"{had} epochs, got epochs={asked}. {what_then}"
        )
    step, seconds, planned = (last.get(name, 0.0) for name in ("step", "seconds", "planned"))
    if not (step and planned):
        raise ValueError(
            f"{folder / HISTORY} must tell at which step the run has ended, to be extended; it does not. {what_then}"
        )
    if minutes is not None and 60 * minutes <= seconds:
        raise ValueError(
            f"max_minutes counts from a run's beginning, and the one in {folder} has taken {seconds / 60:.3g}; got "
            f"{minutes:g}. Give more, or none."
        )
    _check_state(method, folder, int(step))
    # By the steps of an epoch: minutes may have ended the run within one.
    epochs = round(had * step / planned, 3)
    told = f", until {minutes:g} minutes in all" if minutes is not None else ""
    line = "%s had ended after %g epochs; %g more with %s%s"
    if process() == 0:
        log.info(line, folder, epochs, round(asked - epochs, 3), schedule, told)
    return Extension(epochs, int(step), seconds)


def open_extension(folder: Path, content: dict[str, Any], extension: Extension, *, keep_state: bool) -> None:
    """Make a run that has ended one that has not: by a rename, which a kill is before or after."""
    if not keep_state:
        remove(folder / STATE)  # where a kill came between the weights and this
    (folder / WEIGHTS).replace(extension.weights(folder))
    write_json(folder / METHOD, content)
    set_aside(extension, folder)


def _last_row(folder: Path) -> dict[str, float]:
    """The newest row of the history; nothing where there is none that can be read."""
    with suppress(ValueError):
        return next(reversed(read_rows(folder)), {})
    return {}


def _check_state(method: Outline, folder: Path, step: int) -> None:
    if method.keeps_state and [path.name for path in checkpoints_in(folder / STATE)] != [f"step-{step:09d}"]:
        raise ValueError(
            f"{folder / STATE} must hold the tables of step {step}, to extend a run of {type(method).__name__}; it "
            "does not. Fit again, into another folder."
        )
