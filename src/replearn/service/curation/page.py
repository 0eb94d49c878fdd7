"""The page of findings: how many of each kind, and the surest of them to look at."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup

from replearn.data import Samples
from replearn.report.excerpts import excerpt
from replearn.report.kinds import LOOKS
from replearn.report.page import template, write_page
from replearn.report.pictures import side_of
from replearn.report.thumbnails import png_uri, thumbnails
from replearn.service.curation.findings import KINDS_OF, Finding, Findings
from replearn.service.curation.table import label_of, name_of

SHOWN = 24  # findings of a kind
TITLES = {
    "copy": ("Copies", "Equal to an earlier sample, which is kept."),
    "near copy": (
        "Near copies",
        "Nearly equal to an earlier sample, which is kept. A shifted image is not found.",
    ),
    "leak": ("Leaks", "In the test part, too: scores on it would be too high."),
    "outlier": (
        "Outliers",
        "Far from all others: broken, of another kind, or merely rare.",
    ),
    "wrong label": (
        "Wrong labels",
        "A probe that has not seen them says another class. Look before you change one.",
    ),
}


@dataclass(frozen=True)
class Card:
    """A finding as the page shows it.

    Attributes:
        name: of the sample.
        told: what was found, in words.
        pictures: data URI and description of the sample, and of the other one.
        texts: the beginning of both, of texts.
    """

    name: str
    told: str
    pictures: list[tuple[str, str]]
    texts: list[str]


@dataclass(frozen=True)
class Part:
    """A section of the page."""

    id: str
    title: str
    note: str
    cards: list[Card]


def write_curation_page(path: Path, findings: Findings, *, title: str) -> None:
    """Write findings as one HTML file, which needs no network and runs no script.

    Raises:
        OSError: it can't be written.
    """
    parts = []
    for kind in KINDS_OF:
        found = findings.of(kind)
        if not found:
            continue
        name, note = TITLES[kind]
        if len(found) > SHOWN:
            note += f" Shown are {SHOWN} of {len(found):,}."
        cards = [_card(findings, one) for one in found[:SHOWN]]
        parts.append(Part(kind.replace(" ", "-"), name, note, cards))
    page = template("curation.html.j2").render(
        title=title,
        script_source=Markup("'none'"),
        verdict=f"{findings.keep.sum():,} of {len(findings.samples):,} samples to keep.",
        counts=[(kind, len(findings.of(kind))) for kind in KINDS_OF],
        told=list(findings.told),
        parts=parts,
    )
    write_page(path, page)


def _card(findings: Findings, one: Finding) -> Card:
    samples = findings.samples
    others = findings.test if one.kind == "leak" and findings.test is not None else samples
    shown = [(samples, one.sample)] + ([(others, one.other)] if one.other >= 0 else [])
    label = label_of(samples, one.sample)
    told = {
        "outlier": f"{one.score:.2f} times the limit" + (f", labelled {label}" if label else ""),
        "wrong label": f"labelled {label}, seems {one.guess} (margin {one.score:.2f})",
    }
    again = f"as {name_of(others, one.other)}" if one.other >= 0 else ""
    texts = [text for text in (excerpt(*which) for which in shown) if text]
    return Card(name_of(samples, one.sample), told.get(one.kind, again), _pictures(shown), texts)


def _pictures(shown: list[tuple[Samples, int]]) -> list[tuple[str, str]]:
    samples = shown[0][0]
    if LOOKS[samples.kind].shown != "picture":
        return []
    side = (
        max(side_of(samples.shape), 36)
        if len(samples.shape) == 3
        else LOOKS[samples.kind].cell(samples.shape)[1]
    )
    found = []
    for of, position in shown:
        picture = thumbnails(of, np.array([position]), side=side)[0]
        found.append((png_uri(picture), name_of(of, position)))
    return found
