"""The sections in which methods answer: what each was asked of some samples and what it said, failures among them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from replearn.comparison import Comparison, is_baseline
from replearn.data import Samples
from replearn.methods.exhibit import Exhibit, exhibit_of
from replearn.report.appearance import has_thumbnails
from replearn.report.kinds import LOOKS
from replearn.report.pictures import joined_up
from replearn.report.strips import draw_queries
from replearn.report.thumbnails import png_uri

ASKED = 48  # samples of which each method is asked
SHOWN = 12  # half of them failures, where there are so many
SIDE = 56  # pixels of a picture


@dataclass(frozen=True)
class Answer:
    """A sample on the page: its pictures one below the other, what the method said, and whether that was right."""

    uri: str
    said: str
    right: bool | None


@dataclass(frozen=True)
class ExhibitPanel:
    """What the section shows of a method."""

    name: str
    title: str
    note: str
    answers: list[Answer]


def exhibit_panels(comparison: Comparison) -> list[ExhibitPanel]:
    """A panel for each method that answers something; none of samples that are not drawn."""
    test = comparison.test
    if not has_thumbnails(test) or not len(test):
        return []
    index = np.sort(draw_queries(test, ASKED, np.random.default_rng(0)))
    found = []
    for row in comparison.rows:
        exhibit = None if is_baseline(row.name) else exhibit_of(row.method, test[index])
        if exhibit is not None:
            found.append(ExhibitPanel(row.name, exhibit.title, _note(exhibit), _answers(exhibit, test)))
    return found


def chosen(right: Sequence[bool] | None, number: int, shown: int = SHOWN) -> list[int]:
    """Which of `number` answers are shown: half right and half wrong ones, or more of one where the other has less.

    >>> chosen([True, False, True, True], 4, shown=2), chosen(None, 3, shown=2)
    ([0, 1], [0, 1])
    """
    if right is None:
        return list(range(min(number, shown)))
    good, bad = ([i for i in range(number) if bool(right[i]) == told] for told in (True, False))
    failures = min(len(bad), max(shown // 2, shown - len(good)))
    return sorted(good[: shown - failures] + bad[:failures])


def _answers(exhibit: Exhibit, samples: Samples) -> list[Answer]:
    looks = LOOKS[samples.kind]
    drawn = [looks.draw(_on_processor(x), SIDE) for x in exhibit.pictures.values()]  # (k, s, s, c) each
    return [
        Answer(
            png_uri(joined_up([pictures[i : i + 1] for pictures in drawn])),
            exhibit.said[i] if exhibit.said else "",
            None if exhibit.right is None else bool(exhibit.right[i]),
        )
        for i in chosen(exhibit.right, len(drawn[0]))
    ]


def _note(exhibit: Exhibit) -> str:
    """What is shown, in which order, and how often the method was right."""
    names = list(exhibit.pictures)
    order = f" From top to bottom: {', '.join(names)}." if len(names) > 1 else ""
    asked = len(next(iter(exhibit.pictures.values())))
    shown = f" {SHOWN} of {asked} are shown." if asked > SHOWN else ""
    if exhibit.right is None:
        return exhibit.note + order + shown
    good = sum(map(bool, exhibit.right))
    return f"{exhibit.note}{order} Of {asked} that were asked, {good} were right; failures have a red edge.{shown}"


def _on_processor(x: Any) -> Any:
    return x.detach().float().cpu() if isinstance(x, torch.Tensor) else x
