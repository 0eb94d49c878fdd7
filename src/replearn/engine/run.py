"""The run folder, where all that a training leaves behind is kept, and how files are written into it.

    runs/NAME/
        method.json          class, fields, samples, versions
        weights.safetensors  what was learned; its presence says that the run has ended
        state/step-N/        what a resumed run needs; gone when the run has ended
        history.csv          loss, learning rate, speed and health along the way
        evaluation.json, report.html

Nothing in it is a pickle, and loading one executes nothing. Every file is written beside its place and renamed, so a
reader (or a kill) sees the old one or the new one, never half of one.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

METHOD, WEIGHTS, STATE, HISTORY, EVALUATION, REPORT = (
    "method.json",
    "weights.safetensors",
    "state",
    "history.csv",
    "evaluation.json",
    "report.html",
)


def make_run(path: str | Path) -> Path:
    """The folder at `path`, made if it is not there.

    Raises:
        ValueError: it cannot be written to.
    """
    run = Path(path)
    try:
        run.mkdir(parents=True, exist_ok=True)
        probe = run / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ValueError(
            f"the run folder must be writable; {run} is not ({error.strerror}). Choose another folder."
        ) from error
    return run


def open_run(path: str | Path) -> Path:
    """The run folder at `path`, after checks that it is one.

    Raises:
        ValueError: no run lies there, its `method.json` is broken, or a file in it points outside of the folder.
    """
    run = Path(path)
    if not (run / METHOD).is_file():
        raise ValueError(f"a run folder must hold {METHOD}; {run} does not. Give the folder that `replearn fit` wrote.")
    for name in (METHOD, WEIGHTS, STATE, HISTORY):
        if not (run / name).resolve().is_relative_to(run.resolve()):
            raise ValueError(f"files of a run must lie in its folder; {run / name} points outside. Copy the file itself.")
    return run


def write_json(path: Path, content: Any) -> None:
    """Write `content` as JSON, in one instant."""
    with replacing(path) as part:
        part.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        ValueError: the file is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} must be JSON; it is broken ({error}). Fit again, or restore the file.") from error


def write_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Write tensors as safetensors, in one instant."""
    with replacing(path) as part:
        save_file({name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}, part)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read safetensors.

    Raises:
        ValueError: the file is missing, truncated or of another format (a pickle, say).
    """
    try:
        return load_file(path)
    except FileNotFoundError as error:
        raise ValueError(f"{path} must exist; it does not. The run has not ended: resume it with --resume.") from error
    except (SafetensorError, OSError) as error:
        raise ValueError(
            f"{path} must be a whole safetensors file; it is not ({error}). Copy it again, or fit again."
        ) from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to, which takes the place of `path` when all is written, and goes away if writing fails.

    Raises:
        OSError: as writing raises it; a full disk says what to do.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        sync(part)
        os.replace(part, path)
        sync(path.parent)
    except BaseException:
        shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)
        raise


def sync(path: Path) -> None:
    """Force a file or folder onto the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
