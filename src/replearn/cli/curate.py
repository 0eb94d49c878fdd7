"""`replearn curate DATA`: copies, leaks, outliers and wrong labels; a list to keep and a page to look at."""

import logging
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from replearn.cli.options import parse
from replearn.cli.samples import DataOptions, load_samples, short_name

if TYPE_CHECKING:
    import numpy as np

    from replearn.data import Samples

log = logging.getLogger("replearn")

CURATED, KEPT, PAGE = "curate.csv", "keep.csv", "curate.html"


@dataclass(kw_only=True)
class CurateOptions(DataOptions):
    """Find what in DATA should not be learned from: copies, near copies, leaks into a test part, outliers, and labels
    that are likely wrong. Nothing is deleted.

    Writes curate.csv, a line per sample with what was found; keep.csv, those without a finding, a file for --labels;
    and curate.html, to look at.

    Attributes:
        data: built-in name or path.
        run: run whose representation tells outliers and wrong labels; if not given, simple features of the kind, or
            raw numbers.
        test: test part, of which DATA must hold nothing.
        balanced: keep so many, evenly over what DATA are about (by hierarchical k-means).
        to: folder; runs/curate-DATA if not given.
        seed: of folds and clusters.
    """

    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    run: Annotated[str | None, tyro.conf.arg(metavar="RUN")] = None
    test: Annotated[str | None, tyro.conf.arg(metavar="DATA")] = None
    balanced: Annotated[int | None, tyro.conf.arg(metavar="INT")] = None
    to: Annotated[str | None, tyro.conf.arg(metavar="FOLDER")] = None
    seed: int = 0


def run(args: list[str]) -> None:
    """The command."""
    options = parse(CurateOptions, args, command="curate")
    folder = Path(options.to or f"runs/curate-{short_name(options.data)}")
    there = [name for name in (CURATED, KEPT, PAGE) if (folder / name).exists()]
    if there:
        raise ValueError(
            f"--to must hold no {there[0]} yet; {folder} does. Delete it, or choose another name."
        )
    from replearn.cli.runs import described, load_run, minutes, new_run, shown
    from replearn.engine.run import replacing
    from replearn.service.curation import KINDS_OF, find, keep_table, whole_table, write_curation_page

    began = time.monotonic()
    method = None if options.run is None else load_run(options.run)
    with new_run(folder):
        like = None if options.run is None else described(options.run)
        samples = load_samples(options.data, options, like=like)
        test = None if options.test is None else load_samples(options.test, options, like=like or samples)
        log.info("looking through %s samples; large sets take minutes", f"{len(samples):,}")
        simple = representation(samples, None)
        rows = simple if method is None else representation(samples, method)
        beside = None if method is None else simple
        found = find(
            samples,
            rows,
            simple=beside,
            test=test,
            balanced=options.balanced,
            by="simple features" if method is None else "the representation",
            random_state=options.seed,
        )
        for name, table in ((CURATED, whole_table(found)), (KEPT, keep_table(found))):
            with replacing(folder / name) as part:
                table.to_csv(part, index=False)
        write_curation_page(folder / PAGE, found, title=f"What is in {short_name(options.data)}")
    for kind in KINDS_OF:
        unasked = " (no --test to leak into)" if kind == "leak" and test is None else ""
        print(f"{len(found.of(kind)):>8,} {kind}{unasked}")
    for line in found.doubt:
        print(textwrap.fill(line, 80))
    print(f"{found.keep.sum():>8,} of {len(samples):,} to keep, {minutes(time.monotonic() - began)}")
    print(f"written: {shown(folder)}: {CURATED}, {KEPT}, {PAGE}")


def representation(samples: "Samples", method: Any) -> "np.ndarray":
    """Rows by which outliers and wrong labels are found.

    Raises:
        ValueError: the run does not represent such samples.
    """
    from replearn.data.kinds import KINDS
    from replearn.evaluate.checks import unit_columns
    from replearn.service.reading import check_places, rows_of

    if method is not None:
        check_places(method)
        return rows_of(method, samples, None)
    features = KINDS[samples.kind].features(samples)
    rows = samples.flat() if features is None else features
    if features is None and not KINDS[samples.kind].scaled:
        return rows
    return unit_columns(rows).astype("float32")
