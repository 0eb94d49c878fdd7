"""Built-in sets of what fills space: furniture as clouds of points, digits as volumes."""

from functools import cache
from importlib.resources import files

import numpy as np

from replearn.data.digits3d import digits_in_space
from replearn.data.points import PointSamples
from replearn.data.splits import stratified_test
from replearn.data.volumes import VolumeSamples

FOLDER = files("replearn.data") / "builtin"
TRAIN, TEST = 2000, 500  # digits of either part of the built-in ones: no digit is in both parts
FIRST_TEST = 8000


def furniture() -> tuple[PointSamples, np.ndarray]:
    """Clouds by the kind of thing; those of no kind that is named are unlabelled, and all of them for training."""
    with (FOLDER / "furniture.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        clouds, labels = arrays["points"].transpose(0, 2, 1), arrays["kind"].astype(np.int64)
        classes, names = arrays["kind_names"].tolist(), arrays["name"].tolist()
    samples = PointSamples(np.ascontiguousarray(clouds), labels, classes=classes, names=names)
    known = np.flatnonzero(labels >= 0)
    return samples, known[stratified_test(labels[known], test=0.2, random_state=0)]


def digits3d() -> tuple[VolumeSamples, np.ndarray]:
    """Digits in space."""
    volumes, labels = _digit_volumes()
    classes = [str(digit) for digit in range(10)]
    return VolumeSamples(volumes, labels, classes=classes), np.arange(TRAIN, TRAIN + TEST)


@cache
def _digit_volumes() -> tuple[np.ndarray, np.ndarray]:
    """Made once in a process."""
    chosen = np.concatenate([np.arange(TRAIN), FIRST_TEST + np.arange(TEST)])
    with (FOLDER / "digits.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return digits_in_space(arrays["images"][chosen]), arrays["labels"][chosen].astype(np.int64)
