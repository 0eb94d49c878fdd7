"""Positions of board games: symmetries of the game, and squares that are not seen."""

from collections.abc import Mapping
from typing import ClassVar

from replearn.data.games import PLANES
from replearn.data.samples import Samples
from replearn.views.base import Split, View
from replearn.views.boards import MirrorBoard, SquareSymmetry
from replearn.views.compose import Chain, MultiCrop, Pair, Same
from replearn.views.kinds.base import Like, Maker, Views
from replearn.views.noise import Masking

_CHESS = PLANES["chess"].index
# Ranks are turned for who plays black, files are not: kingside is on the right of every board.
WINGS = tuple(
    (_CHESS(f"{who} castling kingside"), _CHESS(f"{who} castling queenside")) for who in ("own", "other")
)
SYMMETRIES: dict[str, View] = {"chess": MirrorBoard(WINGS), "go": SquareSymmetry()}
HIDDEN = 0.15  # of the squares, a first guess


def symmetry(samples: Like) -> View:
    """What changes nothing that matters in the game of these samples; of a game that isn't known, nothing does."""
    return SYMMETRIES.get(str(samples.details.get("game")), Same())


def board_views(samples: Samples) -> View:
    """A symmetry of the game, and some squares that are not seen: symmetries alone are too easily told."""
    return Chain(symmetry(samples), Masking(HIDDEN))


class BoardViews(Views):
    """Positions `(c, side, side)`. Nothing is cropped, moved or scaled, since a square is a square."""

    presets: ClassVar[Mapping[str, Maker]] = {"board": board_views}
    splits: ClassVar[tuple[str, ...]] = (*Views.splits, "cut", "corrupted")

    def other(self, preset: str) -> str:
        return preset

    def cut(self, samples: Like, view: View, preset: str) -> Split:
        """The whole board, as a symmetry of the game shows it."""
        return MultiCrop(symmetry(samples), symmetry(samples), n_small=0, n_large=1)

    def corrupted(self, samples: Like, view: View, preset: str) -> Split:
        """The position without a quarter of its squares, and the position."""
        return Pair(Masking(0.25), Same())
