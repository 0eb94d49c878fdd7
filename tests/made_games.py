"""Games that tests read: random legal ones of chess, and written ones of Go."""

import random
from pathlib import Path

RESULTS = ("1-0", "0-1", "1/2-1/2", "*")


def random_chess(path: Path, games: int, *, plies: int = 20) -> Path:
    """A file of random legal games in PGN, whose results go round."""
    import chess
    import chess.pgn

    draw, parts = random.Random(0), []
    for number in range(games):
        game = chess.pgn.Game()
        game.headers["Result"] = RESULTS[number % len(RESULTS)]
        node, board = game, chess.Board()
        while len(board.move_stack) < plies and not board.is_game_over():
            move = draw.choice(sorted(board.legal_moves, key=str))
            node, _ = node.add_variation(move), board.push(move)
        parts.append(str(game))
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return path


def random_go(path: Path, games: int, *, side: int = 9, moves: int = 15) -> Path:
    """A file of games of Go in SGF: stones at random free points, whose results go round."""
    draw, parts = random.Random(0), []
    for number in range(games):
        points = draw.sample([(column, row) for column in range(side) for row in range(side)], moves)
        letters = [f"{chr(97 + column)}{chr(97 + row)}" for column, row in points]
        played = "".join(f";{'BW'[place % 2]}[{point}]" for place, point in enumerate(letters))
        parts.append(f"(;GM[1]SZ[{side}]RE[{('B+R', 'W+2.5', '0', '?')[number % 4]}]{played})")
    path.write_text("\n".join(parts), encoding="utf-8")
    return path
