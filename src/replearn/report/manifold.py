"""The whole of a code of two numbers, as a grid of pictures."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import UInt8
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from replearn.data import Samples
from replearn.evaluate.traversal import code_grid
from replearn.methods.inside import has_prior
from replearn.report.interpolations import codes_of, decoder_for_pictures
from replearn.report.pictures import SMALL, drawn, joined_up

SIDE = 15  # pictures along both sides


def manifold_picture(
    decode: Callable[[np.ndarray], np.ndarray], codes: np.ndarray, *, side: int = SIDE, normal: bool = False
) -> UInt8[np.ndarray, "h w 4"]:
    """What codes on a grid decode to, evenly spaced in probability: by the codes' quantiles, or a normal prior's."""
    grid = code_grid(codes, side=side, normal=normal)
    pictures = drawn(decode(grid.reshape(-1, 2)), least=SMALL)
    return joined_up(np.split(pictures, side))


def manifold_figure(method: Any, samples: Samples, *, side: int = SIDE) -> Figure:
    """The manifold that a fitted method's code of two numbers spans.

    Raises:
        ValueError: the samples are not images, the method has no decoder, or its code has not two numbers.
    """
    decode = decoder_for_pictures(method, samples, "manifold_figure")
    picture = manifold_picture(decode, codes_of(method, samples), side=side, normal=has_prior(method))
    figure = Figure(figsize=(5, 5), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.imshow(picture, interpolation="nearest")
    axes.set_axis_off()
    return figure
