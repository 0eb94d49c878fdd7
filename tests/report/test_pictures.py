"""Sprite sheet, strips, maps, charts and figures show what they should."""

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from replearn.comparison import Comparison, Representation
from replearn.data.samples import ArraySamples
from replearn.report import few_label_figure, neighbour_figure, save_figures
from replearn.report.chart import Series, line_chart
from replearn.report.map import embed_in_plane, make_maps
from replearn.report.strips import is_wrong, neighbour_strips
from replearn.report.thumbnails import Sheet, make_sheet, thumbnails

Make = Callable[..., Any]


def decoded(sheet: Sheet) -> np.ndarray:
    assert sheet.uri.startswith("data:image/png;base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(sheet.uri.split(",")[1]))))


@pytest.mark.parametrize("channels", [1, 3])
def test_sheet_holds_the_samples_asked_for_in_order(channels: int) -> None:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (30, channels, 20, 20), dtype=np.uint8)
    samples = ArraySamples(pictures)
    index = [np.array([7, 3, 3, 29, 0]), np.array([11, 12])]
    sheet = make_sheet([(samples, index[0]), (samples, index[1])])
    found, wanted = decoded(sheet), pictures[np.concatenate(index)]
    assert (sheet.cell, sheet.columns, sheet.rows) == (20, 3, 3)
    for i, picture in enumerate(wanted):
        top, left = 20 * (i // 3), 20 * (i % 3)
        cell = found[top : top + 20, left : left + 20].reshape(20, 20, channels)
        np.testing.assert_array_equal(cell, picture.transpose(1, 2, 0))
    assert sheet.place(5) == "background-position:100.0000% 50.0000%"


def test_thumbnails_fit_their_cell() -> None:
    wide = ArraySamples(np.full((2, 1, 10, 40), 255, dtype=np.uint8))
    small = thumbnails(wide, np.array([0]), side=20)[0, :, :, 0]
    assert small.shape == (20, 20)
    assert (small.max(axis=1) > 0).sum() == 5  # a quarter of the height, centred
    assert small[10, 0] == small[10, 19] == 255
    odd = np.array([np.nan, np.inf, -np.inf, 7.0], dtype=np.float32).reshape(1, 1, 2, 2)
    assert thumbnails(ArraySamples(odd), np.array([0]), side=2)[0, :, :, 0].tolist() == [[0, 255], [0, 255]]


def test_ground_of_paper_is_inverted() -> None:
    paper = np.full((4, 1, 8, 8), 250, dtype=np.uint8)
    paper[:, :, 3:5, 3:5] = 0
    assert make_sheet([(ArraySamples(paper), np.arange(4))]).inverted
    assert not make_sheet([(ArraySamples(255 - paper), np.arange(4))]).inverted


def test_a_large_sheet_stays_small() -> None:
    sheet = make_sheet(
        [(ArraySamples(np.zeros((1, 3, 200, 200), dtype=np.uint8)), np.zeros(1800, dtype=np.int64))]
    )
    assert sheet.cell**2 * sheet.columns * sheet.rows * 3 < 5_500_000


def test_strips_hold_the_nearest_training_samples(make_comparison: Make) -> None:
    made = make_comparison(n=30)
    rows = [Representation("own", made.test.flat(), made.test.flat())]
    own = Comparison(made.test, made.test, rows, made.scores)
    strips = neighbour_strips(own)
    assert len(strips.queries) == 8
    np.testing.assert_array_equal(
        strips.found[0][1][:, 0], strips.queries
    )  # each sample is nearest to itself
    counts = np.bincount(made.test.labels[strips.queries])  # type: ignore[index]
    assert counts.min() >= 2  # classes in turn


def test_wrong_only_where_both_classes_are_known() -> None:
    samples = ArraySamples(
        np.zeros((4, 1, 2, 2), dtype=np.uint8), np.array([0, 1, 0, -1]), classes=("a", "b")
    )
    bare = ArraySamples(np.zeros((1, 1, 2, 2), dtype=np.uint8))
    assert is_wrong(samples, 0, samples, 1)
    assert not any(
        [is_wrong(samples, 0, samples, 2), is_wrong(samples, 0, samples, 3), is_wrong(samples, 0, bare, 0)]
    )


def test_map_keeps_clusters_together() -> None:
    rng = np.random.default_rng(0)
    centres = 20 * np.eye(3, 6)
    rows = (centres[np.arange(60) % 3] + rng.normal(size=(60, 6))).astype(np.float32)
    place = embed_in_plane(rows)
    distance = np.linalg.norm(place[:, None] - place[None], axis=2) + 1e9 * np.eye(60)
    assert (distance.argmin(axis=1) % 3 == np.arange(60) % 3).all()


def test_maps_are_of_the_same_samples_and_show_the_best_first(make_comparison: Make) -> None:
    made = make_comparison(rows=("raw input", "pca", "better"))
    maps = make_maps(made, points=10)
    assert list(maps.places) == ["better", "pca", "raw input"]
    assert len(maps.index) == len(set(maps.index.tolist())) == 10
    assert all(place.shape == (10, 2) and abs(abs(place).max() - 1) < 1e-6 for place in maps.places.values())


def test_chart_puts_points_where_they_belong() -> None:
    series = [Series(name, [1.0, 10.0, 100.0], [1.0, 2.0, 3.0]) for name in "ab"]
    chart = line_chart(series, title="t", x_label="x", y_label="y", x_log=True)
    assert chart is not None
    points = [tuple(map(float, p.split(","))) for p in chart.lines[0].path[1:].split("L")]
    assert points[0][0] == chart.left
    assert points[2][0] == chart.right
    assert points[1][0] == pytest.approx((chart.left + chart.right) / 2, abs=0.01)
    assert points[0][1] > points[1][1] > points[2][1]  # up is more
    labels = [line.label_y for line in chart.lines]
    assert abs(labels[0] - labels[1]) >= 14  # names do not cover each other


def test_chart_leaves_out_what_cannot_be_drawn() -> None:
    nan = float("nan")
    chart = line_chart(
        [Series("a", [0.0, 1.0, 2.0, 3.0], [1.0, nan, 0.0, 2.0])],
        title="t",
        x_label="x",
        y_label="y",
        y_log=True,
    )
    assert chart is not None
    assert chart.lines[0].path.count(",") == 2
    assert line_chart([Series("a", [1.0], [nan])], title="t", x_label="x", y_label="y") is None
    assert line_chart([], title="t", x_label="x", y_label="y") is None


def test_no_two_of_many_lines_look_alike(make_scores: Make) -> None:
    scores = make_scores({f"method {i}": 0.5 + 0.01 * i for i in range(12)})
    lines = few_label_figure(scores).axes[0].lines
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 12


def test_figures(tmp_path: Path, make_scores: Make, make_comparison: Make) -> None:
    made = make_comparison(classes=("$a", "b"), rows=("raw input", "p$c_a"))
    assert [path.name for path in save_figures(tmp_path, made)] == ["few-labels.png", "neighbours.png"]
    for path in tmp_path.iterdir():
        with Image.open(path) as image:
            assert image.width > 400
    axes = few_label_figure(made.scores).axes[0]
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [50, 52, 54])
    assert save_figures(tmp_path / "bare", make_comparison(shape=(4,), labelled=False)) == []
    with pytest.raises(ValueError, match="linear probe"):
        few_label_figure(make_scores({"a": 0.5}, sizes=()))
    with pytest.raises(ValueError, match="images"):
        neighbour_figure(make_comparison(shape=(4,)))
