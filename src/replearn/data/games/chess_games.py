"""Games of chess in PGN, by the package `chess`: main lines of standard games."""

from collections.abc import Iterator
from io import BufferedReader, BytesIO, TextIOWrapper
from typing import Any

import numpy as np

from replearn.data.games.reading import Game, Refused, package, results_for

WORTH = (1, 3, 3, 5, 9)  # of pawn, knight, bishop, rook and queen
WINNERS = {"1-0": 0, "0-1": 1, "1/2-1/2": -1}
SQUARES = tuple(f"{file}{rank}" for rank in range(1, 9) for file in "abcdefgh")  # as `chess` counts them
MOVES = {"from": SQUARES, "to": SQUARES}  # as who moves sees the board


def chess_games(file: BufferedReader | BytesIO) -> Iterator[Game | Refused]:
    """The games of a file, one after another; bytes that are no UTF-8 are replaced, they stand in names.

    Raises:
        ValueError: the package is not installed.
    """
    reader = _reader()
    pgn, text = package("chess.pgn"), TextIOWrapper(file, encoding="utf-8", errors="replace")
    try:
        while (game := pgn.read_game(text, Visitor=reader)) is not None:
            yield game
    finally:
        text.detach()  # whose file is closed by who opened it


def _reader() -> Any:
    """A class of what `chess` tells of a game while it parses one, made when the package is there."""
    chess, pgn = package("chess"), package("chess.pgn")

    class Reader(pgn.BaseVisitor):  # type: ignore[misc, name-defined]
        def begin_game(self) -> None:
            self.errors: list[Exception] = []
            self.told: dict[str, str] = {}
            self.rows: list[tuple[bytes, int, int, tuple[int, int]]] = []
            self.standard = True

        def visit_header(self, name: str, value: str) -> None:
            self.told[name] = value

        def begin_variation(self) -> Any:
            return pgn.SKIP

        def visit_board(self, board: Any) -> None:
            self.standard = self.standard and type(board) is chess.Board and not board.chess960

        def visit_move(self, board: Any, move: Any) -> None:
            self.rows.append((packed(board), int(not board.turn), material(board), squares(board.turn, move)))

        def handle_error(self, error: Exception) -> None:
            self.errors.append(error)

        def result(self) -> Game | Refused:
            if not self.standard:
                return Refused(f"is of a variant of chess ({self.told.get('Variant', 'Chess960')})")
            if self.errors:
                return Refused(f"can't be read: {' '.join(str(self.errors[0]).split()):.80}")
            if not self.rows:
                return Refused("has no move")
            planes, moving, worth, moves = zip(*self.rows, strict=True)
            bits = np.frombuffer(b"".join(planes), dtype=np.uint8).reshape(len(planes), -1, 8, 1)
            winner = WINNERS.get(self.told.get("Result", "*"))
            results = results_for(winner, np.array(moving))
            return Game(8, bits, results, np.array(worth, dtype=np.float64), np.array(moves))

    return Reader


def packed(board: Any) -> bytes:
    """The planes of a position as who is to move sees it: eight bytes each, a row of the board in each byte.

    `chess` numbers squares a1, b1, ... h8 and has a bit for each, so the highest byte is the eighth rank. Who plays
    black sees the first rank there.
    """
    own, order = board.turn, "big" if board.turn else "little"
    sides = [board.occupied_co[own], board.occupied_co[not own]]
    kinds = [board.pawns, board.knights, board.bishops, board.rooks, board.queens, board.kings]
    masks = [kind & side for side in sides for kind in kinds]
    for colour in (own, not own):
        rights = (board.has_kingside_castling_rights(colour), board.has_queenside_castling_rights(colour))
        masks += [2**64 - 1 if right else 0 for right in rights]
    masks.append(1 << board.ep_square if board.has_legal_en_passant() else 0)
    return b"".join(mask.to_bytes(8, order) for mask in masks)


def material(board: Any) -> int:
    """What own pieces are worth more than the other's, in pawns."""
    kinds = [board.pawns, board.knights, board.bishops, board.rooks, board.queens]
    own, other = board.occupied_co[board.turn], board.occupied_co[not board.turn]
    return sum(
        worth * ((kind & own).bit_count() - (kind & other).bit_count())
        for worth, kind in zip(WORTH, kinds, strict=True)
    )


def squares(white: bool, move: Any) -> tuple[int, int]:
    """From where to where, as who moves sees the board."""
    turned = 0 if white else 56
    return move.from_square ^ turned, move.to_square ^ turned
