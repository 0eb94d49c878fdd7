"""`replearn explore RUN DATA`: a map of samples in the browser, their neighbours, and labels by clicking."""

import copy
import dataclasses
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from replearn.cli.options import parse
from replearn.cli.samples import DataOptions, is_builtin, load_samples, short_name

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from replearn.data import Samples
    from replearn.service.explore import Beside, Colour, Explored, LabelFile, Places

log = logging.getLogger("replearn")

POINTS = 100_000  # on a map
BATCH = 1024  # samples that are represented at once


@dataclass(kw_only=True)
class ExploreOptions(DataOptions):
    """Open a page with a map of DATA by the representation of RUN, until it is stopped: samples and their neighbours,
    search, selections, and labels by clicking.

    Attributes:
        run: folder that `fit` or `finetune` wrote.
        data: built-in name or path.
        labels: CSV file that clicks are written to, read by `replearn finetune DATA --labels FILE`; of a table, its
            column of labels.
        map: how samples are placed: t-SNE, of 5,000 at most, others beside their nearest; principal components; or
            UMAP, of the package umap-learn.
        classifier: run of `finetune --task classify`, whose predictions and confidence are colours.
        keep: columns of DATA's table, or of a file of labels, that are colours.
        beside: second run, whose map stands beside the first.
        of: member of a run of clip that DATA are, if it is not the only one without texts.
        parquet: write the map as a table for embedding-atlas to that file, instead of opening a page.
        host: address to listen at.
        port: to listen at; 0: a free one.
        tokens: file with a token per line, one of which the page asks for; needed where --host is not this machine.
        seed: of the map.
    """

    run: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    map: Literal["tsne", "pca", "umap"] = "tsne"
    classifier: Annotated[str | None, tyro.conf.arg(metavar="RUN")] = None
    keep: Annotated[tuple[str, ...], tyro.conf.arg(metavar="COLUMN...")] = ()
    beside: Annotated[str | None, tyro.conf.arg(metavar="RUN2")] = None
    of: Annotated[str | None, tyro.conf.arg(metavar="MEMBER")] = None
    parquet: Annotated[str | None, tyro.conf.arg(metavar="FILE")] = None
    host: str = "127.0.0.1"
    port: int = 8000
    tokens: Annotated[str | None, tyro.conf.arg(metavar="FILE")] = None
    seed: int = 0


def run(args: list[str]) -> None:
    """The command."""
    options = parse(ExploreOptions, args, command="explore")
    from replearn.cli.listening import check_tokens, hosts_of, listen

    tokens = check_tokens(options.host, options.tokens)
    if options.parquet is not None and Path(options.parquet).exists():
        raise ValueError(
            f"--parquet must be a new file; {options.parquet} exists. Delete it, or choose another name."
        )
    explored = make_explored(options)
    for line in explored.told:
        log.info("%s", line)
    if options.parquet is not None:
        from replearn.service.explore.table import write_map

        write_map(Path(options.parquet), explored)
        print(f"written: {options.parquet}: {len(explored):,} rows")
        return
    from replearn.service.explore import make_app

    app = make_app(explored, tokens=tokens, hosts=hosts_of(options.host))
    listen(app, options.host, options.port, f"exploring {options.data}")


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
    samples = load_samples(options.data, reading, like=like)
    chosen = _chosen(len(samples), options.seed)
    shown = _some(samples, chosen)
    rows = represented(method, shown, member)
    places = place(rows, options.map, random_state=options.seed)
    told = [_told(places, len(shown), len(samples))]
    labels = None if written is None else _label_file(written, shown)
    colours = _own_colours(shown)
    if options.classifier is not None:
        colours += _predicted(options.classifier, options, reading, chosen, colours)
    colours += _kept_colours(samples, options, chosen)
    beside = None
    if options.beside is not None:
        beside = _beside(options.beside, options, reading, chosen, rows, places)
        told += [f"{beside.title}: {_told(beside.places, len(shown), len(samples))}", beside.told]
        colours.append(Colour("neighbours changed", beside.changed))
    return Explored(
        title=without_controls(f"{short_name(options.data)} by {short_name(options.run)}"),
        samples=shown,
        rows=rows,
        places=places,
        colours=colours,
        told=told,
        labels=labels,
        read_text=_reader(method, known, member),
        beside=beside,
    )


def _reader(method: Any, known: Any, member: str | None) -> "Callable[[str], np.ndarray] | None":
    """What represents a text where the samples' rows are, or None where the run reads none."""
    from replearn.data import TextSamples, as_samples
    from replearn.service.reading import members_of, rows_of

    texts = [name for name, part in members_of(method).items() if part.kind == TextSamples.kind]
    if (known.kind if member is None else "") != TextSamples.kind and not texts:
        return None
    return lambda text: rows_of(method, as_samples([text]), texts[0] if texts else None)


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

    if options.labels is None or is_builtin(options.data):
        return options, None  # which says that built-in data take none
    file = local_path(options.data)
    column = file.exists() and is_record_file(file)
    if column and not options.labels.lower().endswith(".csv"):
        return options, None
    if column:
        raise ValueError(
            f"--labels of a table must name its column of labels; got {options.labels}. Leave it out, and save "
            "selections as CSV."
        )
    return dataclasses.replace(options, labels=None), options.labels


def _label_file(path: str, samples: "Samples") -> "LabelFile":
    """The file that clicks are written to; samples without names are named by their numbers."""
    from replearn.service.explore import LabelFile

    return LabelFile(path, [str(i) for i in range(len(samples))] if samples.names is None else samples.names)


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


def _told(places: "Places", shown: int, n: int) -> str:
    drawn = f"{shown:,} of {n:,} samples, drawn at random. " if shown < n else ""
    return (
        f"{drawn}Map: {places.told}. {100 * places.kept:.0f} % of the 10 nearest by the representation are among the "
        "10 nearest on the map; distances on it mean little."
    )


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
    samples = _some(load_samples(options.data, reading, like=described(run)), chosen)
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
    samples = load_samples(options.data, reading, like=expected_of(method, known, member))
    second = represented(method, _some(samples, chosen), member)
    if len(second) != len(rows):
        raise ValueError(
            f"--beside must read the same samples as RUN; it reads {len(second):,}, not {len(rows):,}."
        )
    found = place(second, options.map, random_state=options.seed)
    found = dataclasses.replace(found, xy=alike(found.xy, places.xy))
    changed, told = changed_neighbours(rows, second)
    return Beside(f"{short_name(options.data)} by {short_name(run)}", second, found, changed, told)


def _kept_colours(samples: "Samples", options: ExploreOptions, chosen: "np.ndarray | None") -> list["Colour"]:
    """Columns of a table or of the file of labels."""
    from replearn.cli.index import kept_values
    from replearn.service.explore.explored import column_colour

    found = []
    columns = kept_values(samples, options.data, options.labels, options.keep)
    for name, values in ((name, list(column)) for name, column in columns.items()):
        found.append(column_colour(name, values if chosen is None else [values[i] for i in chosen.tolist()]))
    return found
