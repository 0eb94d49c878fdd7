"""Scenes with what is in them and what a model says is: boxes, or masks laid over the picture."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import UInt8
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from replearn.data import Scenes
from replearn.data.scene_samples import VOID
from replearn.report.figures import COLOURS
from replearn.report.table import plain

SURE = 0.3  # score from which a box is drawn
INCH = 1.5  # side of a scene
OVER = 0.55  # of a mask's colour


def scene_figure(
    scenes: Scenes,
    found: Sequence[Mapping[str, Any]] | UInt8[np.ndarray, "n h w"],
    *,
    shown: int = 8,
    least: float = SURE,
) -> Figure:
    """Two rows: scenes as they are labelled, and what was found in them, a colour per class.

    Args:
        scenes: with boxes, or with masks.
        found: what `Detector.predict` or `Segmenter.predict` said of them.
        shown: how many scenes are drawn, the first ones.
        least: score from which a box is drawn.

    Raises:
        ValueError: there are not as many answers as scenes, or the scenes lack what was asked for.

    Example:
        >>> from replearn.data import make_scenes
        >>> scenes = make_scenes(4)
        >>> right = [of | {"scores": np.ones(len(of["labels"]))} for of in scenes.truth()]
        >>> [axes.get_ylabel() for axes in scene_figure(scenes, right).axes][::4]
        ['true', 'found']
    """
    masked = isinstance(found, np.ndarray)
    if len(found) != len(scenes):
        raise ValueError(f"found must be one per scene; got {len(found)} for {len(scenes)} scenes.")
    if (scenes.masks if masked else scenes.boxes) is None:
        raise ValueError(
            f"scenes must have {'masks' if masked else 'boxes'}; these have none. Draw the others."
        )
    number = min(shown, len(scenes))
    figure = Figure(figsize=(INCH * number + 0.4, 2 * INCH + 0.3), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(2, number, squeeze=False)
    for axes in grid.ravel():
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_visible(False)
    for i in range(number):
        picture = scenes[np.array([i])].floats().x[0].permute(1, 2, 0).numpy().clip(0, 1)  # (h, w, c)
        if masked:
            assert scenes.masks is not None
            for axes, mask in zip(grid[:, i], (scenes.masks[i], found[i]), strict=True):
                axes.imshow(_tinted(picture, mask), interpolation="nearest")
            continue
        for axes, of in zip(grid[:, i], (scenes.truth()[i], found[i]), strict=True):
            axes.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            _draw_boxes(axes, of, scenes.classes, least)
    for axes, name in zip(grid[:, 0], ("true", "found"), strict=True):
        axes.set_ylabel(name, fontsize=9)
    return figure


def colour_of(label: int) -> str:
    """A class's colour; they come again after six."""
    return COLOURS[label % len(COLOURS)]


def _draw_boxes(axes: Axes, of: Mapping[str, Any], classes: Sequence[str], least: float) -> None:
    scores = of.get("scores")
    for k, (box, label) in enumerate(zip(of["boxes"], of["labels"], strict=True)):
        if scores is not None and scores[k] < least:
            continue
        left, top, right, bottom = (float(v) - 0.5 for v in box)  # pixel i is drawn around i
        colour = colour_of(int(label))
        axes.add_patch(
            Rectangle((left, top), right - left, bottom - top, fill=False, color=colour, linewidth=1.2)
        )
        said = plain(classes[int(label)]) + ("" if scores is None else f" {scores[k]:.2f}".replace("0.", "."))
        axes.text(
            *(left, top, said),
            fontsize=5,
            color="white",
            va="bottom",
            bbox={"facecolor": colour, "edgecolor": "none", "pad": 0.6},
            clip_on=True,
        )


def _tinted(picture: np.ndarray, mask: UInt8[np.ndarray, "h w"]) -> np.ndarray:
    """The picture with each class's colour over it; what is unknown is grey."""
    tinted = np.repeat(picture, 3, axis=2) if picture.shape[2] == 1 else picture.copy()
    for value in np.unique(mask[mask > 0]).tolist():
        colour = "#808080" if value == VOID else colour_of(value - 1)
        rgb = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
        there = mask == value
        tinted[there] = (1 - OVER) * tinted[there] + OVER * rgb
    return tinted
