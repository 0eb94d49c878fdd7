"""`replearn index RUN DATA`: representations in a table that `replearn search` and programs look through."""

import dataclasses
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from replearn.cli.index_columns import columns_of
from replearn.cli.options import Flag, parse
from replearn.cli.samples import DataOptions, load_samples, short_name, shown_data

if TYPE_CHECKING:
    import numpy as np

    from replearn.data import Samples

log = logging.getLogger("replearn")

ROWS = ".rows.npy"  # of a version that is being made


@dataclass(kw_only=True)
class IndexOptions(DataOptions):
    """Make an index of DATA by the representation of RUN: `replearn search` finds the nearest samples in it.

    Killed, the same command goes on. An index that is there is changed by --add (samples of DATA, by the same run),
    by --renew (rebuilt, by any run; searches use the old one until the new one is complete), or, in place of RUN,
    by --delete.

    Attributes:
        run: folder that `fit` wrote; with --delete, that of an index.
        data: built-in name or path.
        to: folder of the index; runs/index-DATA if not given.
        keep: columns of DATA's table, or of the file of labels, that searches can ask for.
        of: of a run of clip, the member that DATA are: image, say; searches may ask by another.
        add: add DATA to the index.
        renew: build a new index beside the old one, then switch to it.
        delete: delete samples for which this holds: "label = 'cat'".
        approximate: look through a part of large indexes only; how much of exact search that finds is measured.
        server: keep the rows in a PostgreSQL server with pgvector, postgresql://user@host/database; passwords come from
            PGPASSWORD or ~/.pgpass.
        rows: samples per batch.
    """

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN|INDEX")]
    data: Annotated[tyro.conf.Positional[str | None], tyro.conf.arg(metavar="DATA")] = None
    to: Annotated[str | None, tyro.conf.arg(metavar="INDEX")] = None
    keep: Annotated[tuple[str, ...], tyro.conf.arg(metavar="COLUMN...")] = ()
    of: Annotated[str | None, tyro.conf.arg(metavar="MEMBER")] = None
    add: Flag = False
    renew: Flag = False
    delete: Annotated[str | None, tyro.conf.arg(metavar="CONDITION")] = None
    approximate: Flag = False
    server: Annotated[str | None, tyro.conf.arg(metavar="URL")] = None
    rows: int = 512


def run(args: list[str]) -> None:
    """The command."""
    options = parse(IndexOptions, args, command="index")
    if sum((options.add, options.renew, options.delete is not None)) > 1:
        raise ValueError("one of --add, --renew and --delete must be given at most; got several. Choose one.")
    if options.delete is not None:
        _delete(options)
        return
    if options.data is None:
        raise ValueError("all arguments must be given; missing: DATA. See `replearn index --help`.")
    if options.add and options.approximate:
        raise ValueError(
            "--approximate is for a new index; got --add. Leave it out: the index keeps its way of searching."
        )
    from replearn.service.indexes import is_index, writing
    from replearn.service.indexes.server import check_server

    if options.server is not None:
        if options.add:
            raise ValueError(
                "--server is for a new index; got --add. Leave it out: the index stays where it is."
            )
        check_server(options.server)
    to = Path(options.to or f"runs/index-{short_name(options.data)}")
    if is_index(to) != (options.add or options.renew):
        told = "holds an index already: --add adds to it, --renew rebuilds it"
        raise ValueError(
            f"{to} {told if is_index(to) else 'holds no index to change. Leave --add and --renew out'}."
        )
    with writing(to):
        (_add if options.add else _make)(options, to)


def _make(options: IndexOptions, to: Path) -> None:
    """Write a version, the first one or another one."""
    from replearn.cli.runs import minutes, shown
    from replearn.methods.store import versions
    from replearn.service.indexes import Version, open_index, write_version
    from replearn.service.reading import hash_of_run

    began = time.monotonic()
    method, member, samples = _read(options)
    columns = columns_of(samples, options.keep, str(options.data), options.labels, first=0)
    rows = _represent(options, to, method, member, samples)
    keep, columns = _with_direction(rows, columns)
    folder = Path(options.run).resolve()
    told = Version(
        str(folder),
        hash_of_run(folder),
        member,
        (shown_data(str(options.data)),),
        rows.shape[1],
        server=options.server or (open_index(to).version.server if options.renew else None),
        versions=versions(),
    )
    chosen = rows if keep is None else rows[keep]
    name, recall = write_version(to, told, chosen, columns, parts=options.approximate)
    _clean(to)
    took = minutes(time.monotonic() - began)
    print(f"{shown(to)}: {len(chosen):,} samples, {rows.shape[1]} numbers each, {name}, {took}")
    if recall is not None:
        print(recall)
    print(f"next:\n  replearn search {shown(to)} QUERY\n  replearn explore {shown(to)}")


