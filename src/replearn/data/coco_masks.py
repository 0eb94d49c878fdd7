"""COCO's segmentations: polygons, and runs of pixels, column by column, of ground and object in turn."""

import math
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

SIX_BITS = 48  # the character of 0
MOST_POINTS = 100_000


def mask_of(segmentation: Any, height: int, width: int) -> Bool[np.ndarray, "h w"]:
    """Which pixels a segmentation covers.

    Args:
        segmentation: lists of x, y, x, y, ... or `{"size": [h, w], "counts": ...}` with a list of runs or COCO's text.
        height, width: of the image.

    Raises:
        ValueError: it is neither.

    >>> mask_of({"size": [2, 2], "counts": [1, 2, 1]}, 2, 2).astype(int).tolist()
    [[0, 1], [1, 0]]
    """
    if isinstance(segmentation, dict):
        return _of_runs(segmentation, height, width)
    if isinstance(segmentation, list) and segmentation:
        return _of_polygons(segmentation, height, width)
    raise ValueError("is neither polygons nor runs")


def runs_of(mask: Bool[np.ndarray, "h w"]) -> dict[str, Any]:
    """The runs of a mask, as `mask_of` reads them.

    >>> runs_of(np.array([[False, True], [True, False]]))
    {'size': [2, 2], 'counts': [1, 2, 1]}
    """
    flat = mask.flatten(order="F")
    ends = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff([0, *ends.tolist(), len(flat)]).tolist()
    return {"size": list(mask.shape), "counts": [0, *runs] if len(flat) and flat[0] else runs}


def _of_runs(told: dict[str, Any], height: int, width: int) -> Bool[np.ndarray, "h w"]:
    counts = told.get("counts")
    if told.get("size") != [height, width]:
        raise ValueError(f"is of size {told.get('size')!r:.40}, and the image {[height, width]}")
    runs = _unpacked(counts) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or not all(isinstance(run, int) and run >= 0 for run in runs):
        raise ValueError("has runs that are no lengths")
    if sum(runs) != height * width:
        raise ValueError(f"has runs of {sum(runs)} pixels, and the image has {height * width}")
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return flat.reshape(width, height).T  # (h, w)


def _unpacked(text: str) -> list[int]:
    """Runs of COCO's text: five bits a character, the lowest first; from the fourth on, less the last but one."""
    runs: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - SIX_BITS
        if not 0 <= bits < 64 or shift > 40:
            raise ValueError("has runs in a text that is not COCO's")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift  # negative
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value = shift = 0
    if shift:
        raise ValueError("has runs in a text that ends within a number")
    return runs


def _of_polygons(polygons: list[Any], height: int, width: int) -> Bool[np.ndarray, "h w"]:
    """Pixels whose middle lies within one of the polygons."""
    whole = np.zeros((height, width), bool)
    for points in polygons:
        good = isinstance(points, list) and 6 <= len(points) <= MOST_POINTS and len(points) % 2 == 0
        if not good or not all(isinstance(v, int | float) and math.isfinite(v) for v in points):
            raise ValueError("has a polygon that is no list of x, y, ... of three points or more")
        whole |= _within(np.array(points, np.float64).reshape(-1, 2), height, width)
    return whole


def _within(points: Float[np.ndarray, "k 2"], height: int, width: int) -> Bool[np.ndarray, "h w"]:
    """Right of an odd number of edges."""
    crossed = np.zeros((height, width + 1), np.int64)
    middles = np.arange(height) + 0.5
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        rows = np.flatnonzero((middles >= min(y0, y1)) & (middles < max(y0, y1)))
        if len(rows):
            x = x0 + (middles[rows] - y0) * ((x1 - x0) / (y1 - y0))
            np.add.at(crossed, (rows, np.clip(np.ceil(x - 0.5), 0, width).astype(np.int64)), 1)
    inside: Bool[np.ndarray, "h w"] = crossed.cumsum(1)[:, :width] % 2 == 1
    return inside
