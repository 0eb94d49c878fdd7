"""Positions of board games, as planes: chess from PGN, Go from SGF."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from replearn.data.asked import Asked, Found
from replearn.data.games import is_game_name, positions_in_files
from replearn.data.kinds.base import ROWS, Kind
from replearn.data.kinds.files import holds_only, told_left_out
from replearn.data.samples import Samples
from replearn.data.sources import ListSource, Source, find_source


@dataclass(frozen=True)
class Board(Kind):
    """Planes `(c, side, side)` of 0 and 1, as who is to move sees the board.

    Args:
        stride: moves from one position of a game to the next.
        skip: moves at the beginning of each game before which positions are left out.
    """

    plural: ClassVar[str] = "positions"
    offers: ClassVar[frozenset[str]] = frozenset({ROWS})
    bounded: ClassVar[bool] = True

    stride: int = field(default=1, metadata={"least": 1})
    skip: int = field(default=0, metadata={"least": 0})

    def claims(self, data: Any) -> bool:
        """Files in PGN or SGF, and folders and zips of them without images, texts and sounds."""
        if not isinstance(data, str | Path):
            return False
        path = Path(data).expanduser()
        return (path.is_file() and is_game_name(path.name)) or holds_only(path, is_game_name)

    def read(self, data: Any, asked: Asked) -> Found:
        path = Path(data).expanduser() if isinstance(data, str | Path) else None
        source: Source | None = None
        if path is not None:
            single = path.is_file() and is_game_name(path.name)
            source = ListSource([path]) if single else find_source(path, is_game_name)
        if source is None or not source.names:
            named = type(data).__name__ if path is None else repr(str(data))
            raise ValueError(
                f"positions must be a file in PGN or SGF, or a folder or zip of them; got {named}."
            )
        source = told_left_out(source, "records of games")
        samples = positions_in_files(
            source, origin=str(path), stride=self.stride, skip=self.skip, strict=asked.strict
        )
        return samples, None, None

    def options_like(self, expected: Any) -> dict[str, Any]:
        """Positions taken alike."""
        told = getattr(expected, "details", {})
        return {"kind": Board(told.get("stride", 1), told.get("skip", 0))}

    def features(self, samples: Samples) -> Float[np.ndarray, "n d"]:
        """How many squares of each plane are set: of chess, how many of each piece."""
        return np.concatenate([samples[part].x.sum((2, 3)).numpy() for part in samples.parts()])
