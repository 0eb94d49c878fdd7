"""Positions of games: what stands on a board, as planes, from records of games."""

from replearn.data.games.files import is_game_name, positions_in_files
from replearn.data.games.samples import PLANES, RESULTS, BoardSamples

__all__ = ["PLANES", "RESULTS", "BoardSamples", "is_game_name", "positions_in_files"]
