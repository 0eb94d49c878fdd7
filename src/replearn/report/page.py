"""The report: one HTML file that shows a comparison, needs no network, and runs no script but its own."""

import base64
import hashlib
import textwrap
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from replearn.comparison import HIDDEN, PREPROCESSING, Comparison
from replearn.data import Samples
from replearn.engine.run import replacing
from replearn.report.appearance import appearance
from replearn.report.choice import choice
from replearn.report.curves import few_label_chart, spectrum_chart, styles, training_charts
from replearn.report.excerpts import map_name
from replearn.report.exhibits import exhibit_panels
from replearn.report.language import LANGUAGE, language_panel
from replearn.report.latents import code_panel
from replearn.report.map import Maps, make_maps
from replearn.report.neighbours import COUNTS, Query, queries
from replearn.report.pairing import PAIRING, pairing_panel
from replearn.report.provenance import blocks, command
from replearn.report.strips import Strips, class_name, neighbour_strips
from replearn.report.table import table_rows
from replearn.report.thumbnails import Sheet, make_sheet
from replearn.report.verdict import verdict

COLOURS = 10  # of classes; further classes use them again


def write_report(path: str | Path, comparison: Comparison, *, title: str) -> Path:
    """Write the report of a comparison as one HTML file; it appears whole or not at all.

    Sections: a verdict in one sentence, the table, the choice without labels, few-label curves, t-SNE maps,
    nearest neighbours (images and texts), what methods answer (where they have
    exhibits), partners found (where `replearn evaluate` judged a method of members), the language (where it judged a
    language model), the code
    (where `replearn evaluate --latent` judged it), training curves and alarms, singular values, what was run. Every
    text that comes from data is escaped. The page's Content-Security-Policy forbids the network and every script but
    its own, named by its hash.

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
    write_page(path, render(comparison, title=title))
    return path


def write_page(path: Path, text: str) -> None:
    """Write a page; it appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        # Names of files may hold bytes that are no text; they are shown as question marks.
        part.write_bytes(text.encode("utf-8", errors="replace"))


def template(name: str) -> Template:
    """A page's template: what is put into it is escaped, and must be there."""
    environment = Environment(
        loader=PackageLoader("replearn.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def render(comparison: Comparison, *, title: str) -> str:
    """The report as text."""
    maps = make_maps(comparison)
    seen = appearance(comparison.train)
    strips = neighbour_strips(comparison, neighbours=COUNTS[seen]) if seen else None
    sheet = _sheet(comparison, maps, strips) if strips and seen == "picture" else None
    language, pairing = language_panel(comparison), pairing_panel(comparison)
    asked = _queries(comparison, maps, strips, sheet) if strips else []
    script = _script("map.js", *(["clouds.js"] if any(query.look.cloud for query in asked) else []))
    labelled = learned_from_labels(comparison)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return template("report.html.j2").render(
        title=title,
        verdict=verdict(comparison.scores, labelled=labelled),
        table=table_rows(comparison.scores),
        choice=choice(comparison.scores),
        labelled=labelled,
        preprocessing=comparison.facts.get(PREPROCESSING),
        seen=comparison.facts.get("seen"),
        styles=styles([row.name for row in comparison.rows]),
        few_labels=few_label_chart(comparison.scores),
        map=_map_data(comparison, maps, sheet),
        sheet=sheet,
        tsne=maps.tsne,
        legend=_legend(comparison.test, maps.index),
        queries=asked,
        trainings=training_charts(comparison.rows),
        spectrum=spectrum_chart(comparison),
        language=language,
        pairing=pairing,
        exhibits=exhibit_panels(comparison),
        code=code_panel(comparison),
        blocks=blocks(comparison, told=[*([LANGUAGE] if language else []), *([PAIRING] if pairing else [])]),
        command=command(comparison),
        script=Markup(script),
        script_source=Markup(f"'sha256-{digest}'"),
    )


def learned_from_labels(comparison: Comparison) -> list[str]:
    """The rows that were trained with all labels; none where all rows have the same few."""
    told = [] if HIDDEN in comparison.facts else comparison.rows
    return [row.name for row in told if getattr(row.method, "needs_labels", False)]


def print_verdict(comparison: Comparison) -> None:
    """Print in 80 columns what the report says first."""
    print(textwrap.fill(verdict(comparison.scores, labelled=learned_from_labels(comparison)), 80))


def _script(*names: str) -> str:
    """The page's script, of these files."""
    folder = files("replearn.report") / "templates"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)


def _sheet(comparison: Comparison, maps: Maps, strips: Strips) -> Sheet:
    """Thumbnails of the map's points, then of the queries, then of their neighbours."""
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
        "samples": [map_name(test, i) for i in maps.index.tolist()],
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


def _queries(comparison: Comparison, maps: Maps, strips: Strips, sheet: Sheet | None) -> list[Query]:
    """The section of neighbours; pictures lie on the sheet after those of the map, in the order of `_sheet`."""
    if sheet is None:
        return queries(comparison, strips, asked={}, shown={})
    base = len(maps.index)
    asked = {at: sheet.place(base + i) for i, at in enumerate(strips.queries.tolist())}
    base += len(strips.queries)
    shown = {at: sheet.place(base + i) for i, at in enumerate(strips.shown.tolist())}
    return queries(comparison, strips, asked=asked, shown=shown)
