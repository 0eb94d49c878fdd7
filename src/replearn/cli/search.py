"""`replearn search INDEX QUERY`: the samples of an index that are nearest to a file, a text, a row or one of them."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from replearn.cli.options import Flag, parse
from replearn.cli.samples import DataOptions, load_samples

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from replearn.service.indexes import Opened

log = logging.getLogger("replearn")

WIDTH = 80
SHOWN = 20  # queries of a file that are printed


@dataclass(kw_only=True)
class SearchOptions(DataOptions):
    """Print the samples of INDEX whose representations are nearest to QUERY, by cosine.

    QUERY is the number of a sample in INDEX (which is then left out), a file or folder as the run reads it (a table's
    rows, an image), else a text, where the run reads texts. Of an index made by a run of clip, texts find images.

    Attributes:
        index: folder that `replearn index` wrote.
        query: number, path or text.
        by: what QUERY is, where it could be several things.
        where: a condition in SQL that samples must meet: "label = 'cat' AND year > 2000".
        top: how many are found.
        exact: look at every sample, also where the index is approximate.
        run: folder of the run, if it has moved.
        out: CSV file for what is found.
    """

    index: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="INDEX")]
    query: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="QUERY")]
    by: Literal["auto", "number", "file", "text"] = "auto"
    where: Annotated[str | None, tyro.conf.arg(metavar="CONDITION")] = None
    top: int = 10
    exact: Flag = False
    run: Annotated[str | None, tyro.conf.arg(metavar="RUN")] = None
    out: Annotated[str | None, tyro.conf.arg(metavar="FILE")] = None


def run(args: list[str]) -> None:
    """The command."""
    options = parse(SearchOptions, args, command="search")
    if options.out is not None and Path(options.out).exists():
        raise ValueError(
            f"--out must be a new file; {options.out} exists. Delete it, or choose another name."
        )
    from replearn.service.indexes import open_index

    opened = open_index(options.index)
    by = _meaning(options)
    if by == "number":
        number = int(options.query)
        rows, names = opened.table.direction(number)[None], [f"number {number}"]
        where: str | None = _and(f"number != {number}", options.where)
    else:
        rows, names = _asked(options, opened, by)
        where = options.where
    found = [opened.table.search(row, options.top, where=where, exact=options.exact) for row in rows]
    if options.out is not None:
        _write(Path(options.out), found, names)  # first: the reader of what is printed may leave
    _print(found, names)
    if options.out is not None:
        print(f"written: {options.out}")


def _meaning(options: SearchOptions) -> str:
    """What a query is: a number, a file or a text."""
    query = options.query
    if options.by == "number" and not query.isdecimal():
        raise ValueError(f"QUERY --by number must be a number of a sample in the index; got {query!r}.")
    if options.by == "file" and not Path(query).expanduser().exists():
        raise ValueError(f"QUERY --by file must be a file or folder; there is no {query!r}.")
    if options.by != "auto":
        return options.by
    if query.isdecimal():
        return "number"
    return "file" if Path(query).expanduser().exists() else "text"


def _asked(options: SearchOptions, opened: "Opened", by: str) -> tuple["np.ndarray", list[str]]:
    """The rows of what a file holds, or of a text, and what to call each."""
    from replearn.cli.runs import described, load_run
    from replearn.data.kinds import KINDS, WORDS
    from replearn.service.reading import (
        expected_of,
        hash_of_run,
        is_one_image,
        member_for,
        one_image,
        rows_of,
    )

    version = opened.version
    folder = options.run or version.run
    if hash_of_run(folder) != version.weights:
        raise ValueError(
            f"the run must be the one that the index was made by; {folder} has other weights. Rebuild the index: "
            "replearn index RUN DATA --to INDEX --renew."
        )
    method, known = load_run(folder), described(folder)
    member = version.member
    if by == "text":
        member = member and member_for(method, None, "QUERY", words=True)
        like = expected_of(method, known, member)
        if WORDS not in KINDS[like.kind].offers:
            raise ValueError(
                f"QUERY must be a number, a file or a folder, since the run reads {KINDS[like.kind].plural}; there is "
                f"no file {options.query!r}."
            )
        from replearn.data.text import text_samples

        return rows_of(method, text_samples([options.query]), member), [options.query]
    like, path = expected_of(method, known, member), Path(options.query).expanduser()
    samples = (
        one_image(path, like) if is_one_image(path, like) else load_samples(options.query, options, like=like)
    )
    names = list(samples.names) if samples.names is not None else [f"row {i}" for i in range(len(samples))]
    return rows_of(method, samples, member), names


def _and(first: str, second: str | None) -> str:
    return first if second is None else f"{first} AND ({second})"


def _print(found: "list[pa.Table]", names: list[str]) -> None:
    """A line for each sample that was found."""
    from replearn.report.table import printable

    for table, name in list(zip(found, names, strict=True))[:SHOWN]:
        if len(names) > 1:
            print(printable(name)[:WIDTH])
        if not len(table):
            print("  nothing: no sample meets the condition")
        for row in table.to_pylist():
            label = "" if row.get("label") is None else str(row["label"])
            others = {k: v for k, v in row.items() if k not in ("number", "name", "label", "cosine")}
            told = [str(row.get("name") or ""), *(f"{k}={v}" for k, v in others.items() if v is not None)]
            line = f"{row['cosine']:8.4f} {row['number']:>8}  {label:<14.14} {' '.join(filter(None, told))}"
            print(printable(line.rstrip())[:WIDTH])
    if len(names) > SHOWN:
        print(f"... and {len(names) - SHOWN:,} more queries, which --out writes")


def _write(path: Path, found: "list[pa.Table]", names: list[str]) -> None:
    import pandas as pd

    from replearn.engine.run import make_run

    make_run(path.parent)
    parts = []
    for table, name in zip(found, names, strict=True):
        frame = table.to_pandas()
        frame.insert(0, "rank", range(1, len(frame) + 1))
        frame.insert(0, "query", name)
        parts.append(frame)
    pd.concat(parts).to_csv(path, index=False)
