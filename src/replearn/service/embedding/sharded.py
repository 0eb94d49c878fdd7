"""Representations of many samples by many processes, every row exactly once.

    rows --cut--> shards --a task of Ray each--> part-00000.parquet, ... --all there--> _manifest.json says so

A task that loses its worker is done again, by the same one started anew or by another. A driver that is killed leaves
whole shards, and the same call goes on with the others.
"""

import logging
import os
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from replearn.data import Samples
from replearn.data.progress import progress
from replearn.engine.owner import owned
from replearn.engine.run import make_run
from replearn.methods import Model
from replearn.methods.checks import samples_like_fit
from replearn.service.embedding.cluster import processes
from replearn.service.embedding.shards import Shard, begin, finish, is_whole, shards_of, sweep
from replearn.service.embedding.worker import make_shard

log = logging.getLogger("replearn")

RETRIES = 3  # of a shard whose worker ended
WAIT = 1.0  # seconds between looks for a wish to stop


@dataclass(frozen=True)
class Made:
    """What came of a call.

    Attributes:
        rows: in the folder.
        kept: of them, those that were there before.
        shards: files.
        again: how often a shard was begun again, since its worker had ended.
    """

    rows: int
    kept: int
    shards: int
    again: int


def embed_sharded(
    method: Any,
    samples: Samples,
    out: str | Path,
    *,
    plan: dict[str, Any],
    workers: int,
    address: str | None = None,
) -> Made:
    """Write the representation of every sample into the folder `out`, as Parquet files.

    Samples that lie in files (images that were decoded, arrays) are read there by each worker; what lies in memory is
    shared by the workers of a machine.

    Args:
        method: fitted.
        samples: as it reads them.
        out: a new folder, or one of an earlier call with the same plan, which is gone on with.
        plan: all that rows depend on, as JSON can hold it: `batch`, `shard` (rows of a file), `device` and
            `versions`, and what else tells these rows from others.
        workers: processes that work at once.
        address: of a cluster of Ray that runs; None: processes of this machine. A Ray that the caller has started
            is used as it is.

    Raises:
        ValueError: the folder holds something else, Ray is not installed, or a shard could not be made.
    """
    folder = make_run(out)
    shards = shards_of(len(samples), plan["shard"])
    with owned(folder):
        begin(folder, plan, shards)
        sweep(folder)
        missing = [shard for shard in shards if not is_whole(folder, shard, plan)]
        broken = sum((folder / shard.name).exists() for shard in missing)
        if broken:
            log.warning("%s: %d files are no whole shards of these rows; they are made again", folder, broken)
        kept = len(samples) - sum(map(len, missing))
        if kept:
            log.info("%s: %s of %s rows are there already", folder, f"{kept:,}", f"{len(samples):,}")
        again = _make(method, samples, folder, missing, plan, workers, address) if missing else 0
        sweep(folder)
        finish(folder, plan, shards)
    if again:
        log.warning("workers that ended while they wrote a shard: %d; these shards were made again", again)
    return Made(len(samples), kept, len(shards), again)


def _make(
    method: Any,
    samples: Samples,
    out: Path,
    missing: list[Shard],
    plan: dict[str, Any],
    workers: int,
    address: str | None,
) -> int:
    """Make shards; how often one was begun again."""
    if isinstance(method, Model):  # say here, once, what each worker would say
        samples = samples_like_fit(method, samples)
        method.warn_of_cuts(samples)
    alone = address is None
    with processes(workers, address, shared=size_of((method, samples))) as ray:
        _check_room(ray, workers)
        held = [ray.put(method), ray.put(samples)]
        call = uuid.uuid4().hex
        task = ray.remote(make_shard).options(
            num_cpus=1, num_gpus=_share(ray, plan["device"], workers), max_retries=RETRIES
        )
        settings = {
            "fingerprint": None if alone else samples.fingerprint(),
            "threads": max(1, (os.cpu_count() or 1) // workers) if alone else 1,
        }

        def submit(shard: Shard) -> Any:
            return task.remote(call, held, shard, str(out.resolve()), plan, **settings)

        with progress("embedding", sum(map(len, missing))) as advance:
            return _all(ray, submit, missing, workers, advance)


def _all(
    ray: Any,
    submit: Callable[[Shard], Any],
    missing: list[Shard],
    workers: int,
    advance: Callable[[int], None],
) -> int:
    """Have all shards made, as many at once as there are workers."""
    waiting, again = deque(missing), 0
    running: dict[Any, Shard] = {}
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                shard = waiting.popleft()
                running[submit(shard)] = shard
            ready, _ = ray.wait(list(running), num_returns=1, timeout=WAIT)
            for done in ready:
                again += _result(ray, done, running[done])
                advance(len(running.pop(done)))
    finally:
        for left in running:
            ray.cancel(left, force=True)
    return again


def _result(ray: Any, done: Any, shard: Shard) -> int:
    try:
        return int(ray.get(done))
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, ValueError | OSError | MemoryError):
            raise error.cause from error
        raise
    except ray.exceptions.RayError as error:
        raise ValueError(
            f"workers must live until their shard is written; {RETRIES + 1} ended while rows {shard.first:,} to "
            f"{shard.stop - 1:,} were made ({type(error).__name__}). Was memory short? Use fewer "
            "--workers, or fewer --rows at a time; the same command goes on with the other rows."
        ) from error


def size_of(things: Any) -> int:
    """Bytes that are sent to give things to another process; what lies in files is opened there."""
    import ray.cloudpickle

    dumps: Any = ray.cloudpickle.dumps
    buffers: list[Any] = []
    plain = len(dumps(things, protocol=5, buffer_callback=buffers.append))
    return plain + sum(int(buffer.raw().nbytes) for buffer in buffers)


def _share(ray: Any, device: str, workers: int) -> float:
    """Of how many graphics cards a worker has the use."""
    if not device.startswith("cuda"):
        return 0
    cards = int(ray.cluster_resources().get("GPU", 0))
    return 1 / ceil(workers / cards) if cards else 0  # as many on each card, since a worker has one


def _check_room(ray: Any, workers: int) -> None:
    """A warning where fewer can work at once than were asked for."""
    room = int(ray.cluster_resources().get("CPU", 0))
    if room < 1:
        raise ValueError(
            "the cluster must have at least one CPU for workers; it has none. Start one by `ray start`."
        )
    if room < workers:
        log.warning("the cluster has %d CPUs: as many of the %d workers work at once", room, workers)
