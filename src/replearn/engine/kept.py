"""Rows that a run keeps, so that no command computes them twice.

    RUN/embedded/
        KEY.npy     float32 (n, d)
        KEY.json    when they were made, of what, and the checksum of the array; written last

A key stands for all that the rows depend on, so what is kept is never wrong, only no longer asked for. All of it takes
`MOST` bytes of a run at most: the oldest goes first. It is safe to delete; files of other names stay. Checksums are
against accidents, not against forgery. Where the folder can't be written to, or another process is at it, nothing is
kept, with a line.
"""

import logging
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from replearn.data.cache import ArrayWriter, file_checksum
from replearn.engine.owner import is_first, owned
from replearn.engine.run import clear_parts, lies_in, read_json, remove, replacing, write_json

log = logging.getLogger("replearn")

EMBEDDED = "embedded"
MOST = 2**30  # bytes
PART = 2**16  # rows that are written at a time
KEYS = "[0-9a-f]" * 32  # how files are named, but for their endings


def read_kept(run: Path, key: str, n: int) -> tuple[Float[np.ndarray, "n d"], date] | None:
    """The `n` rows that a run keeps under `key`, mapped from the disk, and the day on which they were made.

    None where there are none; a warning, too, where they are damaged.
    """
    array, told = _paths(run, key)
    if not told.is_file() or not lies_in(array, run):
        return None
    try:
        content = read_json(told)
        made = datetime.fromisoformat(content["made"]).date()
        if file_checksum(array) != content["checksum"]:
            raise ValueError("it has other content than was written")
        rows: np.ndarray = np.load(array, mmap_mode="r", allow_pickle=False)
        if rows.dtype != np.float32 or rows.ndim != 2 or len(rows) != n:
            raise ValueError(f"it holds {rows.dtype} of shape {rows.shape}, not {n:,} rows of float32")
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        log.warning("%s: these representations are damaged (%.100s); they are made again", array, reason)
        return None
    return rows, made


def keep(run: Path, key: str, rows: Float[np.ndarray, "n d"], of: dict[str, Any]) -> None:
    """Keep rows in a run, whole or not at all; where that can't be, a line says why.

    Args:
        run: its folder.
        key: stands for all that the rows depend on.
        rows: may be mapped from the disk: they are written in parts.
        of: what they are of, for a reader of the folder.
    """
    if not is_first():
        return
    folder = run / EMBEDDED
    try:
        if not lies_in(folder, run):
            raise ValueError(f"{folder} points outside of the run")
        folder.mkdir(exist_ok=True)
        with owned(folder):
            _write(run, key, rows, of)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        log.info("representations of %s samples are not kept: %s: %s", f"{len(rows):,}", folder, reason)


def fits(rows: int, dim: int) -> bool:
    """Whether so many rows are kept at all."""
    return rows * dim * np.dtype(np.float32).itemsize <= MOST


def _write(run: Path, key: str, rows: np.ndarray, of: dict[str, Any]) -> None:
    array, told = _paths(run, key)
    clear_parts(array.parent, of=f"{KEYS}.*")
    remove(told)  # a reader in between finds nothing, not an array of another checksum
    _make_room(array.parent, rows.nbytes)
    with (
        replacing(array) as part,
        ArrayWriter(part, most=len(rows), shape=rows.shape[1:], dtype=np.float32) as writer,
    ):
        for start in range(0, len(rows), PART):
            writer.append(rows[start : start + PART])
    made = datetime.now(UTC).astimezone().isoformat(timespec="seconds")
    write_json(told, {"made": made, "checksum": file_checksum(array), "of": of})


def _make_room(folder: Path, size: int) -> None:
    """Remove arrays that are not whole, then the oldest ones until there is room for `size` bytes more."""
    whole = []
    for array in folder.glob(f"{KEYS}.npy"):
        if array.with_suffix(".json").exists():
            told = array.lstat()  # a link may lead nowhere
            whole.append((told.st_mtime_ns, told.st_size, array))
        else:
            remove(array)
    there, removed = sum(taken for _, taken, _ in whole), 0
    for _, taken, array in sorted(whole):
        if there + size <= MOST:
            break
        remove(array.with_suffix(".json"))
        remove(array)
        there, removed = there - taken, removed + 1
    if removed:
        log.info(
            "%s: the %d oldest of %d arrays are removed, since %.1f GB are kept of a run",
            *(folder, removed, len(whole), MOST / 1e9),
        )


def _paths(run: Path, key: str) -> tuple[Path, Path]:
    """Where the rows are, and what is said of them."""
    folder = run / EMBEDDED
    return folder / f"{key}.npy", folder / f"{key}.json"
