"""Games of Go in SGF, by the package `sgfmill`: main lines, captured stones taken off the board."""

from collections.abc import Iterator
from io import BufferedReader, BytesIO
from typing import Any

import numpy as np

from replearn.data.games.reading import Game, Refused, package, results_for

LETTERS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"  # I is left out
DRAWN = ("0", "draw", "jigo")


def points(side: int) -> tuple[str, ...]:
    """Names of what may be played: the points in rows from the top, and to pass.

    >>> points(9)[:2], points(9)[-2:]
    (('A9', 'B9'), ('J1', 'pass'))
    """
    return (
        *(f"{letter}{row}" for row in range(side, 0, -1) for letter in LETTERS[:side]),
        "pass",
    )


def go_games(file: BufferedReader | BytesIO) -> Iterator[Game | Refused]:
    """The games of a file, one after another.

    Raises:
        ValueError: the package is not installed.
    """
    grammar, sgf = package("sgfmill.sgf_grammar"), package("sgfmill.sgf")
    try:
        trees = list(grammar.parse_sgf_collection(file.read()))
    except ValueError as error:
        yield Refused(f"can't be read: {error!s:.80}")
        return
    for tree in trees:
        try:
            yield _game(sgf.Sgf_game.from_coarse_game_tree(tree))
        except ValueError as error:
            yield Refused(f"can't be read: {error!s:.80}")


def _game(game: Any) -> Game | Refused:
    """Its positions.

    Raises:
        ValueError: a move, a result or the stones at the beginning can't be as they are.
    """
    root = game.get_root()
    if root.has_property("GM") and root.get("GM") != 1:
        return Refused("is no game of Go")
    side = game.get_size()
    if side > len(LETTERS):
        return Refused(f"is on a board of {side} x {side}")
    board, plays = package("sgfmill.sgf_moves").get_setup_and_moves(game)
    if not plays:
        return Refused("has no move")
    stones = _stones(board)
    planes = np.zeros((len(plays), 4, side, side), dtype=bool)
    worth, moves, ko = np.zeros(len(plays)), np.zeros((len(plays), 1), dtype=np.int64), None
    for place, (colour, move) in enumerate(plays):
        own = 1 if colour == "b" else -1
        planes[place, 0], planes[place, 1] = stones == own, stones == -own
        if ko is not None:
            planes[place, 2, side - 1 - ko[0], ko[1]] = True
        planes[place, 3] = colour == "w"
        worth[place] = own * stones.sum(dtype=np.int64)
        moves[place] = side * side if move is None else (side - 1 - move[0]) * side + move[1]
        ko = None if move is None else board.play(*move, colour)
        stones = _stones(board)
    moving = np.array([int(colour == "w") for colour, _ in plays])
    bits = np.packbits(planes, axis=-1, bitorder="little")
    return Game(side, bits, results_for(_winner(game), moving), worth, moves)


def _stones(board: Any) -> np.ndarray:
    """1 where black stands, -1 where white does, the top row first."""
    value = {"b": 1, "w": -1, None: 0}
    return np.array([[value[one] for one in row] for row in reversed(board.board)], dtype=np.int8)


def _winner(game: Any) -> int | None:
    """0 black, 1 white, -1 neither, None if it is not said."""
    root = game.get_root()
    told = root.get("RE").strip().lower() if root.has_property("RE") else ""
    if told in DRAWN:
        return -1
    return {"b": 0, "w": 1}.get(game.get_winner())
