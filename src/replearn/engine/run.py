"""The run folder, where all that a training leaves behind is kept, and how files are written into it.

    runs/NAME/
        method.json          class, fields, samples, versions
        weights.safetensors  what was learned; its presence says that the run has ended
        weights-N.safetensors  what was learned before an extension, while that lasts: see `replearn.engine.extension`
        state/step-N/        what a resumed run needs; gone when the run has ended (word vectors keep the last)
        history.csv          loss, learning rate, speed and health along the way
        alarms.json          what went wrong along the way; absent when nothing did
        evaluation.json, report.html
        scenes.json          of a model of scenes: how good it is on which, see `replearn.cli.scenes`
    embedded/            representations that commands made, see `replearn.engine.kept`
        owner.lock           the process that writes here now, see `replearn.engine.owner`; absent when none does

Nothing in it is a pickle, and loading one executes nothing. Every file is written beside its place and
renamed, so a reader (or a kill) sees the old one or the new one, never half of one.
"""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from replearn.encoders.folder_files import count_weights

METHOD, WEIGHTS, STATE, HISTORY, ALARMS, EVALUATION, SCENES, REPORT = (
    "method.json",
    "weights.safetensors",
    "state",
    "history.csv",
    "alarms.json",
    "evaluation.json",
    "scenes.json",
    "report.html",
)


NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
CHECKSUM = "checksum"
ROOM = ".room"  # as large as the weights will be
LEAST_ROOM = 2**16  # bytes


class CannotWrite(ValueError):
    """A file of a run could not be written: no space left, or a folder that may not be written to."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path} must be writable; it is not ({reason}). Free space, or choose another folder."
        )
        self.reason = reason


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


def check_free(run: Path) -> None:
    """Raises ValueError where a new run would write over what lies in the folder."""
    if (run / METHOD).exists():
        raise ValueError(f"{run} holds a run already. Resume it (--resume), or choose another name.")
    if (run / EVALUATION).exists():
        raise ValueError(f"{run} holds a comparison, not a run. Choose another name.")
    others = [name for name in (WEIGHTS, STATE, HISTORY, REPORT) if (run / name).exists()]
    if others:
        raise ValueError(
            f"{run} must hold nothing that a run would write over; it holds {', '.join(others)}. Move it, or choose "
            "another folder."
        )


def set_room_aside(run: Path, size: int) -> None:
    """Set room for `size` bytes aside in a run, to be given back before they are written.

    Raises:
        CannotWrite: there is none.
    """
    path = run / ROOM
    try:
        with path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size + LEAST_ROOM)
    except AttributeError:  # macOS, Windows
        pass
    except OSError as error:
        remove(path)
        if error.errno in NO_SPACE:
            raise CannotWrite(run / WEIGHTS, f"{error.strerror}: {size / 1e6:,.1f} MB are needed") from error


def open_run(path: str | Path) -> Path:
    """The run folder at `path`, after checks that it is one.

    Raises:
        ValueError: no run lies there, its `method.json` is broken, or a file in it points outside of the
        folder.
    """
    run = Path(path)
    if not (run / METHOD).is_file():
        raise ValueError(
            f"a run folder must hold {METHOD}; {run} does not. Give the folder that `replearn fit` wrote."
        )
    for name in (METHOD, WEIGHTS, STATE, HISTORY, ALARMS):
        if not lies_in(run / name, run):
            raise ValueError(
                f"files of a run must lie in its folder; {run / name} points outside. Copy the file itself."
            )
    return run


def lies_in(path: Path, folder: Path) -> bool:
    """Whether a path leads to something within a folder; a link that leads in circles lies where it is."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


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
        raise ValueError(
            f"{path} must be JSON; it is broken ({error}). Fit again, or restore the file."
        ) from error


def write_tensors(path: Path, tensors: dict[str, Tensor], *, extended: Sequence[int] = ()) -> None:
    """Write tensors as safetensors, with their checksum, in one instant.

    Args:
        path: where to.
        tensors: by name.
        extended: steps at which the run that learned them was extended, kept behind the checksum: safetensors writes
            several entries in any order.
    """
    # Cloned, since the format refuses tensors that share memory (tied weights).
    whole = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    with replacing(path) as part:
        part.touch()
        mode = part.stat().st_mode  # as the user wants new files; safetensors makes them its own way
        save_file(whole, part, metadata={CHECKSUM: " ".join([checksum(whole), *map(str, extended)])})
        part.chmod(mode)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read safetensors.

    Raises:
        ValueError: the file is missing, truncated, changed since it was written, or of another format (a pickle, say).
    """
    try:
        tensors = load_file(path)
        told = stored_checksum(path)
    except FileNotFoundError as error:
        raise ValueError(
            f"{path} must exist; it does not. The run has not ended: resume it with --resume."
        ) from error
    except (SafetensorError, OSError) as error:
        raise ValueError(
            f"{path} must be a whole safetensors file; it is not ({error}). Copy it again, or fit again."
        ) from error
    if told is not None and told != checksum(tensors):
        raise ValueError(
            f"{path} must be as it was written; it has changed since, by its checksum. Copy it again, or fit again."
        )
    return tensors


def checksum(tensors: dict[str, Tensor]) -> str:
    """A hash of names, types, shapes and every bit of tensors on the CPU."""
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        flat = tensor.as_strided((tensor.numel(),), (1,))  # reshape keeps odd strides of no or one number
        digest.update(flat.view(torch.uint8).numpy().data)
    return digest.hexdigest()


def stored_checksum(path: Path) -> str | None:
    """The checksum in a safetensors file; None: it was written without one, by an earlier version."""
    with safe_open(path, framework="pt") as file:
        told = file.metadata()
    return None if told is None else told.get(CHECKSUM, "gone").partition(" ")[0]


def stored_extensions(path: Path) -> list[str]:
    """The steps at which the run was extended that learned what is in a safetensors file."""
    with safe_open(path, framework="pt") as file:
        told: dict[str, str] = file.metadata() or {}
    return told.get(CHECKSUM, "").split()[1:]


def count_numbers(path: Path) -> int:
    """How many numbers the tensors of a safetensors file have, by its head.

    Raises:
        ValueError: as `read_tensors`.
    """
    if not path.is_file():
        read_tensors(path)
    return count_weights([path])[1]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to, which takes the place of `path` when all is written, else goes away.

    Raises:
        CannotWrite: writing failed; what was at `path` is as it was.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    remove(part)  # of a killed process that had our number
    try:
        yield part
        sync(part)
        os.replace(part, path)
        sync(path.parent)
    except BaseException as error:
        remove(part)
        if isinstance(error, OSError | SafetensorError | CannotWrite):
            # A file within a folder that is being written is told by the folder's name, which a reader knows.
            reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
            raise CannotWrite(path, reason) from error
        raise


def clear_parts(folder: Path, *, of: str = "*") -> None:
    """Remove what processes that were killed while they wrote have left in `folder`, of files that are named so."""
    for part in folder.glob(f".{of}.part"):
        remove(part)


def remove(path: Path) -> None:
    """Remove a file or folder, if it is there and may be removed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    with suppress(OSError):
        path.unlink()


def sync(path: Path) -> None:
    """Force a file or folder onto the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
