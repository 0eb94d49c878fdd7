"""How well boxes were found: average precision, as COCO counts it.

per image and class: boxes from the surest on take the free true box that they overlap most, if enough
per class: precision and recall down the list of all images' boxes --> 101 recalls --> AP --> mean over classes
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

COCO = tuple(round(0.5 + 0.05 * i, 2) for i in range(10))  # of overlap, from which a box counts as found
RECALLS = np.linspace(0, 1, 101)
MOST = 100  # boxes of a class in an image that count
Said = Mapping[str, Any]


def average_precision(
    found: Sequence[Said], truth: Sequence[Said], *, thresholds: Sequence[float] = COCO
) -> dict[int, Float[np.ndarray, " t"]]:
    """Average precision of each class that truth holds, at each threshold of overlap.

        AP = 1/101 · sum over r in {0, .01, ..., 1} of max { precision at recall r' : r' >= r }

    Args:
        found: of each image `boxes` `(k, 4)` (left, top, right, bottom), `labels` `(k,)` and `scores` `(k,)`.
        truth: of each image `boxes` and `labels`.
        thresholds: overlaps (intersection over union) from which a box counts as found.

    Raises:
        ValueError: they are of unlike many images, or truth holds no box.

    References: Lin et al., ECCV 2014; Everingham et al., IJCV 2010, section 4.2. https://arxiv.org/abs/1405.0312

    >>> box = {"boxes": np.array([[0, 0, 2, 2]]), "labels": np.array([7])}
    >>> average_precision([box | {"scores": np.array([0.9])}], [box], thresholds=[0.5])
    {7: array([1.])}
    """
    classes = _classes_in(found, truth)
    every, matched = np.arange(len(found)), _matched(found, truth, classes, thresholds)
    return {label: _precision(rows, every) for label, rows in matched.items()}


def detection_scores(found: Sequence[Said], truth: Sequence[Said]) -> dict[str, float]:
    """`ap` (COCO's: the mean over overlaps .5, .55, ..., .95), `ap50` and `ap75`, means over the classes in truth.

    Raises:
        ValueError: see `average_precision`.
    """
    return detection_by_index(found, truth)(np.arange(len(found)))


def detection_by_index(
    found: Sequence[Said], truth: Sequence[Said]
) -> Callable[[Int[np.ndarray, " n"]], dict[str, float]]:
    """`detection_scores` of the images at some positions, boxes being matched once; NaN where these hold none.

    Raises:
        ValueError: see `average_precision`.
    """
    matched = _matched(found, truth, _classes_in(found, truth), COCO)

    def scores(index: Int[np.ndarray, " n"]) -> dict[str, float]:
        there = [rows for rows in matched.values() if any(rows[i].number for i in index)]
        if not there:
            return dict.fromkeys(("ap", "ap50", "ap75"), float("nan"))
        table = np.stack([_precision(rows, index) for rows in there])  # (c, t)
        at = {threshold: float(table[:, i].mean()) for i, threshold in enumerate(COCO)}
        return {"ap": float(table.mean()), "ap50": at[0.5], "ap75": at[0.75]}

    return scores


def overlaps(boxes: Float[np.ndarray, "k 4"], others: Float[np.ndarray, "g 4"]) -> Float[np.ndarray, "k g"]:
    """Intersection over union of each two boxes; 0 where both are empty.

    >>> overlaps(np.array([[0, 0, 2, 2.0]]), np.array([[1, 0, 3, 2.0], [4, 4, 5, 5]])).round(3)
    array([[0.333, 0.   ]])
    """
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(2)  # (k, g)
    areas, other_areas = ((of[:, 2:] - of[:, :2]).prod(1) for of in (boxes, others))
    union = areas[:, None] + other_areas[None] - common
    shares: Float[np.ndarray, "k g"] = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return shares


@dataclass(frozen=True, eq=False)
class _Row:
    """The boxes of a class in an image: which of those that were found are right, how sure, and how many there are."""

    right: Bool[np.ndarray, "t k"]
    scores: Float[np.ndarray, " k"]
    number: int


def _classes_in(found: Sequence[Said], truth: Sequence[Said]) -> list[int]:
    if len(found) != len(truth):
        raise ValueError(f"found and truth must be of the same images; got {len(found)} and {len(truth)}.")
    classes = sorted({int(label) for of in truth for label in of["labels"]})
    if not classes:
        raise ValueError("truth must hold at least one box; got none. Score scenes with something in them.")
    return classes


def _matched(
    found: Sequence[Said], truth: Sequence[Said], classes: Sequence[int], thresholds: Sequence[float]
) -> dict[int, list[_Row]]:
    """Of each class a row per image."""
    least = np.asarray(thresholds, np.float64)
    return {
        label: [_row(said, true, label, least) for said, true in zip(found, truth, strict=True)]
        for label in classes
    }


def _row(said: Said, true: Said, label: int, thresholds: Float[np.ndarray, " t"]) -> _Row:
    own, goals = (np.asarray(of["labels"]) == label for of in (said, true))
    scores = np.asarray(said["scores"], np.float64)[own]
    order = np.argsort(-scores, kind="stable")[:MOST]
    boxes = np.asarray(said["boxes"], np.float64).reshape(-1, 4)[own][order]
    wanted = np.asarray(true["boxes"], np.float64).reshape(-1, 4)[goals]
    return _Row(_taken(overlaps(boxes, wanted), thresholds), scores[order], len(wanted))


def _precision(rows: Sequence[_Row], index: Int[np.ndarray, " n"]) -> Float[np.ndarray, " t"]:
    chosen = [rows[i] for i in index]
    order = np.argsort(-np.concatenate([row.scores for row in chosen]), kind="stable")
    right = np.concatenate([row.right for row in chosen], axis=1)[:, order]
    return _under_curve(right, sum(row.number for row in chosen))


def _taken(shared: Float[np.ndarray, "k g"], thresholds: Float[np.ndarray, " t"]) -> Bool[np.ndarray, "t k"]:
    """Which boxes take a true one, from the surest on."""
    free = np.ones((len(thresholds), shared.shape[1]), bool)
    right = np.zeros((len(thresholds), len(shared)), bool)
    if not shared.shape[1]:
        return right
    every = np.arange(len(thresholds))
    for i, row in enumerate(shared):
        offered = np.where(free, row, -1.0)  # (t, g)
        # Of equal overlaps COCO takes the last.
        best = shared.shape[1] - 1 - offered[:, ::-1].argmax(1)
        right[:, i] = offered[every, best] >= np.minimum(thresholds, 1 - 1e-10)
        free[every[right[:, i]], best[right[:, i]]] = False
    return right


def _under_curve(right: Bool[np.ndarray, "t k"], number: int) -> Float[np.ndarray, " t"]:
    hits = right.cumsum(1)
    recall = hits / number
    precision = hits / np.arange(1, right.shape[1] + 1)
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]  # from here on
    found = np.zeros(len(right))
    for i, (at, row) in enumerate(zip(recall, best, strict=True)):
        places = np.searchsorted(at, RECALLS, side="left")
        found[i] = row[places[places < len(row)]].sum() / len(RECALLS)
    return found
