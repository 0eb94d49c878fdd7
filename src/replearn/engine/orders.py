"""In which order a training goes through its samples: positions for an epoch, of which every `batch_size` are a batch.

An order is a function of (random_state, epoch), so a run that goes on, and one on more processes, goes through the
samples as an unbroken one on one process does. Processes take consecutive rows of a batch, so what an order mixes it
spreads evenly over the batch.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int


@runtime_checkable
class Order(Protocol):
    """Positions of samples for an epoch: at least as many as its batches hold."""

    def __call__(self, epoch: int) -> Int[np.ndarray, " n"]: ...

    def told(self, batch_size: int) -> str:
        """What is left out of an epoch, or repeated in it, as a clause with its numbers; or nothing."""
        ...


@dataclass(frozen=True, eq=False)
class Shuffled:
    """All samples once an epoch, shuffled.

    >>> sorted(Shuffled(4)(epoch=0).tolist())
    [0, 1, 2, 3]
    """

    n: int
    random_state: int = 0

    def __call__(self, epoch: int) -> Int[np.ndarray, " n"]:
        return np.random.default_rng([self.random_state, epoch]).permutation(self.n)

    def told(self, batch_size: int) -> str:
        left = self.n % batch_size
        return f"each epoch leaves out {left:,} of {self.n:,} samples, drawn anew" if left else ""


@dataclass(frozen=True, eq=False)
class Moved(Shuffled):
    """All windows of a row of tokens once an epoch, shuffled, and moved by another number of tokens in each epoch.

    So a window's first tokens, of which little can be told, are others each time.

    Attributes:
        moves: by how many tokens windows may be moved, 0 among them.

    >>> order = Moved(4, moves=3)(epoch=0)
    >>> sorted((order % 4).tolist()), order.max() < 12
    ([0, 1, 2, 3], np.True_)
    """

    moves: int = 1

    def __call__(self, epoch: int) -> Int[np.ndarray, " n"]:
        draw = np.random.default_rng([self.random_state, epoch])
        return draw.permutation(self.n) + self.n * draw.integers(self.moves)


@dataclass(frozen=True, eq=False)
class Mixed:
    """Two groups of samples in every batch, each gone through again and again, shuffled anew each time.

    Attributes:
        few, others: positions of the samples of both groups, with a label and without; `others` may be empty.
        batch_size: rows of a batch.
        few_in_batch: how many of them are of `few`.
        per_epoch: batches of an epoch.
        random_state: of the shuffling.

    >>> mixed = Mixed(np.array([0, 1]), np.arange(2, 8), batch_size=4, few_in_batch=1, per_epoch=2)
    >>> (mixed(epoch=0).reshape(2, 4) < 2).sum(1).tolist()
    [1, 1]
    """

    few: Int[np.ndarray, " f"]
    others: Int[np.ndarray, " o"]
    batch_size: int
    few_in_batch: int
    per_epoch: int
    random_state: int = 0

    def __call__(self, epoch: int) -> Int[np.ndarray, " n"]:
        batch = np.arange(self.batch_size + 1) * self.few_in_batch // self.batch_size
        of_few = np.tile(np.diff(batch).astype(bool), self.per_epoch)
        order = np.empty(len(of_few), dtype=np.int64)
        for group, rows in enumerate((self.others, self.few)):
            there = of_few == group
            count = int(there.sum())
            order[there] = again_and_again(rows, epoch * count, count, [self.random_state, group])
        return order

    def told(self, batch_size: int) -> str:
        times = self.few_in_batch * self.per_epoch / len(self.few)
        return (
            f"{self.few_in_batch:,} of each batch are labelled: each of {len(self.few):,} labelled samples is seen "
            f"{times:.3g} times an epoch"
        )


def again_and_again(
    rows: Int[np.ndarray, " n"], first: int, count: int, seed: list[int]
) -> Int[np.ndarray, " m"]:
    """Places `first` up to `first + count` of a sequence without end: all rows, shuffled, then shuffled anew, ...

    >>> again_and_again(np.array([7]), first=5, count=2, seed=[0])
    array([7, 7])
    """
    if not count:
        return rows[:0]
    rounds = range(first // len(rows), (first + count - 1) // len(rows) + 1)
    found = np.concatenate([np.random.default_rng([*seed, each]).permutation(rows) for each in rounds])
    start = first - rounds.start * len(rows)
    return found[start : start + count]
