"""`make_scenes`: emoji and drawn signs on textured grounds, with boxes, classes and masks; any number, by seed.

    noise of five scales in two colours -----> ground
    emoji without their white, drawn signs --> pasted one by one --> image, boxes, mask

Scene i depends on (random_state, i) alone: more scenes begin with the same ones.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch.nn import functional as F

from replearn.data.builtin_images import emoji_table
from replearn.data.datasets import load_data
from replearn.data.scene_samples import Scenes

# What of the emoji is of a class: how the subcategory begins.
EMOJI = {
    "face": ("face-", "cat-face", "monkey-face"),
    "animal": ("animal-",),
    "food": ("food-",),
    "vehicle": ("transport-ground", "transport-air", "transport-water"),
}
CLASSES = (*EMOJI, "ring", "cross", "triangle", "star")
SIZES = (64, 96)
SCALES = (2, 4, 8, 16, 32)  # of noise: cells along a side
MOST = 4  # objects in a scene
LEAST_SIDE, LARGEST_SHARE = 14, 0.45  # pixels of an object's side, and share of the scene's
TOUCHING = 0.05  # of the smaller box, which objects may share
WHITE = 248
PART = 256  # scenes whose grounds are made together

Alpha = Float[np.ndarray, "s s"]


def make_scenes(
    n: int,
    *,
    random_state: int = 0,
    size: int = 64,
    classes: Sequence[str] = CLASSES,
    split: Literal["train", "test"] | None = None,
) -> Scenes:
    """Scenes of one to four objects each, which hardly overlap.

    Args:
        n: how many.
        random_state: of all that is drawn.
        size: pixels a side, 64 or 96.
        classes: those of the objects: kinds of emoji (`face`, `animal`, `food`, `vehicle`) and drawn signs (`ring`,
            `cross`, `triangle`, `star`).
        split: take emoji of this part of `load_data("emoji")`, so that no emoji to be found was learned from; None:
            all. Signs are drawn anew each time.

    Raises:
        ValueError: no scenes, another size, or unknown classes.

    >>> scenes = make_scenes(3)
    >>> scenes.shape, scenes.classes[:2], scenes.masks.shape
    ((3, 64, 64), ('face', 'animal'), (3, 64, 64))
    """
    _check(n, size, classes)
    emoji = {name: _cut_out(name, split) for name in classes if name in EMOJI}
    images = np.empty((n, 3, size, size), np.uint8)
    masks = np.zeros((n, size, size), np.uint8)
    boxes, labels = [], []
    for first in range(0, n, PART):
        rngs = [np.random.default_rng([random_state, i]) for i in range(first, min(first + PART, n))]
        images[first : first + PART] = _grounds(rngs, size)
        for i, rng in enumerate(rngs, start=first):
            found, of = _paste(images[i], masks[i], rng, classes, emoji)
            boxes.append(found)
            labels.append(of)
    return Scenes(images, boxes=boxes, box_labels=labels, masks=masks, classes=classes)


def _check(n: int, size: int, classes: Sequence[str]) -> None:
    if n < 1:
        raise ValueError(f"n must be at least 1; got {n}. Ask for more.")
    if size not in SIZES:
        raise ValueError(f"size must be {' or '.join(map(str, SIZES))}, pixels; got {size}.")
    unknown = [name for name in classes if name not in CLASSES]
    if isinstance(classes, str) or not len(classes) or unknown or len(set(classes)) < len(classes):
        raise ValueError(f"classes must be some of {', '.join(CLASSES)}, each once; got {classes!r}.")


def _grounds(rngs: list[np.random.Generator], size: int) -> UInt8[np.ndarray, "n 3 h w"]:
    """Noise between two colours, with more of it on some scales than on others."""
    total = torch.zeros(len(rngs), 1, size, size)
    for cells in SCALES:
        noise = torch.from_numpy(np.stack([rng.normal(size=(1, cells, cells)) for rng in rngs])).float()
        amount = torch.from_numpy(np.stack([rng.exponential(size=(1, 1, 1)) for rng in rngs])).float()
        total += amount * F.interpolate(noise, (size, size), mode="bicubic", align_corners=False)
    ends = torch.from_numpy(np.stack([rng.uniform(0.1, 0.9, size=(2, 3, 1, 1)) for rng in rngs])).float()
    share = torch.sigmoid(total)  # (n, 1, h, w)
    mixed = ends[:, 0] * share + ends[:, 1] * (1 - share)  # (n, 3, h, w)
    return (255 * mixed).round().to(torch.uint8).numpy()


def _paste(
    image: UInt8[np.ndarray, "3 h w"],
    mask: UInt8[np.ndarray, "h w"],
    rng: np.random.Generator,
    classes: Sequence[str],
    emoji: dict[str, UInt8[np.ndarray, "_ 4 _ _"]],
) -> tuple[Float[np.ndarray, "k 4"], list[int]]:
    """Paste objects, in place; their boxes and classes."""
    size = image.shape[1]
    boxes, labels = np.empty((0, 4), np.float32), []
    for _ in range(rng.integers(1, MOST + 1)):
        label = int(rng.integers(len(classes)))
        side = int(rng.integers(LEAST_SIDE, int(LARGEST_SHARE * size) + 1))
        name = classes[label]
        colours, alpha = _emoji(emoji[name], side, rng) if name in EMOJI else _sign(name, side, rng)
        rows, columns = (np.flatnonzero((alpha > 0.5).any(axis)) for axis in (1, 0))
        for _ in range(20):  # places, of which one is free
            top, left = rng.integers(0, size - side + 1, size=2)
            box = np.array(
                [left + columns[0], top + rows[0], left + columns[-1] + 1, top + rows[-1] + 1], np.float32
            )
            if _is_free(box, boxes):
                there = np.s_[top : top + side, left : left + side]
                under = image[(slice(None), *there)]
                image[(slice(None), *there)] = np.rint(colours * alpha + under * (1 - alpha)).astype(np.uint8)
                mask[there][alpha > 0.5] = 1 + label
                boxes = np.concatenate([boxes, box[None]])
                labels.append(label)
                break
    return boxes, labels


def _is_free(box: Float[np.ndarray, "4"], others: Float[np.ndarray, "k 4"]) -> bool:
    shared = np.minimum(others[:, 2:], box[2:]) - np.maximum(others[:, :2], box[:2])  # (k, 2)
    common = np.clip(shared, 0, None).prod(1)
    smaller = np.minimum((others[:, 2:] - others[:, :2]).prod(1), (box[2:] - box[:2]).prod())
    return bool((common <= TOUCHING * smaller).all())


@cache
def _cut_out(name: str, split: str | None) -> UInt8[np.ndarray, "k 4 c c"]:
    """The emoji of a class, with how much of each pixel is seen as a fourth channel."""
    from scipy.ndimage import label

    samples = load_data("emoji", split=split)  # type: ignore[arg-type]
    assert samples.names is not None
    kinds = {row["name"]: row["subcategory"] for row in emoji_table()}
    chosen = [i for i, of in enumerate(samples.names) if kinds[of].startswith(EMOJI[name])]
    images = samples[np.array(chosen)].x.numpy()
    alpha = np.empty((len(images), 1, *images.shape[2:]), np.uint8)
    for image, seen in zip(images, alpha, strict=True):
        parts, _ = label(np.pad((image >= WHITE).all(0), 1, constant_values=True))
        seen[0] = 255 * (parts[1:-1, 1:-1] != parts[0, 0])  # what the white around it does not reach
    whole = np.concatenate([images, alpha], axis=1)  # (k, 4, c, c)
    left: UInt8[np.ndarray, "k 4 c c"] = whole[
        alpha.mean((1, 2, 3)) > 255 / 8
    ]  # not those that are lines alone
    return left


def _emoji(
    known: UInt8[np.ndarray, "k 4 c c"], side: int, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "3 s s"], Alpha]:
    """One of the emoji at this size, tilted a little or mirrored."""
    from PIL import Image

    sprite = known[rng.integers(len(known))]
    sprite = sprite[:, :, ::-1] if rng.random() < 0.5 else sprite
    picture = Image.fromarray(np.ascontiguousarray(sprite.transpose(1, 2, 0)), "RGBA")
    tilted = picture.rotate(rng.uniform(-15, 15), Image.Resampling.BILINEAR)
    pixels = np.asarray(tilted.resize((side, side), Image.Resampling.BILINEAR), np.float32)
    return pixels[:, :, :3].transpose(2, 0, 1), pixels[:, :, 3] / 255


Sign = Callable[[Float[np.ndarray, "s s"], Float[np.ndarray, "s s"]], Bool[np.ndarray, "s s"]]
SIGNS: dict[str, Sign] = {  # of x and y in [-1, 1]
    "ring": lambda x, y: np.abs(np.hypot(x, y) - 0.68) < 0.24,
    "cross": lambda x, y: (np.minimum(np.abs(x), np.abs(y)) < 0.2) & (np.maximum(np.abs(x), np.abs(y)) < 0.9),
    "triangle": lambda x, y: (y < 0.5) & (y > 2 * np.abs(x) * 0.87 - 0.95),
    "star": lambda x, y: np.hypot(x, y) < 0.62 + 0.3 * np.cos(5 * np.arctan2(y, x)),
}


def _sign(name: str, side: int, rng: np.random.Generator) -> tuple[Float[np.ndarray, "3 s s"], Alpha]:
    """A drawn sign of one colour, turned; each pixel is the mean of nine."""
    angle, colour = rng.uniform(0, 2 * np.pi), rng.uniform(0, 255, size=3)
    line = (np.arange(3 * side) + 0.5) / (3 * side) * 2 - 1
    x, y = np.meshgrid(line, line)
    inside = SIGNS[name](np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x)
    alpha = inside.reshape(side, 3, side, 3).mean((1, 3))  # (s, s)
    return np.broadcast_to(colour[:, None, None], (3, side, side)), alpha
