"""Samples that are positions of games, kept as bits and seen as planes.

    a position, as who is to move sees it --a bit a square and plane--> packed --when asked for--> (c, side, side)

Who is to move always plays up the board with the pieces of the first planes, so a position and the same one with
colours exchanged are one sample.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8

from replearn.data.labels import UNLABELLED
from replearn.data.samples import Batch, Samples
from replearn.data.targets import Targets

RESULTS = ("loss", "draw", "win")  # for who is to move
PIECES = ("pawn", "knight", "bishop", "rook", "queen", "king")
PLANES = {
    "chess": (
        *(f"own {piece}" for piece in PIECES),
        *(f"other {piece}" for piece in PIECES),
        *(f"{who} castling {wing}" for who in ("own", "other") for wing in ("kingside", "queenside")),
        "en passant",
    ),
    "go": ("own", "other", "ko", "white to move"),
}


class BoardSamples(Samples):
    """Positions of one game on boards of one size.

    Args:
        packed: 0 or 1 for each square of each plane, eight columns of a row in a byte, the first column the lowest bit
            (`np.packbits(..., axis=-1, bitorder="little")`).
        game: `chess` or `go`, which says what planes mean.
        side: squares along a side of the board.
        results: positions among `RESULTS`, -1 where unknown.
        groups: the game that each position is of.
        names: a name per position.
        targets: what else is known of them.
        skipped: name and reason of each game that was left out.
        read: how positions were taken of games, kept in `details`.
    """

    kind = "board"
    classes = RESULTS

    def __init__(
        self,
        packed: UInt8[np.ndarray, "n c side b"],
        *,
        game: str,
        side: int,
        results: np.ndarray,
        groups: np.ndarray,
        names: Sequence[str],
        targets: Targets,
        skipped: Sequence[tuple[str, str]] = (),
        read: dict[str, Any] | None = None,
    ) -> None:
        self.packed = packed
        self.shape = (len(PLANES[game]), side, side)
        self.labels = None if (results == UNLABELLED).all() else results
        self.groups = groups
        self.names = names
        self.targets = targets
        self.skipped = skipped
        self.details = {"game": game, "planes": list(PLANES[game])} | (read or {})

    def __len__(self) -> int:
        return len(self.packed)

    def __getitem__(self, index: np.ndarray) -> Batch:
        labels = np.full(len(index), UNLABELLED) if self.labels is None else self.labels[index]
        return Batch(
            x=torch.from_numpy(self.planes(index)),
            labels=torch.from_numpy(labels.astype(np.int64)),
            index=torch.from_numpy(np.asarray(index, dtype=np.int64)),
        )

    def planes(self, index: np.ndarray) -> Float[np.ndarray, "m c side side"]:
        """0 or 1 for each square, the first row the farthest from who is to move."""
        bits = np.unpackbits(np.asarray(self.packed[index]), axis=-1, count=self.shape[2], bitorder="little")
        return bits.astype(np.float32)
