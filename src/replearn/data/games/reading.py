"""What is read of a record of one game, or why it is left out; and the package that reads it."""

from dataclasses import dataclass
from types import ModuleType

import numpy as np
from jaxtyping import Float, Int, UInt8

from replearn.data.needed import needed


@dataclass(frozen=True)
class Game:
    """The positions of a game in which a move was made.

    Attributes:
        side: squares along a side of the board.
        packed: their planes, as `BoardSamples` keeps them.
        results: 0 loss, 1 draw, 2 win for who is to move, -1 unknown.
        material: what the own pieces are worth more than those of the other.
        moves: the move that was made, as one number or several.
    """

    side: int
    packed: UInt8[np.ndarray, "m c side b"]
    results: Int[np.ndarray, " m"]
    material: Float[np.ndarray, " m"]
    moves: Int[np.ndarray, "m k"]


@dataclass(frozen=True)
class Refused:
    """Why a game is left out, as a clause that follows its name."""

    reason: str


def results_for(winner: int | None, moving: Int[np.ndarray, " m"]) -> Int[np.ndarray, " m"]:
    """The result for who is to move.

    Args:
        winner: 0 for the side that begins, 1 for the other, -1 for neither; None if it is unknown.
        moving: 0 or 1, who is to move.
    """
    if winner is None:
        return np.full(len(moving), -1)
    return np.full(len(moving), 1) if winner < 0 else np.where(moving == winner, 2, 0)


def package(name: str) -> ModuleType:
    """A package that reads records of games.

    Raises:
        ValueError: it is not installed.
    """
    found: ModuleType = needed(name, "records of games need")
    return found
