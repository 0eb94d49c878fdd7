"""What chapters draw with, and how they say what is to be seen: `chart`, `pictures`, `expect`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from replearn.report.figures import COLOURS
from replearn.report.pictures import Strip, drawn, strips_figure

MARKED = 40  # points of a line, at most, that are marked
HOLDS, FAILS = "✓ ", "✗ "


def expect(claim: str, holds: bool | np.bool_, otherwise: str = "") -> None:
    """Print what is to be seen, and whether it is seen here.

    Args:
        claim: in a sentence, as the lecture says it.
        holds: whether it is so, by the numbers of this run.
        otherwise: why it may not be, and what would help; shown where it is not.

    >>> expect("Two is more than one.", 2 > 1)
    ✓ Two is more than one.
    >>> expect("Ten steps are enough.", False, "They are not: take a hundred.")
    ✗ Not seen here: Ten steps are enough. They are not: take a hundred.
    """
    print(f"{HOLDS}{claim}" if holds else f"{FAILS}Not seen here: {claim} {otherwise}".rstrip())


def chart(
    x: Sequence[Any] | np.ndarray,
    lines: Mapping[str, Sequence[Any] | np.ndarray],
    *,
    x_label: str,
    y_label: str,
    log: bool = False,
) -> Figure:
    """Lines over `x`, each named at its end.

    Args:
        x: places, the same for all lines.
        lines: values by name.
        x_label, y_label: names of the axes.
        log: whether steps of x are factors.

    >>> chart([1, 2], {"half": [0.5, 1.0]}, x_label="x", y_label="y").axes[0].get_xlabel()
    'x'
    """
    figure = Figure(figsize=(7, 3.6), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for (name, values), colour in zip(lines.items(), COLOURS * len(lines), strict=False):
        axes.plot(x, values, color=colour, marker="o" if len(x) <= MARKED else "", markersize=4, label=name)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    if log:
        axes.set_xscale("log")
    if len(x) <= 8:
        axes.set_xticks(list(x), [f"{value:,g}" for value in x])
        axes.minorticks_off()
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    _name_at_end(axes)
    return figure


def pictures(rows: Mapping[str, np.ndarray], *, title: str = "") -> Figure:
    """Images in rows, named at their left.

    Args:
        rows: images `(k, c, h, w)` in [0, 1] by what they show; what lies beyond that range is cut off.
        title: above them.

    >>> len(pictures({"seen": np.zeros((3, 1, 8, 8)), "told": np.ones((3, 1, 8, 8))}).axes)
    2
    """
    return strips_figure(
        [Strip(name, drawn(np.asarray(images))) for name, images in rows.items()], title=title
    )


def _name_at_end(axes: Axes) -> None:
    """Names of lines at their last points, moved apart."""
    low, high = axes.get_ylim()
    gap, height = (high - low) / 14, -np.inf
    for line in sorted(axes.lines, key=lambda line: float(np.asarray(line.get_ydata())[-1])):
        x, y = (float(np.asarray(values)[-1]) for values in (line.get_xdata(), line.get_ydata()))
        height = max(y, height + gap)
        axes.annotate(
            str(line.get_label()),
            (x, height),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=line.get_color(),
            fontsize=9,
            annotation_clip=False,
        )
