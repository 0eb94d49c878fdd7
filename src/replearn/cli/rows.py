"""Many rows into one file: in bounded memory, going on after a kill, and the file appears when it is whole.

Until then the rows lie in a folder beside it, `.NAME.part/`, of `plan.json` (what is being written) and
`rows.npy`. Only whole batches are kept, so an interrupted file ends with the bits of an uninterrupted one.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from jaxtyping import Float

from replearn.engine.owner import owned
from replearn.engine.run import read_json, replacing, write_json
from replearn.service.embedding.tables import GROUP, Columns, write_parquet

PLAN, ROWS = "plan.json", "rows.npy"
SUFFIXES = (".parquet", ".npy")


class Rows:
    """Rows that are being written: `done` are there, `append` adds some.

    Args:
        folder: where they lie meanwhile.
        total: how many there will be.
        batch: how many come at a time; what is left of an incomplete batch is dropped.
    """

    def __init__(self, folder: Path, *, total: int, batch: int) -> None:
        self.path = folder / ROWS
        self.total = total
        self.done = 0
        if self.path.exists():
            self.done = _whole_rows(self.path, batch)

    def append(self, rows: Float[np.ndarray, "n d"]) -> None:
        """Write rows after those that are done."""
        if not self.done:
            with self.path.open("wb") as file:
                _write_header(file, (self.total, rows.shape[1]))
        with self.path.open("ab") as file:
            file.write(np.ascontiguousarray(rows, dtype="<f4").tobytes())
        self.done += len(rows)

    def read(self) -> Float[np.ndarray, "n d"]:
        """The rows that are done, mapped from the disk."""
        rows: np.ndarray = np.load(self.path, mmap_mode="r")
        return rows[: self.done]


@contextmanager
def resumable(out: Path, plan: dict[str, Any], *, total: int, batch: int, columns: Columns) -> Iterator[Rows]:
    """While entered, rows can be appended; then they become the file `out`, which says how they were made.

    That is in the metadata of a table, under `replearn`, and in FILE.npy.json beside an array.

    Args:
        out: a `.parquet` or `.npy` file.
        plan: all that the rows depend on; what lies there from another plan is dropped.
        total, batch: as for `Rows`.
        columns: the other columns of a table.

    Raises:
        ValueError: the file exists, or is of another kind, or another process is writing it.
    """
    check_out(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = out.with_name(f".{out.name}.part")
    folder.mkdir(exist_ok=True)
    with owned(folder):
        if not _is_of(folder, plan):
            (folder / ROWS).unlink(missing_ok=True)
        write_json(folder / PLAN, plan)
        rows = Rows(folder, total=total, batch=batch)
        yield rows
        if out.suffix == ".npy":
            with rows.path.open("rb") as file:
                os.fsync(file.fileno())
            write_json(out.with_name(f"{out.name}.json"), plan)
            os.replace(rows.path, out)
        else:
            with replacing(out) as part:
                write_parquet(part, _whole(rows.path), columns, made=plan)
    shutil.rmtree(folder)


def check_out(out: Path) -> None:
    """Raises ValueError where `out` can't be written."""
    if out.suffix not in SUFFIXES:
        raise ValueError(f"--out must end in {' or '.join(SUFFIXES)}; got {str(out)!r}. Rename it.")
    if out.exists():
        raise ValueError(f"--out must be a new file; {out} exists. Delete it, or choose another name.")


def _whole(path: Path) -> Iterator[Float[np.ndarray, "_ d"]]:
    """The rows of an `.npy` file, some at a time."""
    h = np.load(path, mmap_mode="r", allow_pickle=False)
    for start in range(0, len(h), GROUP):
        yield h[start : start + GROUP]


def _is_of(folder: Path, plan: dict[str, Any]) -> bool:
    with suppress(ValueError):  # broken: of none
        return (folder / PLAN).is_file() and read_json(folder / PLAN) == plan  # type: ignore[no-any-return]
    return False


def _write_header(file: BinaryIO, shape: tuple[int, int]) -> None:
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})


def _whole_rows(path: Path, batch: int) -> int:
    """How many rows of an unfinished file are whole batches, or all; the rest is cut off."""
    with path.open("r+b") as file:
        try:
            np.lib.format.read_magic(file)
            shape, _, _ = np.lib.format.read_array_header_1_0(file)
        except ValueError:  # killed while the header was written
            return 0
        start, width = file.tell(), shape[1] * 4
        found = (path.stat().st_size - start) // width
        done = int(found if found == shape[0] else found // batch * batch)
        file.truncate(start + done * width)
    return done
