"""Episodes: little tasks of a few samples of a few classes, by which methods learn to learn.

    labels --> `way` classes, `each` samples of each --> positions: the first of each class, the second of each, ...

As every order (see `replearn.engine.orders`) it is a function of (random_state, epoch).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from jaxtyping import Int

from replearn.data.labels import UNLABELLED


@dataclass(frozen=True, eq=False)
class Episodes:
    """Episode after episode, `way * each` positions one; classes and their samples are drawn without replacement.

    Within an episode positions are `(each, way)`: a row of it has one sample of each class, so that any run of rows has
    (nearly) as many of each.

    Attributes:
        labels: class of each sample, -1 where unknown.
        way: classes of an episode.
        each: samples of each of them.
        per_epoch: episodes of an epoch.
        random_state: of the draws.

    Raises:
        ValueError: when called, if fewer classes than `way` have `each` labelled samples.

    >>> labels = np.array([0, 0, 1, 1, 2, 2, -1, 3])
    >>> episodes = Episodes(labels, way=2, each=2, per_epoch=5)
    >>> drawn = labels[episodes(epoch=0)].reshape(5, 2, 2)  # (episodes, each, way)
    >>> bool((drawn[:, 0] == drawn[:, 1]).all() and (drawn[:, 0, 0] != drawn[:, 0, 1]).all() and drawn.max() <= 2)
    True
    """

    labels: Int[np.ndarray, " n"]
    way: int
    each: int
    per_epoch: int = 1
    random_state: int = 0

    @cached_property
    def members(self) -> list[npt.NDArray[np.int64]]:
        """The positions of each class that has enough samples."""
        order = np.argsort(self.labels, kind="stable")
        _, counts = np.unique(self.labels, return_counts=True)
        found = np.split(order, counts.cumsum()[:-1])
        return [rows for rows in found if len(rows) >= self.each and self.labels[rows[0]] != UNLABELLED]

    @property
    def left_out(self) -> int:
        """How many classes have too few samples."""
        classes = set(self.labels.tolist()) - {UNLABELLED}
        return len(classes) - len(self.members)

    def __call__(self, epoch: int) -> Int[np.ndarray, " n"]:
        if len(self.members) < self.way:
            raise ValueError(
                f"{self.way} classes must have at least {self.each} labelled samples; {len(self.members)} have. "
                "Draw fewer classes, or fewer samples of each."
            )
        rng = np.random.default_rng([self.random_state, epoch])
        sizes = np.array([len(rows) for rows in self.members])
        classes = different(rng, np.full(self.per_epoch, len(sizes)), self.way)  # (e, way)
        places = different(rng, sizes[classes], self.each)  # (e, way, each)
        starts = (sizes.cumsum() - sizes)[classes]  # (e, way)
        positions: npt.NDArray[np.int64] = np.concatenate(self.members)[starts[..., None] + places]
        return positions.swapaxes(1, 2).reshape(-1)  # (e * each * way,)

    def told(self, batch_size: int) -> str:
        """Nothing: a method says which classes have too few samples."""
        return ""


def different(rng: np.random.Generator, below: Int[np.ndarray, "*n"], k: int) -> Int[np.ndarray, "*n k"]:
    """For each number `k` different ones below it, all sets and orders alike likely.

    References: Bentley & Floyd, "A sample of brilliance", CACM 1987. https://doi.org/10.1145/30401.315746

    >>> sorted(different(np.random.default_rng(0), np.array([3]), k=3)[0].tolist())
    [0, 1, 2]
    """
    found = np.empty((*below.shape, k), dtype=np.int64)
    for j in range(k):
        last = below - k + j
        drawn = rng.integers(0, last + 1)
        there = (found[..., :j] == drawn[..., None]).any(-1)
        found[..., j] = np.where(there, last, drawn)
    return rng.permuted(found, axis=-1)
