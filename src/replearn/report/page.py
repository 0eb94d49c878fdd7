"""The report: one HTML file that shows a comparison, needs no network, and runs no script but its own."""

import base64
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from replearn.comparison import Comparison
from replearn.data import Samples
from replearn.engine.run import replacing
from replearn.report.choice import choice
from replearn.report.curves import few_label_chart, spectrum_chart, styles, training_charts
from replearn.report.latents import code_panel
from replearn.report.map import Maps, make_maps
from replearn.report.provenance import blocks, command
from replearn.report.strips import Strips, class_name, is_wrong, neighbour_strips, sample_name
from replearn.report.table import table_rows
from replearn.report.thumbnails import Sheet, has_thumbnails, make_sheet
from replearn.report.verdict import verdict

COLOURS = 10  # of classes; further classes use them again


@dataclass(frozen=True)
class Thumb:
    """A sample in a strip: its place on the sheet as CSS, what it is, and whether its class is wrong."""

    style: str
    text: str
    wrong: bool = False


@dataclass(frozen=True)
class Line:
    """One representation's strip: neighbours, and how many of them are of the query's class."""

    name: str
    thumbs: list[Thumb]
    right: int


@dataclass(frozen=True)
class Query:
    """A test sample, and its neighbours by each representation."""

    thumb: Thumb
    lines: list[Line]
    labelled: bool


def write_report(path: str | Path, comparison: Comparison, *, title: str) -> Path:
    """Write the report of a comparison as one HTML file; it appears whole or not at all.

    Sections: a verdict in one sentence, the table, the choice without labels, few-label curves, t-SNE maps,
    nearest neighbours (images), the code (where `replearn evaluate --latent` judged it), training curves and alarms,
    singular values, what was run. Every text that comes from data is escaped. The page's Content-Security-Policy
    forbids the network and every script but its own, named by its hash.

    Args:
        path: the file; its folder is made if it is not there.
        comparison: what to show.
        title: heading of the page.

    Returns:
        The path.

    Raises:
        OSError: the file cannot be written.
    """
    path = Path(path)
    text = render(comparison, title=title)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        # Names of files may hold bytes that are no text; they are shown as question marks.
        part.write_bytes(text.encode("utf-8", errors="replace"))
    return path


def render(comparison: Comparison, *, title: str) -> str:
    """The report as text."""
    maps = make_maps(comparison)
    strips = neighbour_strips(comparison) if has_thumbnails(comparison.train) else None
    sheet = _sheet(comparison, maps, strips)
    script = (files("replearn.report") / "templates" / "map.js").read_text(encoding="utf-8")
    labelled = [row.name for row in comparison.rows if getattr(row.method, "needs_labels", False)]
    environment = Environment(
        loader=PackageLoader("replearn.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        title=title,
        verdict=verdict(comparison.scores, labelled=labelled),
        table=table_rows(comparison.scores),
        choice=choice(comparison.scores),
        labelled=labelled,
        styles=styles([row.name for row in comparison.rows]),
        few_labels=few_label_chart(comparison.scores),
        map=_map_data(comparison, maps, sheet),
        sheet=sheet,
        tsne=maps.tsne,
        legend=_legend(comparison.test, maps.index),
        queries=_queries(comparison, maps, strips, sheet) if strips and sheet else [],
        trainings=training_charts(comparison.rows),
        spectrum=spectrum_chart(comparison),
        code=code_panel(comparison),
        blocks=blocks(comparison),
        command=command(comparison),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
    )


def _sheet(comparison: Comparison, maps: Maps, strips: Strips | None) -> Sheet | None:
    """Thumbnails of the map's points, then of the queries, then of their neighbours."""
    if strips is None:
        return None
    test, train = comparison.test, comparison.train
    return make_sheet([(test, maps.index), (test, strips.queries), (train, strips.shown)])


def _map_data(comparison: Comparison, maps: Maps, sheet: Sheet | None) -> dict[str, Any]:
    """What the page's script reads. Places are in thousandths."""
    test = comparison.test
    labels = np.full(len(test), -1) if test.labels is None else np.asarray(test.labels)
    return {
        "names": list(maps.places),
        "places": [np.round(1000 * place).astype(int).ravel().tolist() for place in maps.places.values()],
        "labels": labels[maps.index].tolist(),
        "classes": [class_name(test, i) for i in maps.index.tolist()],
        "samples": [sample_name(test, i) for i in maps.index.tolist()],
        "colours": COLOURS,
        "sheet": None
        if sheet is None
        else {
            "cell": sheet.cell,
            "columns": sheet.columns,
            "rows": sheet.rows,
            "grey": sheet.grey,
            "inverted": sheet.inverted,
        },
    }


def _legend(samples: Samples, index: np.ndarray) -> list[dict[str, Any]]:
    """Classes on the map with label, name, colour and count; empty without labels."""
    if samples.labels is None:
        return []
    labels, first, counts = np.unique(
        np.asarray(samples.labels)[index], return_index=True, return_counts=True
    )
    if (labels < 0).all():
        return []
    return [
        {
            "label": int(label),
            "name": class_name(samples, int(index[at])) or "no label",
            "colour": f"c{label % COLOURS}" if label >= 0 else "c-none",
            "count": int(count),
        }
        for label, at, count in zip(labels.tolist(), first, counts, strict=True)
    ]


def _queries(comparison: Comparison, maps: Maps, strips: Strips, sheet: Sheet) -> list[Query]:
    train, test = comparison.train, comparison.test
    base = len(maps.index)
    shown = {int(at): base + len(strips.queries) + i for i, at in enumerate(strips.shown)}
    queries = []
    for i, query in enumerate(strips.queries.tolist()):
        lines = []
        for name, found in strips.found:
            thumbs = [
                Thumb(sheet.place(shown[at]), _told(train, at), is_wrong(test, query, train, at))
                for at in found[i].tolist()
            ]
            right = sum(class_name(train, at) != "" for at in found[i].tolist()) - sum(
                thumb.wrong for thumb in thumbs
            )
            lines.append(Line(name, thumbs, right))
        queries.append(
            Query(Thumb(sheet.place(base + i), _told(test, query)), lines, class_name(test, query) != "")
        )
    return queries


def _told(samples: Samples, index: int) -> str:
    """A sample in words: its class and name."""
    name, label = sample_name(samples, index), class_name(samples, index)
    return f"{label} ({name})" if label else name
