"""Pictures of what a code is made of, centres, components and atoms, and of what it keeps of samples."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from replearn.report.table import plain

GAP = 1  # pixels between two pictures
INCH = 0.55  # side of a picture
ZERO = 0.01  # share of the largest number: less below zero is rounding, no sign
QUANTILE = 0.999  # of absolute values: what lies beyond it has the full colour, so that one spike does not dim the rest


def components_figure(
    atoms: Float[np.ndarray, "k ..."],
    *,
    shape: Sequence[int] | None = None,
    columns: int | None = None,
    title: str = "",
    alike: bool = False,
) -> Figure:
    """Centres, eigen-images, atoms or filters as pictures, row by row in their order.

    Atoms with negative numbers are drawn about zero: red above, blue below (of three channels: about grey). Others
    are drawn from black (0) to white (the largest).

    Args:
        atoms: `(k, h, w)`, `(k, c, h, w)` of one or three channels, or rows `(k, d)` with a shape.
        shape: of one atom, `(h, w)` or `(c, h, w)`.
        columns: pictures per row; None: about as many as there are rows.
        title: above the pictures.
        alike: whether all have one scale; else each atom has its own, so that weak ones are seen too.

    Raises:
        ValueError: the atoms are no pictures.

    >>> components_figure(np.eye(4), shape=(2, 2)).axes[0].get_title()
    ''
    """
    pictures = _as_pictures(atoms, shape)
    columns = columns or math.ceil(math.sqrt(len(pictures)))
    colours, ground = _coloured(pictures, alike=alike)
    sheet = _sheet(colours, columns, ground)
    rows = math.ceil(len(pictures) / columns)
    figure = Figure(
        figsize=(max(2.0, INCH * columns), INCH * rows + (0.4 if title else 0.1)),
        dpi=150,
        layout="constrained",
    )
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set_axis_off()
    axes.imshow(sheet, interpolation="nearest")
    axes.set_title(plain(title), fontsize=9)
    return figure


def reconstruction_figure(
    originals: Float[np.ndarray, "n ..."],
    reconstructions: Mapping[str, Float[np.ndarray, "_ ..."]],
    *,
    shape: Sequence[int] | None = None,
) -> Figure:
    """A row of samples, and below it a row of what each method made of them, with its mean squared error.

    Args:
        originals: images `(n, h, w)` or `(n, c, h, w)` in [0, 1], or rows `(n, d)` with a shape.
        reconstructions: as many images of the same shape (or as rows) by the name of the method; numbers outside of
            [0, 1] are cut. The error is the sum over an image's numbers, averaged over those shown.
        shape: of one image, `(h, w)` or `(c, h, w)`.

    Raises:
        ValueError: there are no images, or other numbers of reconstructions.
    """
    own = _as_pictures(originals, shape)
    lines = {"original": own}
    for name, made in reconstructions.items():
        if len(made) != len(originals) or made[0].size != originals[0].size:
            raise ValueError(
                f"each method must reconstruct the {len(originals)} originals; {name} has shape {made.shape}, "
                f"the originals {originals.shape}. Pass the same samples."
            )
        lines[name] = _as_pictures(np.reshape(made, originals.shape), shape)
    figure = Figure(
        figsize=(INCH * len(own) + 1.9, (INCH + 0.05) * len(lines) + 0.1), dpi=150, layout="constrained"
    )
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(lines), 1, squeeze=False)[:, 0]
    for axes, (name, pictures) in zip(grid, lines.items(), strict=True):
        error = float(((pictures - own) ** 2).sum(axis=(1, 2, 3)).mean())
        label = name if name == "original" else f"{name}\nerror {error:.3g}"
        axes.imshow(_sheet(_rgb(np.clip(pictures, 0, 1)), len(own), 1.0), interpolation="nearest")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_visible(False)
        axes.set_ylabel(plain(label), rotation=0, ha="right", va="center", fontsize=8)
    return figure


def _as_pictures(atoms: np.ndarray, shape: Sequence[int] | None) -> Float[np.ndarray, "k c h w"]:
    atoms = np.asarray(atoms, dtype=np.float64)
    if shape is not None and len(atoms) and atoms[0].size == math.prod(shape):
        atoms = atoms.reshape(len(atoms), *shape)
    atoms = atoms[:, None] if atoms.ndim == 3 else atoms
    if atoms.ndim != 4 or not len(atoms) or atoms.shape[1] not in (1, 3):
        raise ValueError(
            f"atoms must be pictures (k, h, w) or (k, c, h, w) of 1 or 3 channels; got shape {atoms.shape} and "
            f"shape={None if shape is None else tuple(shape)}. Pass the shape of a sample for rows of numbers."
        )
    return atoms


def _coloured(pictures: Float[np.ndarray, "k c h w"], *, alike: bool) -> tuple[np.ndarray, float]:
    """Colours `(k, h, w, 3)` in [0, 1], and the grey between the pictures."""
    size = np.quantile(np.abs(pictures.reshape(len(pictures), -1)), QUANTILE, axis=1)
    largest = np.full_like(size, size.max()) if alike else size
    scaled = np.clip(pictures / np.maximum(largest, 1e-12)[:, None, None, None], -1, 1)
    if pictures.min() >= -ZERO * pictures.max():
        return _rgb(scaled.clip(0, 1)), 0.35
    if pictures.shape[1] == 3:
        return _rgb((scaled + 1) / 2), 1.0
    value = scaled[:, 0, :, :, None]  # (k, h, w, 1)
    red, blue, white = np.array([0.70, 0.02, 0.10]), np.array([0.02, 0.19, 0.58]), np.ones(3)
    return white + np.abs(value) * (np.where(value > 0, red, blue) - white), 0.75


def _rgb(pictures: Float[np.ndarray, "k c h w"]) -> Float[np.ndarray, "k h w 3"]:
    return np.broadcast_to(pictures, (len(pictures), 3, *pictures.shape[2:])).transpose(0, 2, 3, 1)


def _sheet(colours: Float[np.ndarray, "k h w 3"], columns: int, ground: float) -> Float[np.ndarray, "a b 3"]:
    """All pictures in one, `columns` in a row."""
    k, height, width, _ = colours.shape
    rows = math.ceil(k / columns)
    cells = np.full((rows * columns, height + GAP, width + GAP, 3), ground)
    cells[:k, :height, :width] = colours
    if rows * columns > k:
        cells[k:] = 1.0
    sheet = cells.reshape(rows, columns, height + GAP, width + GAP, 3).swapaxes(1, 2)
    return np.asarray(sheet.reshape(rows * (height + GAP), columns * (width + GAP), 3)[:-GAP, :-GAP])
