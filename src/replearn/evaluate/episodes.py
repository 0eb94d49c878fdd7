"""Few-shot classification: how well some samples of new classes tell these apart, by the nearest centroid."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from replearn.engine.episodes import Episodes
from replearn.evaluate.checks import Array, check_features, check_labels, class_numbers, is_labelled
from replearn.evaluate.intervals import student_interval

METRICS = ("euclidean", "cosine")


@dataclass(frozen=True)
class EpisodeScore:
    """What `episodes` found.

    Attributes:
        accuracy: mean over the episodes; chance is 1 / way.
        low, high: its 95 % interval, of the draws of episodes (`student_interval`): other classes may be harder.
        way, shots, queries, n: what was asked for.
        classes: from which episodes were drawn.
        left_out: classes that have too few samples.
    """

    accuracy: float
    low: float
    high: float
    way: int
    shots: int
    queries: int
    n: int
    classes: int
    left_out: int


def episodes(
    rows: Array,
    labels: Array,
    *,
    way: int = 5,
    shots: int = 1,
    queries: int = 15,
    n: int = 600,
    metric: str = "euclidean",
    random_state: int = 0,
) -> EpisodeScore:
    r"""Accuracy of the nearest centroid in tasks of a few samples of a few classes.

    In each of `n` episodes `way` classes are drawn, `shots + queries` samples of each. Query q is given the class whose
    centroid, the mean of its shots, is nearest:

    $$\hat c(q) = \arg\min_c \big\| q - \tfrac1k \textstyle\sum_{i \in S_c} x_i \big\|^2$$

    with `metric="cosine"` the largest cosine, after the mean of all rows was taken off each and each was brought to
    length 1. Nothing is trained. The same seed draws the same episodes whatever the rows, so that representations are
    compared on the same tasks.

    Args:
        rows: representations `(n, d)`.
        labels: classes `(n,)`; rows labelled -1 are left out. Classes should be new: those that a method was trained to
            tell apart say little.
        way: classes of an episode.
        shots, queries: samples of each class that are shown and asked for; classes with fewer than both are left out.
        n: number of episodes.
        metric: `euclidean` or `cosine`.
        random_state: seed of the draws.

    Raises:
        ValueError: a number is below 1 (way: below 2), the metric is unknown, or too few classes have enough samples.

    >>> rows = np.eye(3).repeat(4, axis=0)
    >>> episodes(rows, np.arange(3).repeat(4), way=3, shots=2, queries=2, n=10).accuracy
    1.0

    References:
        Snell, Swersky & Zemel, NeurIPS 2017, section 2. https://arxiv.org/abs/1703.05175
        Wang et al., "SimpleShot", 2019, section 3 (centred and of length 1). https://arxiv.org/abs/1911.04623
    """
    rows = check_features(rows, "rows")
    labels = check_labels(labels, len(rows))
    for name, value, least in (("way", way, 2), ("shots", shots, 1), ("queries", queries, 1), ("n", n, 1)):
        if value < least:
            raise ValueError(f"{name} must be at least {least}; got {value}. Leave it out for the default.")
    if metric not in METRICS:
        raise ValueError(f"metric must be one of {', '.join(METRICS)}; got {metric!r}.")
    known = is_labelled(labels)
    classes = np.unique(labels[known])
    numbers = np.full(len(labels), -1)
    numbers[known] = class_numbers(labels[known], classes)
    drawn = Episodes(numbers, way, shots + queries, n, random_state)
    if len(drawn.members) < way:
        raise ValueError(
            f"{way} classes must have at least {shots} + {queries} labelled samples, shots and queries; "
            f"{len(drawn.members)} of {len(classes)} have. Draw fewer."
        )
    if metric == "cosine":
        rows = unit(rows - rows[known].mean(axis=0, dtype=np.float64))
    positions = drawn(epoch=0).reshape(n, shots + queries, way)
    found = [_accuracy(rows[episode].astype(np.float64), shots, metric) for episode in positions]
    mean = float(np.mean(found))
    low, high = student_interval(found) if n > 1 else (np.nan, np.nan)
    return EpisodeScore(
        mean, low, high, way, shots, queries, n, classes=len(drawn.members), left_out=drawn.left_out
    )


def _accuracy(episode: npt.NDArray[np.float64], shots: int, metric: str) -> float:
    """The share of an episode's queries, `(shots + queries, way, d)`, that are nearest to their own class."""
    centroids, queries = episode[:shots].mean(axis=0), episode[shots:]  # (way, d), (queries, way, d)
    if metric == "cosine":
        nearness = queries @ unit(centroids).T
    else:
        nearness = 2 * queries @ centroids.T - np.square(centroids).sum(
            axis=1
        )  # what tells classes apart of -|q - c|^2
    right: npt.NDArray[np.bool_] = nearness.argmax(axis=2) == np.arange(episode.shape[1])  # (queries, way)
    return float(right.mean())


def unit(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Rows of length 1; one of zeros stays."""
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.where(length > 0, length, 1))
