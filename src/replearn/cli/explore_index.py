"""`replearn explore INDEX`: the map of an index, with samples where their source is at hand."""

import copy
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replearn.cli.exploring import ExploreOptions, label_file, reader, told_places
from replearn.cli.samples import is_builtin, load_samples, short_name

if TYPE_CHECKING:
    from replearn.data import Samples
    from replearn.service.explore import Explored
    from replearn.service.explore.indexed import Rows
    from replearn.service.indexes import Version

log = logging.getLogger("replearn")

LOOKED = 20  # samples that are represented again, to see that they are those of the index
SAME = 0.99  # cosine, at least


def is_index(path: str) -> bool:
    """Whether an index lies there."""
    from replearn.service.indexes import is_index

    return is_index(Path(path))


def explored_index(options: ExploreOptions, most: int) -> "Explored":
    """What the page shows of an index.

    Args:
        options: of the command; its run is an index.
        most: rows that are shown.

    Raises:
        ValueError: options that an index does not take, or DATA that are not its samples.
    """
    from replearn.report.excerpts import without_controls
    from replearn.service.explore import Explored, place
    from replearn.service.explore.indexed import named_alone, read_rows
    from replearn.service.indexes import open_index

    given = [name for name in ("classifier", "beside", "of", "keep") if getattr(options, name)]
    if given:
        raise ValueError(
            f"--{given[0]} is for RUN DATA; {options.run} is an index, which shows all of its columns. Leave it out, "
            "or give the run."
        )
    opened = open_index(options.run)
    rows = read_rows(opened.table, most, random_state=options.seed)
    method, known = run_of(opened.version)
    samples, told = _samples(options, opened.version, rows, method, known)
    places = place(rows.h, options.map, random_state=options.seed)
    shown = named_alone(rows) if samples is None else samples
    return Explored(
        title=without_controls(f"{short_name(options.run)}, {opened.name}"),
        samples=shown,
        rows=rows.h,
        places=places,
        colours=rows.colours,
        told=[told_places(places, len(shown), len(opened.table)), *told],
        labels=None if options.labels is None else label_file(options.labels, shown),
        read_text=None if method is None else reader(method, known, opened.version.member),
    )


def run_of(version: "Version") -> tuple[Any, Any]:
    """The run that made an index and what it says of its samples; None and None, with a line, where it is gone."""
    from replearn.cli.runs import described, load_run
    from replearn.service.reading import hash_of_run

    try:
        if hash_of_run(version.run) != version.weights:
            raise ValueError("it was fitted again")
        return load_run(version.run), described(version.run)
    except (ValueError, OSError) as error:
        log.warning(
            "the run that made the index, %s, is missing (%s): texts are searched by their words alone, and samples "
            "are read as they come",
            version.run,
            " ".join(str(error).split())[:120],
        )
        return None, None


def _samples(
    options: ExploreOptions, version: "Version", rows: "Rows", method: Any, known: Any
) -> tuple["Samples | None", list[str]]:
    """The samples of the rows, and what must be told of them; None where their source is not at hand.

    Raises:
        ValueError: DATA are given, and are not the samples of the index.
    """
    data = options.data if options.data is not None else _remembered(version)
    if data is None:
        several = ", ".join(version.data)
        return None, [
            f"Names and columns alone: no one source of the samples is at hand ({several}); DATA would be."
        ]
    try:
        return _read(options, data, version, rows, method, known), []
    except (ValueError, OSError) as error:
        why = " ".join(str(error).split())[:200]
        if options.data is not None:
            raise ValueError(
                f"DATA must hold the samples of the index; {data} does not: {why}. Leave it out for names alone."
            ) from error
        return None, [
            f"Names and columns alone: {data} does not hold the samples of the index any more ({why})."
        ]


def _remembered(version: "Version") -> str | None:
    """The one source of an index, if it is there."""
    if len(set(version.data)) != 1:
        return None
    data = version.data[0]
    there = is_builtin(data) or "://" in data or Path(data).expanduser().exists()
    return data if there else None


def _read(
    options: ExploreOptions, data: str, version: "Version", rows: "Rows", method: Any, known: Any
) -> "Samples":
    """The samples of the rows.

    Raises:
        ValueError: they are not there, or others than those that were indexed.
    """
    import dataclasses

    import numpy as np

    from replearn.service.explore.indexed import places_in
    from replearn.service.indexes.table import directions
    from replearn.service.reading import expected_of, rows_of

    like = None if method is None else expected_of(method, known, version.member)
    found = load_samples(data, dataclasses.replace(options, labels=None), like=like)
    shown = copy.copy(found.subset(places_in(rows, found.names, len(found))))
    if shown.names is None:
        shown.names = [str(number) for number in rows.numbers.tolist()]
    if method is None:
        return shown
    some = np.unique(np.linspace(0, len(shown) - 1, LOOKED).astype(int))
    own = directions(rows_of(method, shown.subset(some), version.member))
    least = float((own * rows.h[some]).sum(1).min())
    if least < SAME:
        raise ValueError(
            f"one of {len(some)} samples checked differs from the one in the index (cosine {least:.2f})"
        )
    return shown
