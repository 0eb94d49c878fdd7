"""Positions of files of games: read once into the cache, then from there, through memory maps."""

import json
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator
from io import BufferedReader, BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import Int, UInt8

from replearn.data.cache import cached
from replearn.data.games.chess_games import MOVES, chess_games
from replearn.data.games.go_games import go_games, points
from replearn.data.games.reading import Game, Refused
from replearn.data.games.samples import BoardSamples
from replearn.data.progress import progress
from replearn.data.reasons import reason_of
from replearn.data.sources import Source
from replearn.data.targets import Targets
from replearn.data.text_files import hash_of
from replearn.data.told import warn_of_data

log = logging.getLogger("replearn")

VERSION = 1  # part of the cache's key: raise it when reading changes
Reader = Callable[[BufferedReader | BytesIO], Iterator[Game | Refused]]
READERS: dict[str, tuple[str, Reader]] = {".pgn": ("chess", chess_games), ".sgf": ("go", go_games)}
ARRAYS = ("packed", "results", "material", "moves", "games", "plies")


def is_game_name(name: str) -> bool:
    """Whether a file's ending is that of records of games, and neither it nor a folder on the way is hidden."""
    return os.path.splitext(name)[1].lower() in READERS and not (name.startswith(".") or "/." in name)


def positions_in_files(source: Source, *, origin: str, stride: int, skip: int, strict: bool) -> BoardSamples:
    """The positions of games in which a move was made, each labelled by what became of it for who is to move.

    A position that occurred before, in this game or another, is left out: all games begin alike, and a split could not
    keep them apart.

    Args:
        source: the files.
        origin: what to call them.
        stride: moves from one position of a game to the next.
        skip: moves at the beginning of each game before which positions are left out.
        strict: raise where a game is left out.

    Raises:
        ValueError: files of chess and of Go, no position, a package that is not installed, or what `strict` says.

    Warns:
        DataWarning: how many games are left out, and why.
    """
    endings = Counter(os.path.splitext(name)[1].lower() for name in source.names)
    if len(endings) > 1:
        found = " and ".join(f"{count:,} {ending}" for ending, count in sorted(endings.items()))
        raise ValueError(
            f"{origin} must hold records of one game; it holds {found}. Read each of them separately."
        )
    game, reader = READERS[next(iter(endings))]

    def build(folder: Path) -> None:
        found, names, skipped = _read(source, reader)
        arrays, told, of_others = _put_together(found, names, stride=stride, skip=skip)
        if not len(arrays["games"]):
            raise ValueError(
                f"{origin} must hold a game with a move that is not left out; {_named(skipped + of_others)}."
            )
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", array)
        (folder / "info.json").write_text(json.dumps(told | {"skipped": skipped + of_others}))

    entry = cached(f"games-{hash_of(f'{VERSION} {source.key} {stride} {skip}')}", build)
    info = json.loads((entry / "info.json").read_text())
    packed, results, material, moves, games, plies = (
        np.load(entry / f"{name}.npy", mmap_mode="r" if name == "packed" else None) for name in ARRAYS
    )
    skipped = [(name, reason) for name, reason in info["skipped"]]
    _tell(skipped, len(info["names"]), origin, strict=strict)
    if info["repeated"]:
        log.info(
            "%s: %d positions that occurred before, openings mostly, are left out", origin, info["repeated"]
        )
    called = np.array(info["names"])
    columns = MOVES if game == "chess" else {"to": points(info["side"])}
    targets = Targets(
        ("material", *columns),
        (None, *columns.values()),
        np.concatenate([material[:, None], moves], axis=1).astype(np.float64),
    )
    return BoardSamples(
        packed,
        game=game,
        side=info["side"],
        results=results,
        groups=called[games],
        names=[f"{called[of]}, move {ply}" for of, ply in zip(games.tolist(), plies.tolist(), strict=True)],
        targets=targets,
        skipped=skipped,
        read={"stride": stride, "skip": skip},
    )


def _read(source: Source, reader: Reader) -> tuple[list[Game], list[str], list[tuple[str, str]]]:
    """All games that can be read, their names, and what was left out."""
    found: list[Game] = []
    names: list[str] = []
    skipped: list[tuple[str, str]] = []
    with progress("reading games", None) as advance:
        for place, file_name in enumerate(source.names):
            short = os.path.basename(file_name)
            try:
                with source.open(place) as file:
                    for number, one in enumerate(reader(file), 1):
                        advance(1)
                        name = f"{short} game {number}"
                        if isinstance(one, Game):
                            found.append(one)
                            names.append(name)
                        else:
                            skipped.append((name, one.reason))
            except OSError as error:  # damaged or locked
                skipped.append((file_name, f"can't be read: {reason_of(error, 80)}"))
    return found, names, skipped


def _put_together(
    found: list[Game], names: list[str], *, stride: int, skip: int
) -> tuple[dict[str, np.ndarray], dict[str, object], list[tuple[str, str]]]:
    """Arrays of all positions that are asked for, what is told of them, and what games are left out for it."""
    sides = Counter(one.side for one in found)
    side = sides.most_common(1)[0][0] if sides else 0
    kept: list[str] = []
    skipped, parts, games, plies = [], [], [], []
    for name, one in zip(names, found, strict=True):
        chosen = np.arange(skip, len(one.packed), stride)
        if one.side != side:
            skipped.append((name, f"is on a board of {one.side} x {one.side}, most are {side} x {side}"))
        elif not len(chosen):
            skipped.append((name, f"has no more than the {skip} moves that are left out"))
        else:
            parts.append((one.packed[chosen], one.results[chosen], one.material[chosen], one.moves[chosen]))
            games.append(np.full(len(chosen), len(kept)))
            plies.append(chosen + 1)
            kept.append(name)
    if not parts:
        return {"games": np.empty(0)}, {}, skipped
    joined = [np.concatenate(column) for column in (*zip(*parts, strict=True), games, plies)]
    first = _first(joined[0])
    told = {"names": kept, "side": side, "repeated": len(joined[0]) - len(first)}
    return {name: array[first] for name, array in zip(ARRAYS, joined, strict=True)}, told, skipped


def _first(packed: UInt8[np.ndarray, "n c side b"]) -> Int[np.ndarray, " m"]:
    """Where each position occurs for the first time, in order."""
    rows = np.ascontiguousarray(packed).reshape(len(packed), -1)
    _, first = np.unique(rows.view(f"V{rows.shape[1]}")[:, 0], return_index=True)
    return np.sort(first)


def _tell(skipped: list[tuple[str, str]], kept: int, origin: str, *, strict: bool) -> None:
    if skipped:
        number = kept + len(skipped)
        warn_of_data(
            f"{len(skipped):,} of {number:,} games of {origin} are left out: {_named(skipped)}", strict=strict
        )


def _named(skipped: list[tuple[str, str]]) -> str:
    if not skipped:
        return "it holds none"
    return "; ".join(f"{name!r} {reason}" for name, reason in skipped[:3]) + "; ..." * (len(skipped) > 3)
