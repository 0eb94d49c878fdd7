"""Figures for README and docs, by matplotlib."""

from itertools import cycle
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from replearn.comparison import BY_HAND, RAW, WORDS, Comparison, before_training
from replearn.engine.run import replacing
from replearn.report.appearance import has_thumbnails
from replearn.report.spread import PROBE
from replearn.report.strips import class_name, is_wrong, neighbour_strips
from replearn.report.table import joined, plain
from replearn.report.thumbnails import thumbnails

COLOURS = (
    "#0b62c4",
    "#c2410c",
    "#0f7b5f",
    "#8e3aa8",
    "#94660a",
    "#b3265e",
)  # as the page's lines, in its light dress
DASHES = ("-", "--", ":")  # of the first six lines, the next six, ...
GREYS, UNTRAINED = {RAW: "#5c5c5c", WORDS: "#7a6a55", BY_HAND: "#7a6a55"}, "#9a9a9a"
WRONG, RIGHT = "#c8102e", "#d0d0d0"
SIDE = 48  # pixels of a thumbnail


def few_label_figure(scores: pd.DataFrame) -> Figure:
    """Accuracy against number of labels, with 95 % bands; a line per representation, named at its end.

    Args:
        scores: as `replearn.report.table_rows` takes them.

    Raises:
        ValueError: the scores hold no linear probe, as without labels.
    """
    scores = joined(scores)
    probes = scores[scores["measure"] == PROBE].sort_values("labels", kind="stable")
    if not len(probes):
        raise ValueError(
            "few_label_figure must get scores with a linear probe; got none. Score samples with labels."
        )
    figure, axes = _figure(7.0, 4.0)
    looks = cycle((colour, dashes) for dashes in DASHES for colour in COLOURS)
    for name, own in probes.groupby("representation", sort=False):
        grey = _grey(str(name))
        colour, dashes = (grey, "-") if grey else next(looks)
        axes.plot(own["labels"], 100 * own["mean"], color=colour, linestyle=dashes, marker="o", markersize=4)
        axes.fill_between(
            own["labels"], 100 * own["low"], 100 * own["high"], color=colour, alpha=0.15, linewidth=0
        )
    _name_lines(axes, [(str(name), own) for name, own in probes.groupby("representation", sort=False)])
    counts = sorted(probes["labels"].unique())
    axes.set_xscale("log")
    axes.set_xticks(counts, [f"{count:,}" for count in counts])
    axes.minorticks_off()
    axes.set_xlabel("labels")
    axes.set_ylabel("test accuracy, %")
    return figure


def neighbour_figure(comparison: Comparison, *, queries: int = 6) -> Figure:
    """Nearest training samples of some test samples by each representation; wrong classes framed in red.

    Raises:
        ValueError: the samples are not images.
    """
    if not has_thumbnails(comparison.train):
        raise ValueError(
            f"neighbour_figure must get images; got samples of kind {comparison.train.kind}. Use the table."
        )
    strips = neighbour_strips(comparison, queries=queries)
    test, train = comparison.test, comparison.train
    height, width = len(strips.queries), len(strips.found)
    figure = Figure(figsize=(0.8 + 3.0 * width, 0.46 * height + 0.4), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(
        height, width + 1, squeeze=False, width_ratios=[1, *[strips.found[0][1].shape[1]] * width]
    )
    for axes in grid.ravel():
        axes.set_axis_off()
    pictures = thumbnails(test, strips.queries, side=SIDE)
    for i, query in enumerate(strips.queries.tolist()):
        _show(grid[i, 0], pictures[[i]], [None])
        for j, (_, found) in enumerate(strips.found):
            wrong = [is_wrong(test, query, train, at) for at in found[i].tolist()]
            known = class_name(test, query) != ""
            frames = [(WRONG if bad else RIGHT) if known else None for bad in wrong]
            _show(grid[i, j + 1], thumbnails(train, found[i], side=SIDE), frames)
    for axes, name in zip(grid[0], ["query", *(name for name, _ in strips.found)], strict=True):
        axes.set_title(plain(name), fontsize=9)
    return figure


def save_figures(folder: str | Path, comparison: Comparison) -> list[Path]:
    """Write the figures that the samples allow as PNG files: `few-labels.png`, `neighbours.png`.

    Returns:
        The files written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    figures = {}
    if (comparison.scores["measure"] == PROBE).any():
        figures["few-labels.png"] = few_label_figure(comparison.scores)
    if has_thumbnails(comparison.train):
        figures["neighbours.png"] = neighbour_figure(comparison)
    for name, figure in figures.items():
        with replacing(folder / name) as part:
            figure.savefig(part, format="png")
    return [folder / name for name in figures]


def _grey(name: str) -> str | None:
    """The grey of a row that was not learned."""
    return UNTRAINED if before_training(name) else GREYS.get(name)


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure outside of pyplot, so that nothing global changes."""
    figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def _name_lines(axes: Axes, lines: list[tuple[str, pd.DataFrame]]) -> None:
    """Write each line's name at its end, apart from the others."""
    low, high = axes.get_ylim()
    gap = (high - low) / 16
    ends = sorted((float(100 * own["mean"].iloc[-1]), i) for i, (_, own) in enumerate(lines))
    height = -np.inf
    for value, i in ends:
        height = max(value, height + gap)
        name, own = lines[i]
        axes.annotate(
            plain(name),
            (float(own["labels"].iloc[-1]), height),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=axes.lines[i].get_color(),
            fontsize=9,
            annotation_clip=False,
        )


def _show(axes: Axes, pictures: np.ndarray, frames: list[str | None]) -> None:
    """Pictures side by side, each in its frame."""
    gap = 6
    canvas = np.full((SIDE + 2 * gap, len(pictures) * (SIDE + gap) + gap, 3), 255, dtype=np.uint8)
    for i, (picture, frame) in enumerate(zip(pictures, frames, strict=True)):
        left = gap + i * (SIDE + gap)
        if frame is not None:
            colour = [int(frame[at : at + 2], 16) for at in (1, 3, 5)]
            edge = 3 if frame == WRONG else 1
            canvas[gap - edge : gap + SIDE + edge, left - edge : left + SIDE + edge] = colour
        canvas[gap : gap + SIDE, left : left + SIDE] = picture  # one channel spreads over three
    axes.imshow(canvas, interpolation="nearest")
