"""Rows of unequal length in one array, filled up when asked for."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Ragged:
    """Rows of unequal length.

    Attributes:
        values: all rows one after the other.
        ends: where each row ends.
        fill: what rows are filled up with.

    >>> rows = ragged([np.array([1, 2]), np.array([3])], fill=-1)
    >>> rows[np.array([1, 0])]
    tensor([[ 3, -1],
            [ 1,  2]])
    """

    values: np.ndarray
    ends: Int[np.ndarray, " n"]
    fill: int | float | bool = 0

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def lengths(self) -> Int[np.ndarray, " n"]:
        """How long each row is."""
        return np.diff(self.ends, prepend=0)

    def row(self, position: int) -> np.ndarray:
        """One row, not filled up."""
        return self.values[self.ends[position] - self.lengths[position] : self.ends[position]]

    def __getitem__(self, index: np.ndarray) -> Tensor:
        """Rows filled up to the longest of them, `(n, t, ...)`."""
        inside, places = self._places(index)
        found = self.values[np.where(inside, places, 0)]  # (n, t, ...)
        found[~inside] = self.fill
        return torch.from_numpy(found)

    def mask(self, index: np.ndarray) -> Bool[Tensor, "n t"]:
        """False where a row has ended."""
        return torch.from_numpy(self._places(index)[0])

    def _places(self, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        lengths = self.lengths[index]
        steps = np.arange(max(1, lengths.max(initial=0)))
        return steps < lengths[:, None], (self.ends[index] - lengths)[:, None] + steps  # (n, t)


def ragged(rows: Sequence[np.ndarray], *, fill: int | float | bool = 0) -> Ragged:
    """Rows put one after the other."""
    return Ragged(np.concatenate(rows), np.cumsum([len(row) for row in rows]), fill)
