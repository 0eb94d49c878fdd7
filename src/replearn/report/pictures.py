"""Rows of pictures with a name each: on the page as PNG, in figures by matplotlib."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from replearn.data import ArraySamples, Samples
from replearn.report.table import plain
from replearn.report.thumbnails import LARGEST, thumbnails

GAP = 2  # pixels between pictures
LARGE, SMALL = 36, 24  # pixels that a picture's side has at least


@dataclass(frozen=True, eq=False)
class Strip:
    """Pictures side by side.

    Attributes:
        name: what they show, in a few words.
        pictures: `(k, s, s, c)` of one or three channels.
    """

    name: str
    pictures: UInt8[np.ndarray, "k s s c"]


def side_of(shape: tuple[int, ...], least: int = LARGE) -> int:
    """Pixels of a picture of such images: their own size; small ones grow by a whole number, so that pixels stay even.

    >>> side_of((1, 28, 28)), side_of((1, 28, 28), SMALL), side_of((3, 8, 7)), side_of((3, 500, 9))
    (56, 28, 40, 48)
    """
    own = max(shape[1:])
    return min(LARGEST, own) if own >= least else own * math.ceil(least / own)


def drawn(images: np.ndarray, *, least: int = LARGE) -> UInt8[np.ndarray, "k s s c"]:
    """Pictures of decoded images `(k, c, h, w)` on the scale [0, 1]; what lies beyond it is cut off."""
    samples = ArraySamples(np.clip(np.asarray(images, dtype=np.float32), 0, 1))
    return thumbnails(samples, np.arange(len(samples)), side=side_of(samples.shape, least))


def of_samples(samples: Samples, index: np.ndarray, *, least: int = LARGE) -> UInt8[np.ndarray, "k s s c"]:
    """Pictures of the samples at `index`."""
    return thumbnails(samples, index, side=side_of(samples.shape, least))


def joined_up(rows: Sequence[UInt8[np.ndarray, "_ s s c"]]) -> UInt8[np.ndarray, "h w 4"]:
    """Rows of pictures as one, with gaps that let the ground through.

    >>> joined_up([np.zeros((3, 4, 4, 1), np.uint8)] * 2).shape
    (10, 16, 4)
    """
    side, most = rows[0].shape[1], max(len(row) for row in rows)
    whole = np.zeros((len(rows) * (side + GAP) - GAP, most * (side + GAP) - GAP, 4), dtype=np.uint8)
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            place = whole[i * (side + GAP) :, j * (side + GAP) :][:side, :side]
            place[:, :, :3] = picture  # one channel spreads over three
            place[:, :, 3] = 255
    return whole


def strips_figure(strips: Sequence[Strip], *, title: str = "") -> Figure:
    """The strips one below the other, named at their left."""
    pictures = [joined_up([strip.pictures]) for strip in strips]
    widest = max(picture.shape[1] / picture.shape[0] for picture in pictures)
    figure = Figure(
        figsize=(1.3 + 0.42 * widest, 0.45 * len(strips) + 0.35 * bool(title)),
        dpi=150,
        layout="constrained",
    )
    FigureCanvasAgg(figure)
    for axes, strip, picture in zip(
        figure.subplots(len(strips), 1, squeeze=False).ravel(), strips, pictures, strict=True
    ):
        axes.imshow(picture, interpolation="nearest")
        axes.set_xlim(-0.5, widest * picture.shape[0] - 0.5)
        axes.set_axis_off()
        axes.text(-6, picture.shape[0] / 2, plain(strip.name), ha="right", va="center", fontsize=8)
    if title:
        figure.suptitle(plain(title), fontsize=10)
    return figure
