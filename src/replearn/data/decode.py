"""One image file becomes bytes or levels `(c, h, w)`, whatever its format, mode, depth, orientation or size."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, BytesIO
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, UInt8

from replearn.data.image_files import DEEP_MODES, UndecodableError, open_image, orientation_of, reasons
from replearn.data.levels import LARGEST, MOST, Levels, scaled

if TYPE_CHECKING:
    from PIL.Image import Image

# Bytes that images may take while they are decoded at the same time, and what one pixel takes: Pillow's 4, with two
# copies on the way (transparency, other mode).
ROOM = 2**30
PIXEL_BYTES = 12
# The decoded image may be this much larger than asked for before it is resized: a margin against aliasing.
MARGIN = 2.0


class Room:
    """Bytes that threads share: each takes what it needs and waits while there are not enough.

    Who needs more than there are takes all of them, and so works alone.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.free = size
        self._changed = threading.Condition()

    @contextmanager
    def of(self, size: int) -> Iterator[None]:
        """Hold so many bytes."""
        size = min(size, self.size)
        with self._changed:
            self._changed.wait_for(lambda: self.free >= size)
            self.free -= size
        try:
            yield
        finally:
            with self._changed:
                self.free += size
                self._changed.notify_all()


room = Room(ROOM)


def read_image(
    file: BufferedReader | BytesIO,
    *,
    size: int | None,
    grey: bool,
    levels: Levels | None = None,
    pages: int = 1,
) -> UInt8[np.ndarray, "c h w"]:
    """An image as bytes, upright, grey or RGB, transparent parts white; of an animation, its first frame.

    Args:
        file: the open image file.
        size: side of the square to return (the shorter side is resized to it, the longer one cut in the
            middle), or None for the whole image at its own size.
        grey: one channel or three.
        levels: which levels of an image that is deeper than bytes become 0 and 255.
        pages: of a TIFF of grey pages, how many of them are channels.

    Raises:
        UndecodableError: not an image, damaged, or larger than `LARGEST_IMAGE` pixels.
    """
    with reasons(file), open_image(file) as image:
        turn = orientation_of(image)
        if size is not None:
            # JPEG decodes to 1/2, 1/4 or 1/8 for a fraction of the time.
            scale = size * MARGIN / min(image.size)
            image.draft(None, (round(image.width * scale), round(image.height * scale)))
        with room.of(image.width * image.height * PIXEL_BYTES):
            read = []
            for page in _pages(image, pages):
                whole = standard_mode(page, grey=grey, levels=levels)
                read.append(to_bytes(_upright(whole if size is None else square(whole, size), turn)))
            return np.concatenate(read)


def read_levels(
    file: BufferedReader | BytesIO, *, size: int | None, pages: int = 1
) -> Float32[np.ndarray, "c h w"]:
    """An image deeper than bytes: its levels as they are, where it is not resized.

    Args:
        file, size, pages: as for `read_image`.

    Raises:
        UndecodableError: as for `read_image`; NaN, infinite levels, or some that float32 cannot hold.
    """
    from PIL import Image

    with reasons(file), open_image(file) as image:
        turn = orientation_of(image)
        with room.of(image.width * image.height * PIXEL_BYTES):
            read = []
            for page in _pages(image, pages):
                levels = _levels(page)
                if size is not None:
                    resized = np.asarray(square(Image.fromarray(levels), size))
                    levels = resized.clip(levels.min(), levels.max())  # bicubic overshoots
                read.append(np.asarray(_upright(Image.fromarray(levels), turn))[None])
            return np.concatenate(read)


def _pages(image: "Image", pages: int) -> "Iterator[Image]":
    """The first pages, which must be alike."""
    mode, size = image.mode, image.size
    for page in range(pages):
        if page:
            image.seek(page)
        if (image.mode, image.size) != (mode, size):
            raise UndecodableError("has pages of several sizes or depths")
        yield image


def to_bytes(image: "Image") -> UInt8[np.ndarray, "c h w"]:
    """A grey or RGB image as an array."""
    pixels = np.asarray(image, dtype=np.uint8)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)  # (c, h, w)


def square(image: "Image", size: int) -> "Image":
    """The largest centred square, resized (antialiased bicubic)."""
    from PIL import Image

    side = min(image.size)
    if image.size == (size, size):
        return image
    left, top = (image.width - side) / 2, (image.height - side) / 2
    box = (left, top, left + side, top + side)
    return image.resize((size, size), Image.Resampling.BICUBIC, box=box, reducing_gap=MARGIN)


def standard_mode(image: "Image", *, grey: bool, levels: Levels | None = None) -> "Image":
    """Any mode as `L` or `RGB`: of deep images `levels` become 0 and 255, transparent parts lie on white."""
    from PIL import Image

    wanted = "L" if grey else "RGB"
    if image.mode == wanted and "transparency" not in image.info:
        image.load()
        return image
    if image.mode in DEEP_MODES:
        deep = _levels(
            image
        )  # first: where no deep image of a set can be used, this says why, and there is no range
        assert levels is not None
        eight_bits = np.rint(scaled(deep, levels) * 255).astype(np.uint8)
        return Image.fromarray(eight_bits).convert(wanted)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert(wanted)
    return image.convert(wanted)


def _levels(image: "Image") -> Float32[np.ndarray, "h w"]:
    """The levels of a deep image."""
    levels = np.asarray(image)
    if not np.isfinite(levels).all():
        some = "has NaN or infinite pixels"
        raise UndecodableError(some if np.isfinite(levels).any() else "has no finite pixel")
    low, high = levels.min(), levels.max()
    if not -LARGEST <= low <= high <= LARGEST:
        raise UndecodableError(f"has levels {low:.4g} ... {high:.4g}, above {LARGEST:g} in size")
    if image.mode == "I" and not -MOST <= low <= high <= MOST:
        raise UndecodableError(f"has levels {low:,} ... {high:,}, which float32 does not hold")
    return levels.astype(np.float32)


def _upright(image: "Image", orientation: int) -> "Image":
    """Turn and mirror an image stored in one of EXIF's eight orientations."""
    from PIL.Image import Transpose as Turn

    turns = [
        Turn.FLIP_LEFT_RIGHT,
        Turn.ROTATE_180,
        Turn.FLIP_TOP_BOTTOM,
        Turn.TRANSPOSE,
        Turn.ROTATE_270,
        Turn.TRANSVERSE,
        Turn.ROTATE_90,
    ]
    return image if orientation == 1 else image.transpose(turns[orientation - 2])
