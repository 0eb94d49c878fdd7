"""Some of many names or texts."""

from collections.abc import Sequence
from typing import overload

import numpy as np


class Chosen(Sequence[str]):
    """Some of a sequence of names or texts, looked up when asked for: those of a large set lie on disk."""

    def __init__(self, names: Sequence[str], positions: np.ndarray) -> None:
        self.names = names
        self.positions = positions

    def __len__(self) -> int:
        return len(self.positions)

    @overload
    def __getitem__(self, position: int) -> str: ...
    @overload
    def __getitem__(self, position: slice) -> list[str]: ...
    def __getitem__(self, position: int | slice) -> str | list[str]:
        if isinstance(position, slice):
            return [self.names[i] for i in self.positions[position].tolist()]
        return self.names[int(self.positions[position])]


def chosen_of(whole: Sequence[str], index: np.ndarray) -> Chosen:
    """Some of `whole`; of a choice, a choice from what it chose from."""
    if isinstance(whole, Chosen):
        return Chosen(whole.names, whole.positions[index])
    return Chosen(whole, index)
