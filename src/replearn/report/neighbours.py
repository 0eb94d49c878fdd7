"""The section of nearest neighbours: test samples, and what each representation takes to be most like them."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from replearn.comparison import Comparison
from replearn.data import Samples
from replearn.report.excerpts import LONG, excerpt
from replearn.report.kinds import LOOKS
from replearn.report.strips import Strips, class_name, is_wrong, sample_name

COUNTS = {"picture": 8, "text": 4}  # neighbours that are shown: texts take more room


@dataclass(frozen=True)
class Look:
    """A sample as the section shows it.

    Attributes:
        told: its class and name in words.
        label: its class; empty where it has none.
        style: of an image, its place on the sheet as CSS.
        text, whole: of a text, its beginning, and more of it.
        wrong: whether its class is known to be another than the query's.
        sound: of a sound that is played, the data URI of a WAV file.
        cloud: of a cloud that is turned, its points in base64 (see `Looks.cloud`).
    """

    told: str
    label: str
    style: str
    text: str
    whole: str
    wrong: bool = False
    sound: str = ""
    cloud: str = ""


@dataclass(frozen=True)
class Line:
    """One representation's strip: neighbours, and how many of them are of the query's class."""

    name: str
    looks: list[Look]
    right: int


@dataclass(frozen=True)
class Query:
    """A test sample, and its neighbours by each representation."""

    look: Look
    lines: list[Line]
    labelled: bool


def queries(
    comparison: Comparison, strips: Strips, *, asked: Mapping[int, str], shown: Mapping[int, str]
) -> list[Query]:
    """What the section shows. Sounds are played and clouds turned: queries, and the nearest neighbour of each strip.

    Args:
        comparison: the samples.
        strips: queries and neighbours.
        asked, shown: of images, the CSS of queries' and neighbours' places on the sheet.
    """
    train, test = comparison.train, comparison.test
    made = []
    for i, query in enumerate(strips.queries.tolist()):
        lines = []
        for name, found in strips.found:
            looks = [
                _look(train, at, shown.get(at, ""), wrong=is_wrong(test, query, train, at), played=rank == 0)
                for rank, at in enumerate(found[i].tolist())
            ]
            right = sum(look.label != "" for look in looks) - sum(look.wrong for look in looks)
            lines.append(Line(name, looks, right))
        made.append(
            Query(
                _look(test, query, asked.get(query, ""), played=True),
                lines,
                labelled=class_name(test, query) != "",
            )
        )
    return made


def _look(samples: Samples, index: int, style: str, *, wrong: bool = False, played: bool = False) -> Look:
    name, label, looks = sample_name(samples, index), class_name(samples, index), LOOKS[samples.kind]
    told = f"{label} ({name})" if label else name
    text, whole = excerpt(samples, index), excerpt(samples, index, length=LONG)
    if not played:
        return Look(told, label, style, text, whole, wrong)
    heard, cloud = (_in_letters(made(samples, index)) for made in (looks.heard, looks.cloud))
    return Look(
        told, label, style, text, whole, wrong, f"data:audio/wav;base64,{heard}" if heard else "", cloud
    )


def _in_letters(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
