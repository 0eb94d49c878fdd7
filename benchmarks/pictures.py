"""The colour images that are measured on: CIFAR-10 where it is at hand, random ones elsewhere."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch.nn import functional as F

from replearn import as_samples, load_data
from replearn.data import Samples


def small_photos(cifar10: Path | None, *, number: int) -> tuple[UInt8[np.ndarray, "n 3 32 32"], str]:
    """Colour images of 32 pixels, and what they are."""
    if cifar10 is None or not cifar10.is_file():
        random = np.random.default_rng(0).integers(0, 256, (number, 3, 32, 32), dtype=np.uint8)
        return random, "random images"
    samples = as_samples(cifar10 / "test")
    rows = np.random.default_rng(0).permutation(len(samples))[:number]
    return samples[rows].x.numpy(), "CIFAR-10's test images"


CIFAR10 = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "bench" / "cifar10.zip"


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
