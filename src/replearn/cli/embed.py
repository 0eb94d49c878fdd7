"""`replearn embed RUN DATA`: the representation of every sample, as a Parquet or npy file."""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from replearn.cli.options import Flag, parse
from replearn.cli.samples import DataOptions, load_samples, short_name

if TYPE_CHECKING:
    import numpy as np

    from replearn.data import Samples


FULL, OWN = "32-true", "scikit-learn's own"  # precisions that round nothing off


@dataclass(kw_only=True)
class EmbedOptions(DataOptions):
    """Write the representation of every sample of DATA by the method in RUN.

    A .parquet file has the columns `index`, `name` (of files), `label` (if there are any) and `h`, the
    representation; a .npy file holds the representations alone. How they were made (precision, run, samples,
    versions) is in the table's metadata, or beside the array in FILE.npy.json. Killed, the same command goes on.
    --workers shares the work among processes, which write a folder of .parquet files.

    Attributes:
        run: folder that `fit` or `demo` wrote, or a method's in one of `compare`: runs/compare/SimCLR.
        data: built-in name (digits, digits:test) or path.
        out: .parquet or .npy file; RUN/DATA.parquet if not given. With --workers a folder; RUN/DATA-shards.
        rows: samples per batch.
        precision: of the networks: `32-true`, or `bf16-mixed`, which rounds to 8 bits; that of the run if not given,
            where `auto` is `32-true`.
        again: compute representations anew, also those that RUN keeps.
        workers: processes of Ray that share the work; each row is in one of the files of --out.
        ray: with --workers, address of a cluster that runs: auto, or HOST:PORT; processes of this machine if not given.
        shard: with --workers, rows of a file; a 64th of DATA, 65,536 at most, if not given.
    """

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    out: Annotated[str | None, tyro.conf.arg(metavar="FILE")] = None
    rows: int = 512
    precision: Annotated[str | None, tyro.conf.arg(metavar="TEXT")] = None
    again: Flag = False
    workers: int | None = None
    ray: Annotated[str | None, tyro.conf.arg(metavar="ADDRESS")] = None
    shard: int | None = None


def run(args: list[str]) -> None:
    """The command."""
    options = parse(EmbedOptions, args, command="embed")
    if options.rows < 1:
        raise ValueError(f"--rows must be at least 1; got {options.rows}. Leave it out for 512.")
    if options.workers is not None:
        _run_sharded(options)
        return
    for name in ("ray", "shard"):
        if getattr(options, name) is not None:
            raise ValueError(f"--{name} is for several workers. Leave it out, or add --workers N.")
    from replearn.cli.rows import check_out, resumable
    from replearn.cli.runs import described, load_run, minutes, shown
    from replearn.engine.kept import EMBEDDED
    from replearn.engine.pace import speed
    from replearn.engine.run import lies_in, make_run
    from replearn.methods.reuse import Reuse
    from replearn.service.embedding import parts as embedding

    out = Path(options.out or Path(options.run) / f"{short_name(options.data)}.parquet")
    check_out(out)
    if lies_in(out, Path(options.run) / EMBEDDED):
        raise ValueError(
            f"--out must lie outside of {Path(options.run) / EMBEDDED}, where the run keeps representations of its "
            f"own; got {out}. Choose another folder."
        )
    method = load_run(options.run)
    if options.precision:
        _set_precision(method, options.precision)
    make_run(out.parent)
    samples = load_samples(options.data, options, like=described(options.run))
    began = time.monotonic()
    reuse = Reuse(again=options.again)
    plan = _plan(method, options, samples, reuse.fingerprint(samples))
    look = reuse.look(method, samples, run=Path(options.run), rows=options.rows)
    reuse.tell()
    with resumable(
        out, plan, total=len(samples), batch=options.rows, columns=embedding.columns_of(samples)
    ) as rows:
        begun = rows.done
        if look.rows is not None:
            parts = in_parts(look.rows, start=rows.done, batch=options.rows)
        else:
            parts = embedding.embed_rows(method, samples, start=rows.done, batch=options.rows)
        for part in parts:
            rows.append(part)
        if look.rows is None and not begun:  # what was there before may be of an earlier version
            look.keep(rows.read())
    seconds = time.monotonic() - began
    rounded = "" if plan["precision"] in (FULL, OWN) else f", {plan['precision']}"
    pace = "" if look.rows is not None else f", {speed((len(samples) - begun) / seconds)}"
    print(f"{shown(out)}: {len(samples):,} rows{rounded}, {minutes(seconds)}{pace}")


