"""One image file becomes bytes `(c, h, w)`, whatever its format, mode, depth, orientation or size."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import BufferedReader, BytesIO
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

if TYPE_CHECKING:  # Pillow is imported where it is used: most data come as arrays
    from PIL.Image import Image

# Pillow's own limit, 2^30 / 4 / 3: a larger image is skipped before anything of it is decoded.
LARGEST_IMAGE = 89_478_485
# What is promised, and nothing else: Pillow would start Ghostscript on PostScript that is called photo.jpg.
FORMATS = ("AVIF", "BMP", "DIB", "GIF", "ICO", "JPEG", "JPEG2000", "PNG", "PPM", "TGA", "TIFF", "WEBP")
# Bytes that images may take while they are decoded at the same time, and what one pixel takes: Pillow's 4, with two
# copies on the way (transparency, other mode).
ROOM = 2**30
PIXEL_BYTES = 12
GREY_MODES = ("1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N")
# The decoded image may be this much larger than asked for before it is resized: a margin against aliasing.
MARGIN = 2.0
ORIENTATION = 0x0112
EXIF_KEYS = {"exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif"}


class UndecodableError(Exception):
    """A file that cannot be used, with a short reason."""


@dataclass(frozen=True)
class Header:
    """What the first bytes of an image file tell: height and width as displayed, and whether it is grey."""

    height: int
    width: int
    grey: bool


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


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Pillow's warnings become errors where they mean danger, and nothing where they mean an odd file.

    Warning filters belong to the whole process, so this is entered once around a pool of threads.
    """
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def read_header(file: BufferedReader | BytesIO) -> Header:
    """Size and colour of an image, without decoding it.

    Raises:
        UndecodableError: not an image, damaged, or larger than `LARGEST_IMAGE` pixels.
    """
    with _reasons(), _open(file) as image:
        height, width = image.height, image.width
        if _orientation(image) >= 5:  # these four swap the axes
            height, width = width, height
        return Header(height, width, image.mode in GREY_MODES and "transparency" not in image.info)


def read_image(file: BufferedReader | BytesIO, *, size: int | None, grey: bool) -> UInt8[np.ndarray, "c h w"]:
    """The first frame of an image as bytes, upright, grey or RGB, transparent parts white.

    Args:
        file: the open image file.
        size: side of the square to return (the shorter side is resized to it, the longer one cut in the
            middle), or None for the whole image at its own size.
        grey: one channel or three.

    Raises:
        UndecodableError: not an image, damaged, or larger than `LARGEST_IMAGE` pixels.
    """
    with _reasons(), _open(file) as image:
        turn = _orientation(image)
        if size is not None:
            # JPEG decodes to 1/2, 1/4 or 1/8 for a fraction of the time.
            scale = size * MARGIN / min(image.size)
            image.draft(None, (round(image.width * scale), round(image.height * scale)))
        with room.of(image.width * image.height * PIXEL_BYTES):
            whole = standard_mode(image, grey=grey)
            return to_bytes(_upright(whole if size is None else square(whole, size), turn))


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


def standard_mode(image: "Image", *, grey: bool) -> "Image":
    """Any mode as `L` or `RGB`: 16 bits are cut to 8, transparent parts lie on white."""
    from PIL import Image

    wanted = "L" if grey else "RGB"
    if image.mode == wanted and "transparency" not in image.info:
        image.load()
        return image
    if image.mode.startswith("I") or image.mode == "F":
        return _eight_bits(image).convert(wanted)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert(wanted)
    return image.convert(wanted)


def _eight_bits(image: "Image") -> "Image":
    """Deep grey images as 8 bits: 16-bit levels over 257, floats in [0, 1] times 255."""
    from PIL import Image

    levels = np.asarray(image).astype(np.float64)
    if not np.isfinite(levels).all():
        raise UndecodableError("has NaN or infinite pixels")
    low, high = levels.min(), levels.max()
    # Mode I is 32 bits wide, yet what files keep in it is 16 bits deep. Floats have no depth: [0, 1], or
    # bytes.
    scale = 1 / 257 if image.mode != "F" else 255.0 if high <= 1 else 1.0
    if low < 0 or high * scale > 255:
        raise UndecodableError(f"has levels {low:g} ... {high:g}, outside 16 bits")
    return Image.fromarray(np.rint(levels * scale).astype(np.uint8))


@cache
def _formats() -> tuple[str, ...]:
    """The promised formats that the installed Pillow has."""
    from PIL import Image

    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _open(file: BufferedReader | BytesIO) -> "Image":
    from PIL import Image

    image = Image.open(file, formats=_formats())
    if image.width * image.height > LARGEST_IMAGE:
        image.close()
        raise UndecodableError(
            f"has {image.width} x {image.height} pixels, over the limit of {LARGEST_IMAGE:,}"
        )
    return image


def _orientation(image: "Image") -> int:
    """The EXIF orientation, 1 for upright. Reading it costs time, so only where there may be one.

    Pillow turns TIFF images itself.
    """
    if image.format == "TIFF" or not EXIF_KEYS & image.info.keys():
        return 1
    try:
        value = image.getexif().get(ORIENTATION, 1)
    except Exception:  # damaged EXIF must not cost the image; what it raises is not documented
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


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


@contextmanager
def _reasons() -> Iterator[None]:
    """Whatever Pillow raises on a bad file becomes one short reason."""
    from PIL import Image, UnidentifiedImageError

    try:
        yield
    except UndecodableError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UndecodableError(f"has too many pixels, over the limit of {LARGEST_IMAGE:,}") from error
    except UnidentifiedImageError as error:
        raise UndecodableError("is not an image") from error
    except Exception as error:  # decoders raise anything: OSError, SyntaxError, struct.error, ValueError, ...
        raise UndecodableError(f"cannot be decoded: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:100] or type(error).__name__
