"""Colours for images that have none, and which methods ask for them."""

from typing import Any

import numpy as np


def needs_colour(cls: type[Any]) -> bool:
    """Whether a method learns from images of three channels alone."""
    return getattr(cls, "split", "") == "grey_of"


def in_colour(x: np.ndarray) -> np.ndarray:
    """Grey images `(n, 1, h, w)` in three channels that differ."""
    return np.concatenate([x, 255 - x[::-1], x[:, :, ::-1]], axis=1)
