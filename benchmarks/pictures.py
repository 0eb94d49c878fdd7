"""The colour images that are measured on: CIFAR-10 where it is at hand, random ones elsewhere."""

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import UInt8
from torch.nn import functional as F

from replearn import as_samples, load_data
from replearn.data import Samples
from replearn.data.samples import ArraySamples
from replearn.data.splits import stratified_test


def small_photos(cifar10: Path | None, *, number: int) -> tuple[UInt8[np.ndarray, "n 3 32 32"], str]:
    """Colour images of 32 pixels, and what they are."""
    if cifar10 is None or not cifar10.is_file():
        random = np.random.default_rng(0).integers(0, 256, (number, 3, 32, 32), dtype=np.uint8)
        return random, "random images"
    samples = as_samples(cifar10 / "test")
    rows = np.random.default_rng(0).permutation(len(samples))[:number]
    return samples[rows].x.numpy(), "CIFAR-10's test images"


BENCH = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "bench"
CIFAR10 = BENCH / "cifar10.zip"
UNLIKE = ("digits", "cifar10", "emoji", "glyphs", "sprites")  # sets of pictures that have little in common
HELD_OUT = 0.2
FEWEST = 5  # kinds of units that a people of sprites has at least


def digits_or_photos(data: str, cifar10: Path, *, number: int) -> tuple[Samples, Samples]:
    """Training and test part of the digits, or of CIFAR-10: there so many training images, as many of each class."""
    if data == "digits":
        return load_data("digits", split="train"), load_data("digits", split="test")
    train, test = as_samples(cifar10 / "train"), as_samples(cifar10 / "test")
    labels, rng = np.asarray(train.labels), np.random.default_rng(0)
    each = number // len(train.classes)
    chosen = [rng.permutation(np.flatnonzero(labels == c))[:each] for c in range(len(train.classes))]
    return train.subset(np.sort(np.concatenate(chosen))), test


def folder_of_jpegs(
    cifar10: Path | None, folder: Path, *, number: int, side: int = 96
) -> tuple[Samples, str]:
    """Images of `side` pixels from a folder of JPEGs: decoded once into the cache, read from there."""
    from PIL import Image

    images, what = small_photos(cifar10, number=number)
    larger = (
        F.interpolate(torch.from_numpy(images).float(), (side, side), mode="bicubic").round().clamp(0, 255)
    )
    pixels = larger.to(torch.uint8).permute(0, 2, 3, 1).numpy()  # (n, side, side, 3)
    folder.mkdir(parents=True)
    for i, image in enumerate(pixels):
        Image.fromarray(image).save(folder / f"{i:05d}.jpg", quality=90)
    return as_samples(folder), f"{what}, enlarged, as a folder of JPEGs"


def file_of(data: str, bench: Path) -> Path:
    """Where the pictures of one of `UNLIKE` lie; the working folder for those that are built in."""
    files = {"cifar10": bench / "cifar10.zip", "sprites": bench / "wesnoth_anim.npz"}
    return files.get(data, bench.parent / "ship" / "glyphs.npz" if data == "glyphs" else Path())


def unlike(
    data: str, bench: Path, *, number: int, part: Literal["validation", "test"]
) -> tuple[Samples, Samples]:
    """What to learn from and what to judge by, of one of `UNLIKE`.

    Letters and figures of a game are kept apart: no letter, and no kind of unit, is in both parts.

    Args:
        data: its name.
        bench: the folder of the files that are no part of the package.
        number: training images of CIFAR-10.
        part: by which to judge: `test`, or a fifth of what `test` would learn from, to choose settings by.
    """
    units: np.ndarray | None = None
    if data in ("glyphs", "sprites"):
        samples, units = _glyphs(file_of(data, bench)) if data == "glyphs" else _sprites(file_of(data, bench))
        train, test, units = _apart(samples, units)
    elif data == "emoji":
        train, test = load_data("emoji", split="train"), load_data("emoji", split="test")
    else:
        train, test = digits_or_photos(data, file_of("cifar10", bench), number=number)
    return (train, test) if part == "test" else _apart(train, units)[:2]


def _apart(samples: Samples, units: np.ndarray | None) -> tuple[Samples, Samples, np.ndarray | None]:
    """Four fifths and one fifth of each class, units whole, and the units of the larger part."""
    numbered = None if units is None else np.unique(units, return_inverse=True)[1]
    test = stratified_test(np.asarray(samples.labels), test=HELD_OUT, random_state=0, units=numbered)
    rest = np.setdiff1d(np.arange(len(samples)), test)
    return samples.subset(rest), samples.subset(test), None if units is None else units[rest]


def _glyphs(file: Path) -> tuple[Samples, np.ndarray]:
    """Letters in twelve styles, labelled by their script, and the number of each letter."""
    with np.load(file, allow_pickle=False) as arrays:
        images = 255 * np.unpackbits(arrays["packed"], axis=1, count=28 * 28).reshape(-1, 1, 28, 28)
        labels, letters = arrays["script"].astype(np.int64), arrays["label"].astype(np.int64)
        return ArraySamples(images, labels, classes=arrays["script_names"].tolist()), letters


def _sprites(file: Path) -> tuple[Samples, np.ndarray]:
    """Frames of animated figures, labelled by their people, and the number of each kind of unit."""
    with np.load(file, allow_pickle=False) as arrays:
        clips, length, people, unit = (arrays[key] for key in ("clips", "length", "race", "group"))
        names = arrays["race_names"]
    many = [p for p in range(len(names)) if len(np.unique(unit[people == p])) >= FEWEST]
    clip, frame = np.nonzero((np.arange(clips.shape[1]) < length[:, None]) & np.isin(people, many)[:, None])
    images = np.moveaxis(clips[clip, frame], 3, 1)
    labels = np.searchsorted(many, people[clip])
    return ArraySamples(images, labels, classes=[str(names[p]) for p in many]), unit[clip].astype(np.int64)
