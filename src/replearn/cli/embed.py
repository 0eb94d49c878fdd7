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

    from replearn.cli.rows import Columns
    from replearn.data import Samples


FULL, OWN = "32-true", "scikit-learn's own"  # precisions that round nothing off


@dataclass(kw_only=True)
class EmbedOptions(DataOptions):
    """Write the representation of every sample of DATA by the method in RUN.

    A .parquet file has the columns `index`, `name` (of files), `label` (if there are any) and `h`, the
    representation; a .npy file holds the representations alone. How they were made (precision, run, samples,
    versions) is in the table's metadata, or beside the array in FILE.npy.json. Killed, the same command goes on.

    Attributes:
        run: folder that `fit` or `demo` wrote, or a method's in one of `compare`: runs/compare/SimCLR.
        data: built-in name (digits, digits:test) or path.
        out: .parquet or .npy file; RUN/DATA.parquet if not given.
        rows: samples per batch.
        precision: of the networks: `32-true`, or `bf16-mixed`, which rounds to 8 bits; that of the run if not given,
            where `auto` is `32-true`.
        again: compute representations anew, also those that RUN keeps.
    """

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    out: Annotated[str | None, tyro.conf.arg(metavar="FILE")] = None
    rows: int = 512
    precision: Annotated[str | None, tyro.conf.arg(metavar="TEXT")] = None
    again: Flag = False


def run(args: list[str]) -> None:
    """The command."""
    options = parse(EmbedOptions, args, command="embed")
    if options.rows < 1:
        raise ValueError(f"--rows must be at least 1; got {options.rows}. Leave it out for 512.")
    from replearn.cli.rows import check_out, resumable
    from replearn.cli.runs import described, load_run, minutes, shown
    from replearn.engine.kept import EMBEDDED
    from replearn.engine.pace import speed
    from replearn.engine.run import lies_in, make_run
    from replearn.methods.reuse import Reuse

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
    with resumable(out, plan, total=len(samples), batch=options.rows, columns=columns_of(samples)) as rows:
        begun = rows.done
        if look.rows is not None:
            parts = in_parts(look.rows, start=rows.done, batch=options.rows)
        else:
            parts = embed_rows(method, samples, start=rows.done, batch=options.rows)
        for part in parts:
            rows.append(part)
        if look.rows is None and not begun:  # what was there before may be of an earlier version
            look.keep(rows.read())
    seconds = time.monotonic() - began
    rounded = "" if plan["precision"] in (FULL, OWN) else f", {plan['precision']}"
    pace = "" if look.rows is not None else f", {speed((len(samples) - begun) / seconds)}"
    print(f"{shown(out)}: {len(samples):,} rows{rounded}, {minutes(seconds)}{pace}")


def _set_precision(method: Any, precision: str) -> None:
    """Let a method's networks compute in this precision."""
    from replearn.engine.machine import choose_for_inference

    if not hasattr(method, "precision"):
        raise ValueError(
            f"--precision is for networks; {type(method).__name__} is of scikit-learn. Leave it out."
        )
    choose_for_inference(method.device, precision)
    method.precision = precision


def embed_rows(method: Any, samples: "Samples", *, start: int, batch: int) -> "Iterator[np.ndarray]":
    """Representations of the samples from `start` on, `batch` at a time.

    Raises:
        ValueError: the method places only the samples that it was fitted on, and these are others.
    """
    import numpy as np

    from replearn.engine.embed import check_finite
    from replearn.methods import Model

    if start == len(samples):
        return
    rest = samples.subset(np.arange(start, len(samples)))
    if isinstance(method, Model):
        yield from method.transform_parts(rest, rows=batch, first=start)
        return
    for first in range(0, len(rest), batch):
        index = np.arange(first, min(first + batch, len(rest)))
        if hasattr(method, "transform"):
            part = method.transform(rest.subset(index).flat())
            check_finite(part, first=start + first)
            yield part
        else:
            yield _placed(method, samples)[start + index]


def in_parts(rows: "np.ndarray", *, start: int, batch: int) -> "Iterator[np.ndarray]":
    """Rows from `start` on, `batch` at a time."""
    for first in range(start, len(rows), batch):
        yield rows[first : first + batch]


def columns_of(samples: "Samples") -> "Columns":
    """The columns of a table beside the representation: `index`, `name` and `label` where there are any."""
    import numpy as np
    import pyarrow as pa

    from replearn.data.records import shown_name

    def columns(start: int, stop: int) -> dict[str, Any]:
        found = {"index": pa.array(np.arange(start, stop, dtype=np.int64))}
        if samples.names is not None:
            names = [shown_name(name) for name in samples.names[start:stop]]
            found["name"] = pa.array(names, pa.string())
        if samples.labels is not None:
            labels = samples.labels[start:stop].tolist()
            known = [samples.classes[label] if label >= 0 else None for label in labels]
            found["label"] = pa.array(known, pa.string())
        return found

    return columns


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
    own = not hasattr(method, "precision")
    machine = None if own else choose_for_inference(method.device, method.precision)
    return {
        "run": digest.hexdigest(),
        "samples": fingerprint,
        "rows": len(samples),
        "batch": options.rows,
        "device": machine.device if machine else "cpu",
        "precision": machine.precision if machine else OWN,
        "versions": versions(),
    }


def _placed(method: Any, samples: "Samples") -> "np.ndarray":
    from replearn.methods.columns import bare

    placed: np.ndarray = bare(method).embedding_
    if len(placed) != len(samples):
        raise ValueError(
            f"{type(bare(method)).__name__} places only the {len(placed):,} samples it was fitted on; got "
            f"{len(samples):,} others. Fit it on these, or choose a method with a map of its own, like pca."
        )
    return placed
