"""Attention maps beside their images: where a vision transformer looks."""

import numpy as np
from jaxtyping import Float
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from replearn.data import Samples
from replearn.encoders import Encoder
from replearn.encoders.attention import attention_maps
from replearn.report.appearance import has_pixels
from replearn.report.strips import draw_queries
from replearn.report.thumbnails import thumbnails

SIDE = 96  # pixels of a picture


def attention_figure(
    encoder: Encoder, samples: Samples, *, index: np.ndarray | None = None, shown: int = 8
) -> Figure:
    """A row per sample: the image, the mean over heads of the class token's attention in the last block, each head.

    Maps are scaled each to its own brightest patch, so that heads with much attention on the class token show too.

    Args:
        encoder: with a vision transformer inside, `method.encoder_` say.
        samples: images.
        index: positions of those to draw, or None.
        shown: how many to draw, one of each class in turn, where `index` is None.

    Raises:
        ValueError: the samples are not images, or the encoder has no attention.

    Example:
        >>> from replearn import load_data, make_encoder
        >>> digits = load_data("digits", split="test")
        >>> figure = attention_figure(make_encoder("vit_tiny_patch16_224", digits), digits, shown=3)
        >>> len(figure.axes)
        15
    """
    if not has_pixels(samples):
        raise ValueError(
            f"attention_figure must get images; got samples of kind {samples.kind}. Use another report."
        )
    if index is None:
        index = draw_queries(samples, shown, np.random.default_rng(0))
    batch = samples[index].to(encoder.mean.device)
    maps = attention_maps(encoder, batch).cpu().numpy()  # (n, heads, h, w)
    columns = np.concatenate([maps.mean(1, keepdims=True), maps], axis=1)  # (n, 1 + heads, h, w)
    pictures = thumbnails(samples, index, side=SIDE)  # (n, s, s, c)
    height, width = len(index), columns.shape[1] + 1
    figure = Figure(figsize=(0.8 * width, 0.8 * height + 0.3), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(height, width, squeeze=False)
    for row, picture, own in zip(grid, pictures, columns, strict=True):
        row[0].imshow(np.broadcast_to(picture, (SIDE, SIDE, 3)), interpolation="nearest")
        for axes, drawn in zip(row[1:], own, strict=True):
            axes.imshow(in_square(drawn), cmap="magma", vmin=0, interpolation="nearest")
    for axes in grid.ravel():
        axes.set_axis_off()
    names = ["image", "mean", *(f"head {i + 1}" for i in range(maps.shape[1]))]
    for axes, name in zip(grid[0], names, strict=True):
        axes.set_title(name, fontsize=8)
    return figure


def in_square(drawn: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "s s"]:
    """The map with margins that make it a square, as those of a thumbnail.

    >>> in_square(np.ones((1, 2)))
    array([[ 1.,  1.],
           [nan, nan]])
    """
    height, width = drawn.shape
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    whole = np.full((side, side), np.nan)
    whole[top : top + height, left : left + width] = drawn
    return whole
