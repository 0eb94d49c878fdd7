"""Maps beside images: where a vision transformer looks, and where the stages of other networks answer most."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float, UInt8
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from replearn.data import Samples
from replearn.encoders import Encoder
from replearn.encoders.attention import attention_maps
from replearn.encoders.modes import evaluating
from replearn.encoders.receptive import stage_maps
from replearn.report.appearance import has_pixels
from replearn.report.strips import draw_queries
from replearn.report.table import plain
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
    index, pictures = _pictures(samples, index, shown, "attention_figure")
    batch = samples[index].to(encoder.mean.device)
    maps = attention_maps(encoder, batch).cpu().numpy()  # (n, heads, h, w)
    columns = np.concatenate([maps.mean(1, keepdims=True), maps], axis=1)  # (n, 1 + heads, h, w)
    names = ["image", "mean", *(f"head {i + 1}" for i in range(maps.shape[1]))]
    return _grid_figure(pictures, [list(own) for own in columns], names)


def stage_figure(
    encoders: Mapping[str, Encoder],
    samples: Samples,
    *,
    index: np.ndarray | None = None,
    shown: int = 6,
    power: int = 2,
) -> Figure:
    """A row per sample: the image, and for each network where each of its stages answers most.

    The map of a stage with channels `a_c` is `Σ_c |a_c|^power` at each place, scaled to its own brightest one.

    Args:
        encoders: networks of stages by name, those of a method and of `Supervised` say.
        samples: images.
        index: positions of those to draw, or None.
        shown: how many to draw, one of each class in turn, where `index` is None.
        power: to which answers are raised; the more, the more the strongest count.

    Raises:
        ValueError: the samples are not images, or a network has no stages with places.

    References: Zagoruyko & Komodakis, ICLR 2017, section 3.1. https://arxiv.org/abs/1612.03928
        Gidaris et al., ICLR 2018, figure 3 (rotation beside labels). https://arxiv.org/abs/1803.07728

    Example:
        >>> from replearn import load_data, make_encoder
        >>> digits = load_data("digits", split="test")
        >>> figure = stage_figure({"untrained": make_encoder("cnn", digits)}, digits, shown=2)
        >>> len(figure.axes)
        8
    """
    index, pictures = _pictures(samples, index, shown, "stage_figure")
    columns, names = [], ["image"]
    for name, encoder in encoders.items():
        with evaluating([encoder]), torch.no_grad():
            maps = [x for x in stage_maps(encoder, samples[index].to(encoder.mean.device)) if x.ndim == 4]
        if not maps:
            raise ValueError(
                f"stage_figure needs stages with places; {name} has none. Use resnet_small, say."
            )
        columns += [x.abs().pow(power).sum(1).cpu().numpy() for x in maps]  # (n, h, w) each
        names += [f"{name} {i}" for i in range(1, len(maps) + 1)]
    return _grid_figure(pictures, list(zip(*columns, strict=True)), names)


def _pictures(
    samples: Samples, index: np.ndarray | None, shown: int, name: str
) -> tuple[np.ndarray, UInt8[np.ndarray, "n s s c"]]:
    """Which samples are drawn, and their pictures."""
    if not has_pixels(samples):
        raise ValueError(f"{name} must get images; got samples of kind {samples.kind}. Use another report.")
    if index is None:
        index = draw_queries(samples, shown, np.random.default_rng(0))
    return index, thumbnails(samples, index, side=SIDE)


def _grid_figure(
    pictures: UInt8[np.ndarray, "n s s c"],
    maps: Sequence[Sequence[np.ndarray]],
    names: Sequence[str],
) -> Figure:
    """A row per picture: the picture, and its maps; names above."""
    height, width = len(pictures), len(names)
    figure = Figure(figsize=(0.8 * width, 0.8 * height + 0.3), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(height, width, squeeze=False)
    for row, picture, own in zip(grid, pictures, maps, strict=True):
        row[0].imshow(np.broadcast_to(picture, (SIDE, SIDE, 3)), interpolation="nearest")
        for axes, drawn in zip(row[1:], own, strict=True):
            axes.imshow(in_square(drawn), cmap="magma", vmin=0, interpolation="nearest")
    for axes in grid.ravel():
        axes.set_axis_off()
    for axes, name in zip(grid[0], names, strict=True):
        axes.set_title(plain(name), fontsize=8)
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
