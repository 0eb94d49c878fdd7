"""What all readers of scenes share: an image with its boxes and its mask, framed to one size.

    file -> image, its longer side `size`, the rest filled with grey -> Scenes; boxes and masks along with it

What can't be read is left out and named, with one warning that counts it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from replearn.data.decode import read_image
from replearn.data.image_files import UndecodableError, open_image, quiet_pillow, reasons
from replearn.data.scene_samples import VOID, Scenes
from replearn.data.told import warn_of_data

FILLED = 127  # grey beside images that are no squares


class Unusable(Exception):
    """Why a file, or a part of one, is left out."""


@dataclass
class Found:
    """What is read so far, image by image.

    Attributes:
        size: side of the scenes.
        skipped: name and reason of what was left out.
    """

    size: int
    images: list[UInt8[np.ndarray, "3 h w"]] = field(default_factory=list)
    boxes: list[list[list[float]]] = field(default_factory=list)
    labels: list[list[int]] = field(default_factory=list)
    masks: list[UInt8[np.ndarray, "h w"]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    frames: list[tuple[int, int, int, int]] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)

    def scenes(self, path: Path, classes: Sequence[str], *, boxes: bool, strict: bool) -> Scenes:
        """The scenes; a warning says what is missing.

        Raises:
            ValueError: there are none, or with `strict`, anything is missing.
        """
        if not self.images:
            why = f"; the first, {self.skipped[0][0]}, {self.skipped[0][1]}" if self.skipped else ""
            raise ValueError(f"{path} must hold at least one scene that can be read; found none{why}.")
        if self.skipped:
            name, reason = self.skipped[0]
            line = f"{path}: {len(self.skipped):,} left out, the first: {name} {reason}"
            warn_of_data(line, strict=strict)
        return Scenes(
            np.stack(self.images),
            boxes=self.boxes if boxes else None,
            box_labels=self.labels if boxes else None,
            masks=np.stack(self.masks) if self.masks else None,
            classes=classes,
            names=self.names,
            skipped=self.skipped,
            frames=np.array(self.frames, np.float64),
        )

    def add(
        self,
        name: str,
        file: Path,
        objects: Iterable[tuple[Sequence[float], int]] = (),
        *,
        mask: Callable[[int, int], UInt8[np.ndarray, "h w"]] | None = None,
        said: tuple[Any, Any] = (None, None),
    ) -> None:
        """Read an image with its boxes (left, top, right, bottom in its own pixels) and the mask of its size.

        Args:
            name: by which it is told.
            file: of the image.
            objects: boxes and their classes.
            mask: makes its mask, of its height and width.
            said: width and height that it must have, or None.
        """
        try:
            image = read_pixels(file)
            height, width = image.shape[1:]
            for told, own in zip(said, (width, height), strict=True):
                if told is not None and told != own:
                    raise Unusable(f"is {width} x {height}, but listed as {said[0]} x {said[1]}")
            seen = None if mask is None else mask(height, width)
        except (UndecodableError, Unusable) as error:
            self.skipped.append((name, str(error)))
            return
        scale = self.size / max(width, height)
        inner = max(1, round(width * scale)), max(1, round(height * scale))
        self.images.append(_framed(image, inner, self.size))
        if seen is not None:
            self.masks.append(_framed_mask(seen, inner, self.size))
        ratios = np.array([inner[0] / width, inner[1] / height] * 2)
        boxes, labels = [], []
        for number, (box, label) in enumerate(objects):
            cut = np.clip(np.asarray(box, np.float64) * ratios, 0, [*inner, *inner])
            if not (cut[2:] > cut[:2]).all():  # of NaN, too
                self.skipped.append((f"{name}, box {number}", "lies outside the image, or has no area"))
                continue
            boxes.append(cut.tolist())
            labels.append(label)
        self.boxes.append(boxes)
        self.labels.append(labels)
        self.names.append(name)
        self.frames.append((width, height, *inner))


def read_mask(path: Path, height: int, width: int, *, number: int) -> UInt8[np.ndarray, "h w"]:
    """The mask in a file, of so many classes, for an image of this size.

    Raises:
        Unusable, UndecodableError: there is none.
    """
    if not path.is_file():
        raise Unusable(f"has no mask {path.name}")
    with path.open("rb") as file, quiet_pillow(), reasons(file), open_image(file) as image:
        if image.mode not in ("L", "P", "1"):
            raise UndecodableError(f"has a mask of mode {image.mode}, which must be grey or by palette")
        mask = np.asarray(image).astype(np.uint8)
    if mask.shape != (height, width):
        raise Unusable(f"is {width} x {height}, and its mask {mask.shape[1]} x {mask.shape[0]}")
    known = mask[mask != VOID]
    if known.size and known.max() > number:
        raise Unusable(f"has a mask with {known.max()}, and there are {number} classes")
    return mask


def read_pixels(path: Path) -> UInt8[np.ndarray, "3 h w"]:
    """An image in colour, at its own size."""
    if not path.is_file():
        raise Unusable("is not there")
    with path.open("rb") as file, quiet_pillow():
        return read_image(file, size=None, grey=False)  # type: ignore[arg-type]


def _framed(
    image: UInt8[np.ndarray, "3 h w"], inner: tuple[int, int], size: int
) -> UInt8[np.ndarray, "3 s s"]:
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0)))
    whole = np.full((3, size, size), FILLED, np.uint8)
    whole[:, : inner[1], : inner[0]] = np.asarray(picture.resize(inner, Image.Resampling.BICUBIC)).transpose(
        2, 0, 1
    )
    return whole


def _framed_mask(
    mask: UInt8[np.ndarray, "h w"], inner: tuple[int, int], size: int
) -> UInt8[np.ndarray, "s s"]:
    from PIL import Image

    whole = np.full((size, size), VOID, np.uint8)
    whole[: inner[1], : inner[0]] = np.asarray(Image.fromarray(mask).resize(inner, Image.Resampling.NEAREST))
    return whole


def inside(folder: Path, name: Any) -> Path | None:
    """The file of a name in a folder; None where it leads out of it."""
    try:
        path = (folder / str(name)).resolve()
    except (OSError, ValueError):
        return None
    return path if path.is_relative_to(folder.resolve()) else None


def check_scene_size(size: int) -> None:
    """Raises ValueError where scenes can't have such sides."""
    if size < 32 or size % 32:
        raise ValueError(f"size must be a multiple of 32 pixels; got {size}. Try 96 or 224.")
