"""Small pictures of many samples in one: a sprite sheet, as a PNG inside a data URI."""

import base64
import io
import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from matplotlib.figure import Figure
from PIL import Image

from replearn.data import Samples
from replearn.report.kinds import LOOKS

LARGEST, SMALLEST = 48, 16  # pixels of a cell's side
BUDGET = 4_800_000  # bytes of a sheet before compression
NUMBERS = 2**22  # numbers of samples fetched at once: 16 MB


@dataclass(frozen=True)
class Sheet:
    """Cells in rows, `columns` to a row, in one picture.

    Attributes:
        uri: `data:image/png;base64,...`
        cell: side of a cell in pixels.
        columns, rows: cells along both sides.
        grey: whether the samples have one channel (shown as ink in a class's colour).
        inverted: whether the ground of grey samples is bright, so that dark is ink.
    """

    uri: str
    cell: int
    columns: int
    rows: int
    grey: bool
    inverted: bool

    def place(self, position: int) -> str:
        """CSS that shows the cell at `position`, at any size of the element."""
        row, column = divmod(position, self.columns)
        x = 100 * column / max(1, self.columns - 1)
        y = 100 * row / max(1, self.rows - 1)
        return f"background-position:{x:.4f}% {y:.4f}%"


def thumbnails(samples: Samples, index: np.ndarray, *, side: int) -> UInt8[np.ndarray, "n s s c"]:
    """Pictures of `side` by `side` pixels, one or three channels, as their kind draws them."""
    step = max(1, NUMBERS // max(1, math.prod(samples.shape)))
    looks = LOOKS[samples.kind]
    parts = [looks.draw(samples[index[start : start + step]].x, side) for start in range(0, len(index), step)]
    return np.concatenate(parts)


def make_sheet(parts: list[tuple[Samples, np.ndarray]]) -> Sheet:
    """One sheet of some samples of each part, in order.

    Args:
        parts: samples, and positions of those to show.
    """
    first, count = parts[0][0], sum(len(index) for _, index in parts)
    channels, longest = LOOKS[first.kind].cell(first.shape)
    room = int(math.sqrt(BUDGET / (max(1, count) * channels)))
    side = max(SMALLEST, min(LARGEST, room, longest))
    cells = np.concatenate([thumbnails(samples, index, side=side) for samples, index in parts])
    columns = max(1, math.ceil(math.sqrt(count)))
    rows = max(1, math.ceil(count / columns))
    sheet = np.zeros((rows * columns, side, side, channels), dtype=np.uint8)
    sheet[:count] = cells
    picture = sheet.reshape(rows, columns, side, side, channels).swapaxes(1, 2)  # (rows, s, columns, s, c)
    picture = picture.reshape(rows * side, columns * side, channels)
    return Sheet(png_uri(picture), side, columns, rows, channels == 1, _is_bright(cells))


def figure_uri(figure: Figure) -> str:
    """A figure as a data URI."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return _uri(file)


def png_uri(picture: UInt8[np.ndarray, "h w c"]) -> str:
    """The picture as a data URI."""
    image = Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return _uri(file)


def _uri(file: io.BytesIO) -> str:
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def _is_bright(cells: UInt8[np.ndarray, "n s s c"]) -> bool:
    """Whether the borders are bright, as of ink on paper."""
    border = np.concatenate([cells[:, [0, -1]].ravel(), cells[:, :, [0, -1]].ravel()])
    return bool(len(border) and np.median(border) > 127)
