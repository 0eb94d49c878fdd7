"""`replearn explore RUN DATA`, or INDEX: a map of samples in the browser, their neighbours, and labels by clicking."""

import copy
import dataclasses
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replearn.cli.exploring import ExploreOptions, label_file, reader, told_places
from replearn.cli.options import parse
from replearn.cli.samples import DataOptions, is_builtin, load_samples, short_name, shown_data

if TYPE_CHECKING:
    import numpy as np

    from replearn.data import Samples
    from replearn.service.explore import Beside, Colour, Explored, Places

log = logging.getLogger("replearn")

POINTS = 100_000  # on a map
BATCH = 1024  # samples that are represented at once


def run(args: list[str]) -> None:
    """The command."""
    options = parse(ExploreOptions, args, command="explore")
    from replearn.cli.explore_index import explored_index, is_index
    from replearn.cli.listening import check_tokens, hosts_of, listen

    tokens = check_tokens(options.host, options.tokens)
    if options.parquet is not None and Path(options.parquet).exists():
        raise ValueError(
            f"--parquet must be a new file; {options.parquet} exists. Delete it, or choose another name."
        )
    indexed = is_index(options.run)
    explored = explored_index(options, POINTS) if indexed else make_explored(options)
    for line in explored.told:
        log.info("%s", line)
    if options.parquet is not None:
        from replearn.service.explore.table import write_map

        write_map(Path(options.parquet), explored)
        print(f"written: {options.parquet}: {len(explored):,} rows")
        return
    from replearn.service.explore import make_app

    app = make_app(explored, tokens=tokens, hosts=hosts_of(options.host))
    listen(
        app, options.host, options.port, f"exploring {options.run if indexed else shown_data(options.source)}"
    )


def make_explored(options: ExploreOptions) -> "Explored":
    """What the page shows, by the options of the command.

    Raises:
        ValueError: they do not fit each other, or DATA.
    """
    from replearn.cli.runs import described, load_run
    from replearn.report.excerpts import without_controls
    from replearn.service.explore import Colour, Explored, place
    from replearn.service.reading import check_places, expected_of, member_for

    method, known = load_run(options.run), described(options.run)
    check_places(method)
    member = member_for(method, options.of, "--of", words=False)
    reading, written = _labels_apart(options)
    like = expected_of(method, known, member)
    samples = load_samples(options.source, reading, like=like)
    chosen = _chosen(len(samples), options.seed)
    shown = _some(samples, chosen)
    rows = represented(method, shown, member)
    places = place(rows, options.map, random_state=options.seed)
    told = [told_places(places, len(shown), len(samples))]
    labels = None if written is None else label_file(written, shown)
    colours = _own_colours(shown)
    if options.classifier is not None:
        colours += _predicted(options.classifier, options, reading, chosen, colours)
    colours += _kept_colours(samples, options, chosen)
    beside = None
    if options.beside is not None:
        beside = _beside(options.beside, options, reading, chosen, rows, places)
        told += [f"{beside.title}: {told_places(beside.places, len(shown), len(samples))}", beside.told]
        colours.append(Colour("neighbours changed", beside.changed))
    return Explored(
        title=without_controls(f"{short_name(options.source)} by {short_name(options.run)}"),
        samples=shown,
        rows=rows,
        places=places,
        colours=colours,
        told=told,
        labels=labels,
        read_text=reader(method, known, member),
        beside=beside,
    )


def represented(method: Any, samples: "Samples", member: str | None) -> "np.ndarray":
    """A row per sample, finite."""
    import numpy as np

    from replearn.data.progress import progress
    from replearn.service.reading import rows_in_parts

    found, read = (
        [],
        samples.members.get(member or "", samples),
    )  # of pairs one member is read, and both are shown
    with progress("representing", len(samples)) as advance:
        for part in rows_in_parts(method, read, member, start=0, batch=BATCH):
            found.append(part)
            advance(len(part))
    rows = np.concatenate(found)
    if not np.isfinite(rows).all():
        raise ValueError(
            f"RUN must represent samples by finite numbers; {(~np.isfinite(rows).all(1)).sum():,} of {len(rows):,} "
            "rows hold others. Fit another run."
        )
    return rows


