"""Clouds of points: each of one number of points, centred, in the unit sphere, with y up.

    points (m, 3) --up--> --k of them, or copies--> --less their mean, over the largest distance--> (3, k)

Points have no order. All axes share one scale, since a cloud that is stretched is another thing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from replearn.data.labels import UNLABELLED
from replearn.data.samples import ArraySamples, Batch
from replearn.data.stored import StoredRows

# What turns clouds whose axis of this name points up, so that y does; rotations, so left and right stay.
TURNS = {
    "x": np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]], dtype=np.float32),
    "y": np.eye(3, dtype=np.float32),
    "z": np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], dtype=np.float32),
}
SMALLEST = 1e-12  # of the largest distance from the centre


class PointSamples(ArraySamples):
    """Clouds of equally many points.

    Args:
        x: float `(n, 3, k)`: x, y (up) and z of each point.
        up: the axis that pointed up in what was read, kept in `details`.
        labels, classes, names, skipped: as in `ArraySamples`.
    """

    def __init__(
        self,
        x: np.ndarray | StoredRows,
        labels: np.ndarray | None = None,
        *,
        up: str = "y",
        classes: Sequence[str] = (),
        names: Sequence[str] | None = None,
        skipped: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(x, labels, classes=classes, names=names, skipped=skipped)
        self.kind = "points"
        self.details = {"up": up}

    def __getitem__(self, index: np.ndarray) -> Batch:
        labels = np.full(len(index), UNLABELLED) if self.labels is None else self.labels[index]
        return Batch(
            x=torch.from_numpy(np.asarray(self.x[index]).astype(np.float32)),
            labels=torch.from_numpy(labels.astype(np.int64)),
            index=torch.from_numpy(np.asarray(index, dtype=np.int64)),
        )

    def channels(self, index: np.ndarray) -> Float[Tensor, "m 3"]:
        """All coordinates in each of three columns, so that statistics are the same for all axes."""
        found: Tensor = self[index].x.flatten()[:, None].expand(-1, 3)
        return found


class Unusable(ValueError):
    """A cloud can't be used; its message is the reason, which follows the cloud's name."""


@dataclass
class Counts:
    """What was done to clouds, to be told."""

    clouds: int = 0
    thinned: int = 0
    repeated: int = 0
    lost: int = 0
    made_up: int = 0
    meshes: int = 0

    def told(self, points: int) -> list[str]:
        """Lines on clouds that had more or fewer points; surfaces have as many as are asked for."""
        lines = []
        if self.thinned:
            lines.append(
                f"{self.thinned:,} of {self.clouds:,} clouds are thinned to {points:,} points, drawn at random "
                f"({self.lost:,} points are left out)"
            )
        if self.repeated:
            lines.append(
                f"{self.repeated:,} of {self.clouds:,} clouds have fewer than {points:,} points, of which some are "
                f"repeated ({self.made_up:,} points are copies)"
            )
        return lines


def cloud_of(
    points: Float[np.ndarray, "m 3"], number: int, up: str, counts: Counts
) -> Float[np.ndarray, "3 k"]:
    """A cloud of so many points, y up, in the unit sphere around their mean.

    Of more points some are drawn; of fewer, each is there and some are repeated. Draws are the same in every run.

    Raises:
        Unusable: there is no point, one that is not finite, or all are the same.

    >>> cloud_of(np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 4.0]]), 2, "z", Counts()).T.tolist()
    [[0.0, -1.0, 0.0], [0.0, 1.0, 0.0]]
    """
    if not len(points):
        raise Unusable("has no points")
    if not np.isfinite(points).all():
        raise Unusable("has points that are not finite")
    counts.clouds += 1
    counts.thinned += len(points) > number
    counts.lost += max(0, len(points) - number)
    counts.repeated += len(points) < number
    counts.made_up += max(0, number - len(points))
    if len(points) != number:
        points = points[drawn(len(points), number)]
    centred = points.astype(np.float64) - points.mean(0, dtype=np.float64)
    largest = float(np.sqrt(np.square(centred).sum(1).max()))
    if largest < SMALLEST:
        counts.clouds -= 1
        raise Unusable("has all its points in one place")
    found: np.ndarray = (TURNS[up] @ (centred / largest).T).astype(np.float32)
    return found


def drawn(there: int, number: int) -> Int[np.ndarray, " number"]:
    """So many of the points that are there, without repeats as far as they go."""
    rng = np.random.default_rng(there)
    rounds = [rng.permutation(there) for _ in range(-(-number // there))]
    return np.concatenate(rounds)[:number]


def on_surface(
    corners: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"], number: int
) -> Float[np.ndarray, "k 3"]:
    """Points of a mesh, spread evenly over the area of its triangles; the same in every run.

    A point of a triangle a, b, c is (1 - √r) a + √r (1 - s) b + √r s c, with r and s uniform.

    Raises:
        Unusable: its triangles have no area.

    Reference: Osada et al., ACM Transactions on Graphics 2002, section 3.2. https://doi.org/10.1145/571647.571648
    """
    triangles = corners[faces].astype(np.float64)  # (f, 3, 3)
    sides = triangles[:, 1:] - triangles[:, :1]
    area = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1)
    total = area.sum()
    if not np.isfinite(total) or total <= 0:
        raise Unusable("has triangles without area, or with corners that are not finite")
    rng = np.random.default_rng(len(faces))
    # One point in each of equal shares of the area, so that a surface is covered evenly.
    shares = (np.arange(number) + rng.random(number)) / number
    of = np.minimum(np.searchsorted(np.cumsum(area) / total, shares), len(faces) - 1)
    root, along = np.sqrt(rng.random(number)), rng.random(number)
    weights = np.stack([1 - root, root * (1 - along), root * along], axis=1)  # (k, 3)
    points: np.ndarray = np.einsum("kc, kcx -> kx", weights, triangles[of])
    return points[rng.permutation(number)]
