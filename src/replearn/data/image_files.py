"""Image files opened: which formats, what their headers tell, and why one cannot be used."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import BufferedReader, BytesIO
from typing import TYPE_CHECKING

from replearn.data.reasons import reason_of

if TYPE_CHECKING:  # Pillow is imported where it is used: most data come as arrays
    from PIL.Image import Image

# Pillow's own limit, 2^30 / 4 / 3: a larger image is skipped before anything of it is decoded.
LARGEST_IMAGE = 89_478_485
# What is promised, and nothing else: Pillow would start Ghostscript on PostScript that is called photo.jpg.
FORMATS = ("AVIF", "BMP", "DIB", "GIF", "ICO", "JPEG", "JPEG2000", "PNG", "PPM", "TGA", "TIFF", "WEBP")
DEEP_MODES = {"I;16": "uint16", "I;16B": "uint16", "I;16L": "uint16", "I;16N": "uint16"} | {
    "I": "whole",
    "F": "float",
}
GREY_MODES = ("1", "L", "LA", "La", *DEEP_MODES)
# A TIFF of up to so many grey pages of one size may hold a channel on each.
MOST_PAGES = 64
ORIENTATION = 0x0112
EXIF_KEYS = {"exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif"}


class UndecodableError(Exception):
    """A file that cannot be used, with a short reason."""


@dataclass(frozen=True)
class Header:
    """What the first bytes of an image file tell.

    Attributes:
        height, width: as displayed.
        grey: whether it has one channel.
        depth: `bytes`, or of what is deeper `uint16`, `whole` (numbers of 32 bits) or `float`.
        pages: grey pages of a TIFF, 1 of everything else.
        lost: what the file has and its image will not have, or nothing.
    """

    height: int
    width: int
    grey: bool
    depth: str = "bytes"
    pages: int = 1
    lost: str = ""


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
    with reasons(file), open_image(file) as image:
        height, width = image.height, image.width
        if orientation_of(image) >= 5:  # these four swap the axes
            height, width = width, height
        grey, mode = image.mode in GREY_MODES and "transparency" not in image.info, image.mode
        lost, pages = _lost(image), 1
        if getattr(image, "is_animated", False):
            if image.format == "TIFF" and mode in ("L", *DEEP_MODES) and image.n_frames <= MOST_PAGES:  # type: ignore[attr-defined]
                pages = image.n_frames  # type: ignore[attr-defined]
            elif image.format != "MPO":  # its other pictures are previews and depth maps of telephones
                lost = lost or "more than one frame or page, of which the first is read"
        return Header(height, width, grey, DEEP_MODES.get(mode, "bytes"), pages, lost)


def _lost(image: "Image") -> str:
    """What Pillow leaves out of an image without a word."""
    bands = len(image.getbands())
    if image.format == "TIFF" and (channels := image.tag_v2.get(277, 1)) > bands:  # type: ignore[attr-defined]
        return f"{channels} channels, of which {bands} {'are' if bands > 1 else 'is'} read"
    raw = str(
        getattr(image, "tile", "")
    )  # `RGB;16B` and the like; `BGR;16` of a BMP is 16 bits for all three
    if image.mode not in DEEP_MODES and re.search(";16[BLN]", raw):
        return "16 bits a channel, of which Pillow reads the upper 8"
    return ""


@cache
def _formats() -> tuple[str, ...]:
    """The promised formats that the installed Pillow has."""
    from PIL import Image

    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def open_image(file: BufferedReader | BytesIO) -> "Image":
    from PIL import Image

    image = Image.open(file, formats=_formats())
    if image.width * image.height > LARGEST_IMAGE:
        image.close()
        raise UndecodableError(
            f"has {image.width} x {image.height} pixels, over the limit of {LARGEST_IMAGE:,}"
        )
    return image


def orientation_of(image: "Image") -> int:
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


@contextmanager
def reasons(file: BufferedReader | BytesIO) -> Iterator[None]:
    """Whatever Pillow raises on a bad file becomes one short reason."""
    from PIL import Image, UnidentifiedImageError

    try:
        yield
    except UndecodableError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UndecodableError(f"has too many pixels, over the limit of {LARGEST_IMAGE:,}") from error
    except UnidentifiedImageError as error:
        raise UndecodableError(_unknown_tiff(file) or "is not an image") from error
    except Exception as error:  # decoders raise anything: OSError, SyntaxError, struct.error, ValueError, ...
        raise UndecodableError(f"cannot be decoded: {_one_line(error)}") from error


def _unknown_tiff(file: BufferedReader | BytesIO) -> str:
    """What a TIFF holds that Pillow does not read; nothing of other files."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    try:
        file.seek(0)
        tags = ImageFileDirectory_v2(file.read(8))
        file.seek(tags.next)
        tags.load(file)
        channels, bits = int(tags.get(277, 1)), max(tags.get(258, (1,)))
        kind = "floats" if 3 in tags.get(339, (1,)) else "numbers"
    except Exception:  # no TIFF, or a damaged one; what is raised is not documented
        return ""
    return (
        f"is a TIFF of {channels} channels of {bits}-bit {kind}, which Pillow does not read: save the set as .npy, "
        "(n, h, w, c), or each channel on a page of its own"
    )


def _one_line(error: Exception) -> str:
    return reason_of(error, 100) or type(error).__name__