def _labels_apart(options: ExploreOptions) -> tuple[DataOptions, str | None]:
    """How DATA are read, and the file that clicks are written to, which is no part of that."""
    from replearn.data.records import is_record_file
    from replearn.data.remote import local_path

    if options.labels is None or is_builtin(options.source):
        return options, None  # which says that built-in data take none
    file = local_path(options.source)
    column = file.exists() and is_record_file(file)
    if column and not options.labels.lower().endswith(".csv"):
        return options, None
    if column:
        raise ValueError(
            f"--labels of a table must name its column of labels; got {options.labels}. Leave it out, and save "
            "selections as CSV."
        )
    return dataclasses.replace(options, labels=None), options.labels


def _chosen(n: int, seed: int) -> "np.ndarray | None":
    """Which samples are shown, where there are more than a map holds."""
    import numpy as np

    return None if n <= POINTS else np.sort(np.random.default_rng(seed).permutation(n)[:POINTS])


def _some(samples: "Samples", chosen: "np.ndarray | None") -> "Samples":
    """Those; nameless ones keep their numbers as names."""
    if chosen is None:
        return samples
    found = copy.copy(samples.subset(chosen))
    if found.names is None:
        found.names = [str(one) for one in chosen.tolist()]
    return found


def _own_colours(samples: "Samples") -> list["Colour"]:
    """The samples' labels and groups."""
    from replearn.service.explore.explored import column_colour, label_colour

    own = label_colour(samples)
    found = [] if own is None else [own]
    if samples.groups is not None:
        found.append(column_colour("group", list(map(str, samples.groups))))
    return found


def _predicted(
    run: str,
    options: ExploreOptions,
    reading: DataOptions,
    chosen: "np.ndarray | None",
    own: list["Colour"],
) -> list["Colour"]:
    """What a classifier says, how sure it is, and where it is wrong.

    Raises:
        ValueError: the run tells no classes, or not of these samples.
    """
    from replearn.cli.runs import described, load_run
    from replearn.service.explore.predictions import prediction_colours
    from replearn.transfer import FineTune

    model = load_run(run)
    if not (isinstance(model, FineTune) and model.task == "classify"):
        raise ValueError(
            f"--classifier must be a run of `replearn finetune --task classify`; {run} is of {type(model).__name__}."
        )
    samples = _some(load_samples(options.source, reading, like=described(run)), chosen)
    label = next((colour for colour in own if colour.name == "label"), None)
    return prediction_colours(model.predict_proba(samples), [str(name) for name in model.classes_], label)


def _beside(
    run: str,
    options: ExploreOptions,
    reading: DataOptions,
    chosen: "np.ndarray | None",
    rows: "np.ndarray",
    places: "Places",
) -> "Beside":
    """The second representation, its map turned to lie like the first.

    Raises:
        ValueError: it can't represent these samples.
    """
    from replearn.cli.runs import described, load_run
    from replearn.service.explore import Beside, place
    from replearn.service.explore.explored import changed_neighbours
    from replearn.service.explore.places import alike
    from replearn.service.reading import check_places, expected_of, member_for

    method, known = load_run(run), described(run)
    check_places(method)
    member = member_for(method, None, "--beside", words=False)
    samples = load_samples(options.source, reading, like=expected_of(method, known, member))
    second = represented(method, _some(samples, chosen), member)
    if len(second) != len(rows):
        raise ValueError(
            f"--beside must read the same samples as RUN; it reads {len(second):,}, not {len(rows):,}."
        )
    found = place(second, options.map, random_state=options.seed)
    found = dataclasses.replace(found, xy=alike(found.xy, places.xy))
    changed, told = changed_neighbours(rows, second)
    return Beside(f"{short_name(options.source)} by {short_name(run)}", second, found, changed, told)


def _kept_colours(samples: "Samples", options: ExploreOptions, chosen: "np.ndarray | None") -> list["Colour"]:
    """Columns of a table or of the file of labels."""
    from replearn.cli.index_columns import kept_values
    from replearn.service.explore.explored import column_colour

    found = []
    columns = kept_values(samples, options.source, options.labels, options.keep)
    for name, values in ((name, list(column)) for name, column in columns.items()):
        found.append(column_colour(name, values if chosen is None else [values[i] for i in chosen.tolist()]))
    return found