def _add(options: IndexOptions, to: Path) -> None:
    """Add samples to the current version."""
    from replearn.cli.runs import minutes, shown
    from replearn.service.indexes import note, open_index
    from replearn.service.reading import hash_of_run

    began = time.monotonic()
    opened = open_index(to)
    if hash_of_run(options.run) != opened.version.weights:
        raise ValueError(
            f"samples that are added must be represented by the run of the index, {opened.version.run}; "
            f"{options.run} is another, or was fitted again. Rebuild the index by --renew."
        )
    method, member, samples = _read(options)
    if member != opened.version.member:
        raise ValueError(f"--of must be {opened.version.member}, as the index has it; got {member}.")
    columns = columns_of(
        samples, options.keep, str(options.data), options.labels, first=opened.table.next_number()
    )
    there = opened.table.names() & set(samples.names or ())
    if there:
        raise ValueError(
            f"names of added samples must be new; {len(there):,} of {len(samples):,} are in the index, such as "
            f"{min(there)!r}. Delete them first, by --delete."
        )
    rows = _represent(options, to, method, member, samples)
    keep, columns = _with_direction(rows, columns)
    opened.table.add(rows if keep is None else rows[keep], columns)
    data = (*opened.version.data, shown_data(str(options.data)))
    note(to, opened.name, dataclasses.replace(opened.version, data=data))
    _clean(to)
    print(
        f"{shown(to)}: {len(samples):,} added, {len(opened.table):,} in all, {minutes(time.monotonic() - began)}"
    )


def _delete(options: IndexOptions) -> None:
    """Delete samples of the current version."""
    from replearn.cli.runs import shown
    from replearn.service.indexes import open_index, writing

    assert options.delete is not None
    given = [name for name in ("data", "to", "of", "approximate", "server", "keep") if getattr(options, name)]
    if given:
        raise ValueError(
            f"with --delete, INDEX alone must be given; got {', '.join(given)}, too. Write: "
            'replearn index INDEX --delete "CONDITION"'
        )
    folder = Path(options.run)
    opened = open_index(folder)
    with writing(folder):
        gone = opened.table.delete(options.delete)
    print(f"{shown(folder)}: {gone:,} deleted, {len(opened.table):,} left")


def _read(options: IndexOptions) -> tuple[Any, str | None, "Samples"]:
    """The run, the member that is indexed, and the samples."""
    from replearn.cli.runs import described, load_run
    from replearn.service.reading import check_places, expected_of, member_for

    method = load_run(options.run)
    check_places(method)
    member = member_for(method, options.of, "--of", words=False)
    like = expected_of(method, described(options.run), member)
    samples = load_samples(str(options.data), options, like=like)
    if member is not None and member in samples.members:
        raise ValueError(f"DATA must be samples of the member {member} alone; {options.data} holds pairs.")
    return method, member, samples


def _represent(
    options: IndexOptions, to: Path, method: Any, member: str | None, samples: "Samples"
) -> "np.ndarray":
    """The rows of all samples, from where a killed process left off."""
    import numpy as np

    from replearn.cli.rows import resumable
    from replearn.data.copies import content_fingerprint
    from replearn.data.progress import progress
    from replearn.engine.run import read_json, remove
    from replearn.methods.store import versions
    from replearn.service.reading import hash_of_run, rows_in_parts

    plan = {
        "run": hash_of_run(options.run),
        "member": member,
        "samples": content_fingerprint(samples),
        "rows": len(samples),
        "batch": options.rows,
        "versions": versions(),
    }
    path, beside = to / ROWS, to / f"{ROWS}.json"
    if path.exists() and not (beside.exists() and read_json(beside) == plan):
        remove(path)
    if not path.exists():
        with (
            resumable(path, plan, total=len(samples), batch=options.rows, columns=lambda *_: {}) as rows,
            progress("representing", len(samples)) as advance,
        ):
            advance(rows.done)
            parts = rows_in_parts(method, samples, member, start=rows.done, batch=options.rows)
            for part in parts:
                rows.append(part)
                advance(len(part))
    found: np.ndarray = np.load(path, mmap_mode="r")
    return found


def _with_direction(
    rows: "np.ndarray", columns: dict[str, Any]
) -> tuple["np.ndarray | None", dict[str, Any]]:
    """Which rows have a direction (None: all), and the columns of these; others are left out, with a line."""
    import numpy as np
    import pyarrow as pa

    flat = np.concatenate([~np.asarray(rows[i : i + 8192]).any(1) for i in range(0, len(rows), 8192)])
    if not flat.any():
        return None, columns
    if flat.all():
        raise ValueError(
            f"representations must have a direction; all {len(rows):,} are zeros. Fit another run."
        )
    log.warning("%d samples are left out: their representation is zeros, which has no direction", flat.sum())
    keep = np.flatnonzero(~flat)
    return keep, {name: column.take(pa.array(keep)) for name, column in columns.items()}


def _clean(to: Path) -> None:
    """Remove what only a killed process needs."""
    from replearn.engine.run import remove

    for name in (ROWS, f"{ROWS}.json"):
        remove(to / name)
