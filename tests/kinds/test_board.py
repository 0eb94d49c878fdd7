"""Positions of games are what stood on the board, as who was to move saw it."""

import zipfile

import numpy as np
import pytest
import torch

import replearn
from made_games import random_chess, random_go
from replearn.data import DataWarning, as_samples, describe, read_alike
from replearn.data.games import PLANES
from replearn.data.games.chess_games import SQUARES
from replearn.data.kinds import KINDS
from replearn.data.samples import Batch
from replearn.report.kinds import LOOKS
from replearn.report.kinds.board import OTHER, OWN, PAPER
from replearn.views.boards import MirrorBoard, SquareSymmetry
from replearn.views.defaults import default_views
from replearn.views.kinds.board import SYMMETRIES
from replearn.views.store import view_from_json, view_to_json

chess = pytest.importorskip("chess")
pytest.importorskip("sgfmill")

FOOLS_MATE = """[White "A"]
[Result "0-1"]

1. f3 (1. e4 e5) e5 {bad} 2. g4 $4 Qh4# 0-1

[White "B"]
[Result "1/2-1/2"]

1. e4 a6 2. e5 d5 3. exd6 cxd6 1/2-1/2
"""
KO = "(;GM[1]SZ[5]RE[W+R];B[ba];W[ca];B[ab];W[db];B[bc];W[cc];B[cb];W[bb];B[];W[])"


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("REPLEARN_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def mate(tmp_path):
    (tmp_path / "mate.pgn").write_text(FOOLS_MATE)
    return tmp_path / "mate.pgn"


def planes_of(samples, position, *names):
    x = samples[np.array([position])].x[0]
    return [x[samples.details["planes"].index(name)] for name in names]


def stones(samples, position):
    own, other = planes_of(samples, position, "own", "other")
    return [
        "".join(".xo"[int(a + 2 * b)] for a, b in zip(*rows, strict=True))
        for rows in zip(own, other, strict=True)
    ]


def test_results_moves_and_material_are_for_who_is_to_move(mate):
    samples = as_samples(mate)
    assert (samples.kind, samples.shape, len(samples)) == ("board", (17, 8, 8), 9)  # both begin alike
    assert samples.classes == ("loss", "draw", "win")
    assert samples.labels.tolist() == [0, 2, 0, 2, 1, 1, 1, 1, 1]
    assert samples.names[3] == "mate.pgn game 1, move 4"
    assert sorted(set(samples.groups)) == ["mate.pgn game 1", "mate.pgn game 2"]
    moves = [SQUARES[int(place)] for place in samples.targets.column("to")[:4]]
    assert moves == ["f3", "e4", "g4", "h5"]  # black's e5 and Qh4 as black sees them
    assert SQUARES[int(samples.targets.column("from")[3])] == "d1"
    assert samples.targets.column("material").tolist() == [0, 0, 0, 0, 0, 0, 0, 0, -1]


def test_castling_and_en_passant(mate):
    samples = as_samples(mate)
    (passed,) = planes_of(samples, 7, "en passant")
    assert torch.nonzero(passed).tolist() == [[2, 3]]  # d6: the sixth rank is the third row from the top
    for position in range(7):
        assert not planes_of(samples, position, "en passant")[0].any()
    kings = as_samples_of(mate, '[FEN "r3k2r/8/8/8/8/8/8/R3K3 b Qk - 0 1"]\n\n1... Ke7 2. Kd1 *')
    wings = [plane.mean().item() for plane in planes_of(kings, 0, *PLANES["chess"][12:16])]
    assert wings == [1, 0, 0, 1]  # black may castle kingside, white queenside
    assert [plane.mean().item() for plane in planes_of(kings, 1, *PLANES["chess"][12:16])] == [0, 1, 0, 0]
    assert kings.labels is None


def as_samples_of(path, text):
    path.write_text(text)
    return as_samples(path)


def test_planes_are_the_pieces_of_the_board(tmp_path):
    path = random_chess(tmp_path / "games.pgn", 3, plies=60)
    samples, position, before = as_samples(path), 0, set()
    with path.open() as file:
        while (game := chess.pgn.read_game(file)) is not None:
            board = game.board()
            for move in game.mainline_moves():
                seen = board if board.turn else board.mirror()
                told = np.zeros((12, 8, 8))
                for square, piece in seen.piece_map().items():
                    plane = piece.piece_type - 1 + (0 if piece.color else 6)
                    told[plane, 7 - chess.square_rank(square), chess.square_file(square)] = 1
                known = f"{told.tobytes()!r} {seen.epd().split()[2]} {seen.has_legal_en_passant()}"
                if known not in before:
                    np.testing.assert_array_equal(samples[np.array([position])].x[0, :12], told)
                    position += 1
                before.add(known)
                board.push(move)
    assert position == len(samples)


def test_captured_stones_are_gone_and_a_ko_is_forbidden(tmp_path):
    (tmp_path / "ko.sgf").write_text(KO)
    samples = as_samples(tmp_path)
    assert (samples.shape, len(samples)) == ((4, 5, 5), 10)
    assert stones(samples, 7) == [".ox..", "o.ox.", ".ox..", ".....", "....."]  # white is to take
    assert stones(samples, 8) == [".xo..", "xo.o.", ".xo..", ".....", "....."]
    (ko,) = planes_of(samples, 8, "ko")
    assert torch.nonzero(ko).tolist() == [[1, 2]]
    assert not planes_of(samples, 9, "ko")[0].any()
    assert [bool(planes_of(samples, i, "white to move")[0].all()) for i in range(4)] == [False, True] * 2
    assert samples.labels.tolist() == [0, 2] * 5
    points = samples.targets.classes[1]
    assert [points[int(place)] for place in samples.targets.column("to")[-3:]] == ["B4", "pass", "pass"]
    assert samples.targets.column("material")[6:9].tolist() == [0, -1, -1]


def test_results_of_go(tmp_path):
    samples = as_samples(random_go(tmp_path / "games.sgf", 4, moves=2))
    assert samples.labels.tolist() == [2, 0, 2, 1, -1]  # all begin alike


def test_handicap_stones_stand_before_the_first_move(tmp_path):
    (tmp_path / "a.sgf").write_text("(;SZ[5]HA[2]AB[aa][ee];W[cc])")
    samples = as_samples(tmp_path / "a.sgf")
    assert stones(samples, 0) == ["o....", ".....", ".....", ".....", "....o"]


def test_games_that_can_not_be_read_are_left_out_by_name(tmp_path):
    bad = ["1. e4 e5 2. Qxf7 *", "1. e4 *", '[Variant "Atomic"]\n\n1. e4 e5 *', "*"]
    (tmp_path / "games.pgn").write_text(
        "\n\n".join(f'[White "x"]\n{"" if one[0] == "[" else chr(10)}{one}' for one in bad)
    )
    with pytest.warns(
        DataWarning, match=r"3 of 4 games .* left out: 'games.pgn game 1' can't be read: illegal san"
    ):
        samples = as_samples(tmp_path)
    assert len(samples) == 1
    assert [reason for _, reason in samples.skipped[1:]] == [
        "is of a variant of chess (Atomic)",
        "has no move",
    ]
    with pytest.raises(ValueError, match="strict: 3 of 4 games"):
        as_samples(tmp_path, strict=True)


def test_boards_of_another_size_and_broken_files_are_left_out(tmp_path):
    random_go(tmp_path / "a.sgf", 2, side=9, moves=4)
    random_go(tmp_path / "b.sgf", 1, side=5, moves=4)
    (tmp_path / "c.sgf").write_text("(;SZ[9];B[ee]")
    (tmp_path / "d.sgf").write_text("(;GM[2]SZ[9];B[ee])")
    (tmp_path / "e.sgf").write_text("(;SZ[9];B[ee];W[ee])")
    with pytest.warns(DataWarning, match="4 of 6 games"):
        samples = as_samples(tmp_path)
    reasons = dict(samples.skipped)
    assert reasons["b.sgf game 1"] == "is on a board of 5 x 5, most are 9 x 9"
    assert reasons["c.sgf game 1"].startswith("can't be read: error parsing game 0")
    assert reasons["d.sgf game 1"] == "is no game of Go"
    assert "e.sgf game 1" in reasons


def test_some_positions_of_each_game_and_a_run_takes_them_alike(tmp_path):
    path = random_go(tmp_path / "games.sgf", 3, moves=10)
    samples = as_samples(path, kind="board:stride=4,skip=2")
    assert [name.partition(", ")[2] for name in samples.names[:3]] == ["move 3", "move 7", "move 3"]
    again = read_alike(path, describe(samples))
    assert again.fingerprint() == samples.fingerprint()
    whole = as_samples(path)
    np.testing.assert_array_equal(samples[np.arange(2)].x, whole[np.array([2, 6])].x)


def test_zips_and_what_is_refused(tmp_path, mate):
    with zipfile.ZipFile(tmp_path / "games.zip", "w") as archive:
        archive.write(mate, "deep/mate.pgn")
    assert as_samples(tmp_path / "games.zip").fingerprint() == as_samples(mate).fingerprint()
    (tmp_path / "games.zip").unlink()
    (tmp_path / "ko.sgf").write_text(KO)
    with pytest.raises(
        ValueError, match=r"records of one game; it holds 1 \.pgn and 1 \.sgf. Read each of them separately"
    ):
        as_samples(tmp_path)
    with pytest.raises(
        ValueError, match=r"mate.pgn must hold a game .*; 'mate.pgn game 1' has no more than the 30 moves"
    ):
        as_samples(mate, kind="board:skip=30")
    with pytest.raises(ValueError, match=r"must be a file in PGN or SGF.*got ndarray"):
        as_samples(np.zeros((2, 2)), kind="board")


def test_a_package_that_is_not_installed_is_named(mate, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "chess.pgn", None)
    with pytest.raises(
        ValueError, match=r"need chess, which is not installed\. Run: pip install 'replearn\[games\]'"
    ):
        as_samples(mate)


def test_features_by_hand_count_pieces(mate):
    found = KINDS["board"].features(as_samples(mate))
    assert found[0].tolist() == [8, 2, 2, 2, 1, 1, 8, 2, 2, 2, 1, 1, 64, 64, 64, 64, 0]
    assert found[-1, 0] == 7


# Views


def seen(view, x, seed=0):
    torch.manual_seed(seed)
    return view(Batch(x, torch.zeros(len(x), dtype=torch.long), torch.arange(len(x)))).x


def test_all_eight_symmetries_and_no_others_are_drawn():
    board = torch.arange(9.0).view(1, 1, 3, 3) / 9
    told = [board.rot90(turns, (2, 3)) for turns in range(4)]
    told += [one.flip(3) for one in told]
    found = seen(SquareSymmetry(), board.expand(200, 1, 3, 3))
    counts = [int((found == one).flatten(1).all(1).sum()) for one in told]
    assert sum(counts) == 200
    assert min(counts) > 8


def test_a_mirrored_position_is_that_of_the_mirrored_board(tmp_path):
    """Where nobody may castle; else the rights change their wings."""
    fen = "4k3/1p3n2/8/2Pp4/8/6Q1/r7/4K2B w - d6 0 1"
    mirrored = chess.Board(fen).transform(chess.flip_horizontal).fen()
    one, other = (as_samples_of(tmp_path / "a.pgn", f'[FEN "{text}"]\n\n1. {move} *')
                  for text, move in ((fen, "Bg2"), (mirrored, "Bb2")))  # fmt: skip
    view = MirrorBoard(SYMMETRIES["chess"].exchanged, probability=1.0)
    x = one[np.array([0])].x
    assert x[0, 16].sum() == 1
    assert torch.equal(seen(view, x), other[np.array([0])].x)
    x[:, 12] = 1
    assert seen(view, x)[0, 12:16].mean((1, 2)).tolist() == [0, 1, 0, 0]
    half = seen(SYMMETRIES["chess"], x.expand(100, -1, -1, -1))
    assert 30 < int((half[:, 13].mean((1, 2)) == 1).sum()) < 70


@pytest.mark.parametrize("name", ["chess", "go"])
def test_symmetries_are_stored_and_checked(name, tmp_path):
    view = SYMMETRIES[name]
    assert view_from_json(view_to_json(view)) == view
    with pytest.raises(ValueError, match=r"square to be turned|planes to exchange must lie between 0 and 2"):
        seen(view, torch.zeros(2, 3, 3, 4))


def test_default_views_hide_squares_and_move_no_piece_elsewhere(tmp_path):
    samples = as_samples(random_go(tmp_path / "games.sgf", 10, moves=12))
    batch = samples[np.arange(len(samples))]
    torch.manual_seed(0)
    for view in default_views(samples)(batch):
        assert set(view.x.unique().tolist()) == {0, 1}
        kept = view.x[:, :2].sum() / batch.x[:, :2].sum()
        assert 0.8 < kept < 0.9


def test_methods_learn_from_positions_and_a_run_is_loaded(tmp_path):
    samples = as_samples(random_go(tmp_path / "games.sgf", 8, moves=8))
    for method in (replearn.SimCLR(epochs=1), replearn.MAE(epochs=1)):
        method.fit(samples, run=tmp_path / type(method).__name__)
        again = replearn.load(tmp_path / type(method).__name__)
        np.testing.assert_allclose(again.transform(samples), method.transform(samples), atol=1e-5)


def test_boards_are_drawn_in_two_colours(mate):
    samples = as_samples(mate)
    looks = LOOKS["board"]
    assert looks.cell(samples.shape) == (3, 48)
    assert looks.cell((4, 19, 19)) == (3, 76)
    drawn = looks.draw(samples[np.array([0])].x, 48)[0] / 255
    king, queen, pawn, free = drawn[45, 27], drawn[45, 21], drawn[39, 3], drawn[25, 25]
    np.testing.assert_allclose([king, free], torch.stack([OWN, PAPER]), atol=0.01)
    np.testing.assert_allclose(drawn[3, 27], OTHER, atol=0.01)
    assert king.sum() < queen.sum() < pawn.sum() < free.sum()
    stone = looks.draw(torch.eye(4).view(4, 4, 1, 1), 4)[:2, 0, 0] / 255
    np.testing.assert_allclose(stone, torch.stack([OWN, OTHER]), atol=0.01)
