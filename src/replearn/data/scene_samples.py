"""`Scenes`: images with what is in them, boxes and masks.

image (c, h, w)     boxes (k, 4), their classes (k,)     mask (h, w): 0 ground, 1 + class, 255 unknown
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped, UInt8

from replearn.data.samples import ArraySamples, positions

VOID = 255  # of a mask: nobody knows
Boxes = Float[np.ndarray, "k 4"]


class Scenes(ArraySamples):
    """Images with boxes, masks or both. They have no labels of their own: `classes` names what is in them.

    Args:
        x: uint8 or float32 `(n, c, h, w)`.
        boxes: of each image, `(k, 4)`: left, top, right, bottom in pixels, `(0, 0)` being the corner of the first
            pixel; or None.
        box_labels: of each image the class of each box, `(k,)`.
        masks: uint8 `(n, h, w)`: 0 is the ground, 1 + c class c, 255 unknown; or None.
        classes: name of each class.
        names: a name per image.
        skipped: name and reason of each image, or part of one, that was left out.
        frames: of images from files, width and height of the file, and of what is seen of it here, from the upper left
            corner on, `(n, 4)`; None: images are as they came.

    Raises:
        ValueError: boxes or masks are not as they must be.

    >>> one = Scenes(np.zeros((1, 3, 8, 8), np.uint8), boxes=[[[1, 1, 4, 5]]], box_labels=[[0]], classes=["cat"])
    >>> len(one), one.truth()[0]["boxes"].tolist()
    (1, [[1.0, 1.0, 4.0, 5.0]])
    """

    def __init__(
        self,
        x: np.ndarray,
        *,
        boxes: Sequence[Any] | None = None,
        box_labels: Sequence[Any] | None = None,
        masks: UInt8[np.ndarray, "n h w"] | None = None,
        classes: Sequence[str],
        names: Sequence[str] | None = None,
        skipped: Sequence[tuple[str, str]] = (),
        frames: Float[np.ndarray, "n 4"] | None = None,
    ) -> None:
        super().__init__(x, classes=classes, names=names, skipped=skipped)
        self.boxes = None if boxes is None else [np.asarray(of, np.float32).reshape(-1, 4) for of in boxes]
        self.box_labels = [np.asarray(of, np.int64).reshape(-1) for of in box_labels or ()]
        self.masks = masks
        self.frames = frames
        self._check()

    def _check(self) -> None:
        if self.kind != "image":
            raise ValueError(f"scenes must be images (n, c, h, w); got {self.x.ndim} axes. Add the others.")
        if self.boxes is None and self.masks is None:
            raise ValueError("scenes must have boxes or masks; got neither. Pass one of them.")
        if self.masks is not None:
            self._check_masks(self.masks)
        if self.boxes is None:
            return
        if not len(self.boxes) == len(self.box_labels) == len(self):
            raise ValueError(
                f"boxes and box_labels must be one per image; got {len(self.boxes)} and {len(self.box_labels)} for "
                f"{len(self)} images. Give an empty list for an image without any."
            )
        for place, (boxes, labels) in enumerate(zip(self.boxes, self.box_labels, strict=True)):
            self._check_boxes(place, boxes, labels)

    def _check_masks(self, masks: Shaped[np.ndarray, "..."]) -> None:
        if masks.dtype != np.uint8 or masks.shape != (len(self), *self.shape[1:]):
            raise ValueError(
                f"masks must be uint8 {(len(self), *self.shape[1:])}, as the images; got {masks.dtype} {masks.shape}."
            )
        known = masks[masks != VOID]
        if known.size and int(known.max()) > len(self.classes):
            raise ValueError(
                f"a mask must hold 0 ... {len(self.classes)} (1 + class) or {VOID}, unknown; got {int(known.max())}. "
                "Name all classes."
            )

    def _check_boxes(self, place: int, boxes: Boxes, labels: Int[np.ndarray, " k"]) -> None:
        _, height, width = self.shape
        inside = (boxes >= 0).all(1) & (boxes[:, 2] <= width) & (boxes[:, 3] <= height)
        wrong = np.flatnonzero(~(inside & (boxes[:, 2:] > boxes[:, :2]).all(1)))
        if len(wrong):
            raise ValueError(
                f"a box must be left < right <= {width}, top < bottom <= {height}; got {boxes[wrong[0]].tolist()} in "
                f"image {place}. Cut it to the image, or leave it out."
            )
        if len(labels) != len(boxes) or (
            len(labels) and not 0 <= labels.min() <= labels.max() < len(self.classes)
        ):
            raise ValueError(
                f"box_labels must be a class, 0 ... {len(self.classes) - 1}, for each box; got {labels.tolist()} for "
                f"the {len(boxes)} boxes of image {place}."
            )

    def subset(self, index: np.ndarray | Sequence[int]) -> "Scenes":
        """The scenes at `index` (integers or a boolean mask)."""
        chosen = positions(index)
        return Scenes(
            np.asarray(self.x[chosen]),
            boxes=None if self.boxes is None else [self.boxes[i] for i in chosen],
            box_labels=None if self.boxes is None else [self.box_labels[i] for i in chosen],
            masks=None if self.masks is None else self.masks[chosen],
            classes=self.classes,
            names=None if self.names is None else [self.names[i] for i in chosen],
            frames=None if self.frames is None else self.frames[chosen],
        )

    def truth(self) -> list[Mapping[str, np.ndarray]]:
        """Of each scene its `boxes` and `labels`, as predictions are given.

        Raises:
            ValueError: there are no boxes.
        """
        if self.boxes is None:
            raise ValueError("scenes must have boxes; these have masks alone. Use Segmenter, or give boxes.")
        return [
            {"boxes": boxes, "labels": labels}
            for boxes, labels in zip(self.boxes, self.box_labels, strict=True)
        ]

    def fingerprint(self) -> str:
        """A short hash of the images and of what is in them."""
        digest = hashlib.blake2b(super().fingerprint().encode(), digest_size=8)
        digest.update(repr(self.classes).encode())
        for boxes, labels in zip(self.boxes or (), self.box_labels, strict=True):
            digest.update(boxes.tobytes() + labels.tobytes() + b"|")
        if self.masks is not None:
            digest.update(self.masks.tobytes())
        return digest.hexdigest()

    def __repr__(self) -> str:
        size = " x ".join(map(str, self.shape))
        told = [f"{len(self):,} scenes, {size} each", f"{len(self.classes)} classes"]
        if self.boxes is not None:
            told.append(f"{sum(map(len, self.boxes)):,} boxes")
        if self.masks is not None:
            told.append("masks")
        if self.skipped:
            told.append(f"{len(self.skipped):,} left out")
        return f"<Scenes: {'; '.join(told)}>"