def _run_sharded(options: EmbedOptions) -> None:
    """The command with several workers."""
    from replearn.cli.runs import described, load_run, minutes, shown
    from replearn.data.copies import content_fingerprint
    from replearn.data.needed import check_installed
    from replearn.engine.kept import EMBEDDED
    from replearn.engine.pace import speed
    from replearn.engine.run import lies_in
    from replearn.service.embedding import embed_sharded, shard_rows

    run = Path(options.run)
    out = Path(options.out or run / f"{short_name(options.data)}-shards")
    if out.suffix in (".parquet", ".npy") or out.is_file():
        raise ValueError(
            f"--out must be a folder where several workers write; got {str(out)!r}. Name one, or leave --workers out."
        )
    if options.again:
        raise ValueError(
            "--again ignores what a run has kept, which several workers never read. Leave it out."
        )
    if lies_in(out, run / EMBEDDED) or lies_in(run, out):
        raise ValueError(f"--out must be a folder of its own; got {out}. Choose another name.")
    if options.shard is not None and options.shard % options.rows:
        raise ValueError(
            f"--shard must be a multiple of --rows, {options.rows}; got {options.shard}. Take "
            f"{max(1, options.shard // options.rows) * options.rows}."
        )
    check_installed("several workers need", "ray")
    method = load_run(options.run)
    if options.precision:
        _set_precision(method, options.precision)
    samples = load_samples(options.data, options, like=described(options.run))
    began = time.monotonic()
    plan = _plan(method, options, samples, content_fingerprint(samples))
    plan["shard"] = options.shard or shard_rows(len(samples), batch=options.rows)
    made = embed_sharded(method, samples, out, plan=plan, workers=options.workers or 1, address=options.ray)
    seconds = time.monotonic() - began
    new = made.rows - made.kept
    pace = f", {minutes(seconds)}, {speed(new / seconds)}" if new else ", all there already"
    print(f"{shown(out)}: {made.rows:,} rows in {made.shards:,} files{pace}")


def _set_precision(method: Any, precision: str) -> None:
    """Let a method's networks compute in this precision."""
    from replearn.engine.machine import choose_for_inference

    if not hasattr(method, "precision"):
        raise ValueError(
            f"--precision is for networks; {type(method).__name__} is of scikit-learn. Leave it out."
        )
    choose_for_inference(method.device, precision)
    method.precision = precision


def in_parts(rows: "np.ndarray", *, start: int, batch: int) -> "Iterator[np.ndarray]":
    """Rows from `start` on, `batch` at a time."""
    for first in range(start, len(rows), batch):
        yield rows[first : first + batch]


def _plan(method: Any, options: EmbedOptions, samples: "Samples", fingerprint: str) -> dict[str, Any]:
    """All that the rows depend on."""
    from replearn.engine.machine import choose_for_inference
    from replearn.engine.run import METHOD, WEIGHTS
    from replearn.methods.store import versions

    digest = hashlib.blake2b(digest_size=16)
    for name in (METHOD, WEIGHTS):
        with (Path(options.run) / name).open("rb") as file:
            while part := file.read(2**20):
                digest.update(part)
    names = hashlib.blake2b(digest_size=16)
    for name in samples.names if samples.names is not None else ():
        names.update(name.encode("utf-8", "surrogateescape") + b"\0")
    own = not hasattr(method, "precision")
    machine = None if own else choose_for_inference(method.device, method.precision)
    return {
        "run": digest.hexdigest(),
        "samples": fingerprint,
        "names": names.hexdigest(),
        "rows": len(samples),
        "batch": options.rows,
        "device": machine.device if machine else "cpu",
        "precision": machine.precision if machine else OWN,
        "versions": versions(),
    }
