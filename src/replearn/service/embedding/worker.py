"""What a worker does: open method and samples once, then write shards."""

import socket
from pathlib import Path
from typing import Any

import torch

from replearn.data import Samples
from replearn.methods.store import versions
from replearn.service.embedding.parts import columns_of, embed_rows
from replearn.service.embedding.shards import Shard, appearing, begun_before, made_of
from replearn.service.embedding.tables import write_parquet

_opened: dict[str, tuple[Any, Samples]] = {}  # by the call that they are of; a process holds one


def make_shard(
    call: str,
    held: list[Any],
    shard: Shard,
    out: str,
    plan: dict[str, Any],
    *,
    fingerprint: str | None,
    threads: int,
) -> int:
    """Write a shard; how often it had been begun before, by workers that did not end it.

    Args:
        call: a name of the call that this is of.
        held: method and samples, as Ray holds them.
        shard: which.
        out: the folder.
        plan: what the rows depend on.
        fingerprint: of the samples, where they may be others on this machine.
        threads: of a worker.

    Raises:
        ValueError: this machine has other versions or samples, or can't read the samples.
    """
    torch.set_num_threads(threads)
    method, samples = _open(call, held, plan, fingerprint)
    before = begun_before(Path(out), shard)
    write_shard(method, samples, shard, Path(out), plan)
    return before


def write_shard(method: Any, samples: Samples, shard: Shard, out: Path, plan: dict[str, Any]) -> None:
    """Make the rows of a shard, and write them."""
    with appearing(out, shard) as part:
        parts = embed_rows(method, samples, start=shard.first, stop=shard.stop, batch=plan["batch"])
        write_parquet(part, parts, columns_of(samples), made=made_of(plan, shard), first=shard.first)


def _open(call: str, held: list[Any], plan: dict[str, Any], fingerprint: str | None) -> tuple[Any, Samples]:
    import ray

    if call in _opened:
        return _opened[call]
    here = socket.gethostname()
    if versions() != plan["versions"]:
        raise ValueError(
            f"all machines must have the same versions; {here} has {versions()}, where the command runs are "
            f"{plan['versions']}. Install the same."
        )
    try:
        method, samples = ray.get(held)
    except (ray.exceptions.RayTaskError, ray.exceptions.RaySystemError, OSError) as error:
        reason = " ".join(str(error).split())[-200:]
        raise ValueError(
            f"all machines must see DATA, and the cache, under the same path; {here} does not ({reason}). Put them, "
            "and REPLEARN_CACHE, on a file system that all share."
        ) from error
    if fingerprint is not None and samples.fingerprint() != fingerprint:
        raise ValueError(
            f"all machines must read the same samples; {here} has others under the same path. Put DATA on a file "
            "system that all share."
        )
    if hasattr(method, "device"):
        method.device = plan["device"]
    _opened.clear()
    _opened[call] = method, samples
    return method, samples
