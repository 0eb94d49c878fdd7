"""A folder of shards: which rows are in which file, what they depend on, which files are there.

    OUT/
        _manifest.json       what rows depend on; file, first row and rows of each shard; whether all are there
        part-00000.parquet   rows 0 up to `shard`
        part-00001.parquet   the next ones
        .part-00002.HOST-PROCESS.part   a shard that this process is writing, or was when it ended

A shard's rows follow from its number, and its file appears in one instant when it is whole. So a shard that is made
twice, by a worker that was thought dead and by the one that took its place, is there once all the same. Names that
begin with `_` or `.` are left alone by what reads a folder of Parquet files (pandas, pyarrow, DuckDB, Spark).
"""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from replearn.engine.run import read_json, sync, write_json

MANIFEST = "_manifest.json"
SHARDS = 64  # of few samples, so that workers end together
LARGEST = 2**16  # rows of a shard, unless more are asked for


@dataclass(frozen=True)
class Shard:
    """Rows `first` up to `stop`, which are in the file `name`."""

    name: str
    first: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.first


def shard_rows(total: int, *, batch: int) -> int:
    """Rows of a shard where nothing else is said: a 64th of all, 65,536 at most, in whole batches.

    >>> shard_rows(1_000_000, batch=512), shard_rows(2_000, batch=512), shard_rows(10**9, batch=512)
    (15872, 512, 65536)
    """
    wanted = ceil(total / SHARDS / batch) * batch
    return max(batch, min(wanted, LARGEST // batch * batch))


def shards_of(total: int, rows: int) -> list[Shard]:
    """All shards, in order.

    >>> [(shard.name, shard.first, shard.stop) for shard in shards_of(5, 2)][1:]
    [('part-00001.parquet', 2, 4), ('part-00002.parquet', 4, 5)]
    """
    digits = max(5, len(str(ceil(total / rows) - 1)))
    return [
        Shard(f"part-{number:0{digits}}.parquet", first, min(first + rows, total))
        for number, first in enumerate(range(0, total, rows))
    ]


def begin(out: Path, plan: dict[str, Any], shards: list[Shard]) -> None:
    """Write the manifest of a new folder, or make sure that the one there is of the same rows.

    Raises:
        ValueError: the folder holds something else.
    """
    path = out / MANIFEST
    if not path.exists():
        others = sorted(found.name for found in out.iterdir() if not found.name.startswith((".", "owner.")))
        if others:
            raise ValueError(
                f"--out must be a new folder, or one of shards to go on with; {out} holds {', '.join(others[:3])}"
                f"{', ...' if len(others) > 3 else ''}. Choose another name."
            )
        _write(out, plan, shards, whole=False)
        return
    found = read_json(path)
    there = found.get("made") if isinstance(found, dict) else None
    if there != plan:
        differ = [name for name in plan if not isinstance(there, dict) or there.get(name) != plan[name]]
        raise ValueError(
            f"{out} must hold shards of the same run, samples and settings to go on; "
            f"{'its manifest differs in ' + ', '.join(differ)}. Choose another folder, or delete this one."
        )
    if not all(is_whole(out, shard, plan) for shard in shards):
        _write(out, plan, shards, whole=False)


def finish(out: Path, plan: dict[str, Any], shards: list[Shard]) -> None:
    """Say in the manifest that all shards are there.

    Raises:
        ValueError: one is not, or not whole.
    """
    missing = [shard.name for shard in shards if not is_whole(out, shard, plan)]
    if missing:
        raise ValueError(
            f"all {len(shards):,} shards must be in {out}; {len(missing):,} are not whole, the first: {missing[0]}. "
            "Did another program change them? Give the same command again."
        )
    _write(out, plan, shards, whole=True)


def is_whole(out: Path, shard: Shard, plan: dict[str, Any]) -> bool:
    """Whether a shard's file is there, of this plan, with all of its rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = out / shard.name
    if not path.is_file():
        return False
    try:
        found = pq.read_metadata(path)
        made = json.loads((found.metadata or {})[b"replearn"])
    except (pa.ArrowException, OSError, ValueError, KeyError):
        return False
    return bool(found.num_rows == len(shard) and made == made_of(plan, shard))


def made_of(plan: dict[str, Any], shard: Shard) -> dict[str, Any]:
    """What stands in a shard's metadata."""
    return plan | {"first": shard.first}


@contextmanager
def appearing(out: Path, shard: Shard) -> Iterator[Path]:
    """While entered, a path to write a shard to; then it has the shard's name, in one instant."""
    part = out / f"{_begun(shard)}{socket.gethostname()}-{os.getpid()}.part"
    part.touch()
    try:
        yield part
        sync(part)
        os.replace(part, out / shard.name)
    finally:
        part.unlink(missing_ok=True)


def begun_before(out: Path, shard: Shard) -> int:
    """How many processes began to write a shard, and have not ended it."""
    return len(list(out.glob(f"{_begun(shard)}*.part")))


def sweep(out: Path) -> None:
    """Clear away what writers left that were killed."""
    for part in out.glob(".part-*.part"):
        part.unlink(missing_ok=True)


def _begun(shard: Shard) -> str:
    return f".{shard.name.removesuffix('.parquet')}."


def _write(out: Path, plan: dict[str, Any], shards: list[Shard], *, whole: bool) -> None:
    listed = [{"file": shard.name, "first": shard.first, "rows": len(shard)} for shard in shards]
    write_json(out / MANIFEST, {"whole": whole, "made": plan, "shards": listed})
