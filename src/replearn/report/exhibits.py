"""What methods were asked of some samples and what they said, failures among them: on the page, and as a figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from replearn.comparison import Comparison, is_baseline
from replearn.data import Samples
from replearn.methods.exhibit import Exhibit, exhibit_of
from replearn.report.appearance import has_thumbnails
from replearn.report.figures import WRONG
from replearn.report.kinds import LOOKS
from replearn.report.pictures import joined_up
from replearn.report.strips import draw_queries
from replearn.report.table import plain
from replearn.report.thumbnails import png_uri

ASKED = 48  # samples of which each method is asked
SHOWN = 12  # half of them failures, where there are so many
SIDE = 56  # pixels of a picture
INCH = 0.62  # its side in a figure
WIDE = 10  # letters that have room below it


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


def exhibit_figure(
    method: Any, samples: Samples, *, index: np.ndarray | None = None, shown: int = SHOWN
) -> Figure:
    """A column per sample: what a fitted method was asked, what it said and how it is; wrong answers in red.

    Args:
        method: one that answers something: a pretext task, masked prediction.
        samples: images, of its kind and shape.
        index: positions of those that it is asked of; None draws some, one of each class in turn.
        shown: how many are drawn, half of them failures where there are so many.

    Raises:
        ValueError: the method answers nothing, or the samples are not drawn.

    Example:
        >>> from replearn import MAE, load_data
        >>> digits = load_data("digits", split="test").subset(range(64))
        >>> figure = exhibit_figure(MAE(epochs=1, device="cpu").fit(digits), digits, shown=3)
        >>> [axes.get_ylabel() for axes in figure.axes]
        ['seen', 'predicted', 'true']
    """
    if not has_thumbnails(samples):
        raise ValueError(f"exhibit_figure must get samples that are drawn, images say; got {samples.kind}.")
    if index is None:
        index = np.sort(draw_queries(samples, min(ASKED, len(samples)), np.random.default_rng(0)))
    exhibit = exhibit_of(method, samples[index])
    if exhibit is None:
        raise ValueError(f"exhibit_figure needs a method that answers something; {method!r} does not.")
    rows = _drawn(exhibit, samples)
    places = chosen(exhibit.right, len(next(iter(rows.values()))), shown)
    size = (INCH * len(places) + 1.1, (INCH + 0.05) * len(rows) + 0.7)
    figure = Figure(figsize=size, dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(plain(exhibit.title), fontsize=9)
    grid = figure.subplots(len(rows), 1, squeeze=False)[:, 0]
    for axes, (name, pictures) in zip(grid, rows.items(), strict=True):
        axes.imshow(joined_up([pictures[places]]), interpolation="nearest")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_visible(False)
        axes.set_ylabel(plain(name), rotation=0, ha="right", va="center", fontsize=8)
    if exhibit.said:
        _write_below(grid[-1], exhibit, places)
    return figure


def _write_below(axes: Any, exhibit: Exhibit, places: Sequence[int]) -> None:
    """What was said of each sample, under its pictures."""
    width = axes.images[0].get_array().shape[1] / len(places)
    axes.set_xticks(
        [(i + 0.5) * width for i in range(len(places))],
        [fill(plain(exhibit.said[i]), WIDE) for i in places],
        fontsize=6,
    )
    axes.tick_params(length=0)
    for label, i in zip(axes.get_xticklabels(), places, strict=True):
        if exhibit.right is not None and not exhibit.right[i]:
            label.set_color(WRONG)


def _drawn(exhibit: Exhibit, samples: Samples) -> dict[str, UInt8[np.ndarray, "k s s c"]]:
    """The exhibit's pictures by name, of the samples of each in turn."""
    looks = LOOKS[samples.kind]
    return {name: looks.draw(_on_processor(x), SIDE) for name, x in exhibit.pictures.items()}


def _answers(exhibit: Exhibit, samples: Samples) -> list[Answer]:
    drawn = list(_drawn(exhibit, samples).values())
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
    chance = "" if exhibit.chance is None else f" (by chance {exhibit.chance * asked:.0f})"
    found = f"Of {asked} that were asked, {good} were right{chance}; failures have a red edge."
    return f"{exhibit.note}{order} {found}{shown}"


def _on_processor(x: Any) -> Any:
    return x.detach().float().cpu() if isinstance(x, torch.Tensor) else x
