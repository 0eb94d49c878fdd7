"""Splits that cut a sample into parts: grids, groups of channels, jigsaw puzzles."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from replearn.data import as_samples, describe
from replearn.data.samples import ArraySamples, Batch
from replearn.views import Crop, Flip, Grid, Groups, Jigsaw, MultiCrop, Pair, Same, named_views, uniform
from replearn.views.base import View
from replearn.views.defaults import parts_of
from replearn.views.groups import smoothed
from replearn.views.lab import lab
from replearn.views.parts import as_parts, spans

PLAIN = [
    Grid(2, 3, 0.0),
    Grid(3, 2, 0.5, Crop(0.5, 1.0), Flip()),
    Groups(),
    Groups(Flip(), Crop(0.5, 1.0)),
    Jigsaw(2),
    Jigsaw(3, 1.0, Crop(0.5, 1.0), Same()),
    Pair(Flip()),
    MultiCrop(Crop(0.5, 1.0), Crop(0.1, 0.5, size=6), 1),
]


def samples(*shape: int, n: int = 6) -> ArraySamples:
    return ArraySamples(np.random.default_rng(0).random((n, *shape), dtype=np.float32))


@pytest.mark.parametrize("cut", PLAIN, ids=str)
@pytest.mark.parametrize("shape", [(3, 12, 9), (1, 28, 28), (5, 4, 4), (1, 1, 1), (13,)], ids=str)
def test_parts_are_as_described(cut, shape):
    if len(shape) == 1 and not isinstance(cut, Grid | Groups):
        pytest.skip("a split of images")
    if len(shape) == 1:
        cut = type(cut)()
    data = samples(*shape)
    parts = as_parts(cut, describe(data))
    before = torch.get_rng_state()
    described = parts.describe(describe(data))
    plain = parts.parts(data[np.arange(6)])
    assert torch.equal(before, torch.get_rng_state())
    seen = parts(data[np.arange(6)])
    assert len(seen) == len(plain) == len(described)
    for batch, still, description in zip(seen, plain, described, strict=True):
        assert tuple(batch.x.shape[1:]) == description.shape
        assert len(description.statistics[0]) == len(description.statistics[1]) == description.shape[0]
        assert (description.statistics[1] > 0).all()
        assert len(batch) == len(batch.x) == len(still) == 6 * parts.per_part(describe(data))
        assert still.x.shape[1] == batch.x.shape[1]


def test_a_grid_lies_as_it_says():
    x = torch.arange(2 * 36.0).view(2, 1, 6, 6)
    batch = Batch(x, torch.tensor([4, 5]), torch.tensor([7, 8]), start=2, total=10)
    rows = Grid(2, 3, 0.0).parts(batch)
    assert [row.x.shape for row in rows] == [(6, 1, 3, 2)] * 2
    torch.testing.assert_close(rows[1].x[4], x[1, :, 3:, 2:4])  # sample 1, the middle of the lower row
    assert rows[0].labels.tolist() == [4, 4, 4, 5, 5, 5]
    assert rows[0].index.tolist() == [7, 7, 7, 8, 8, 8]
    assert (rows[0].start, rows[0].total) == (6, 30)
    half = Grid(3, 3, 0.5).parts(batch)
    torch.testing.assert_close(half[2].x[2], x[0, :, 3:, 3:])
    torch.testing.assert_close(half[1].x[0], x[0, :, 2:5, :3])


def test_patches_are_drawn_for_the_joined_batch():
    class Lot(View):
        def __call__(self, batch):
            return batch.with_x(uniform(batch))

    whole = samples(1, 4, 4)[np.arange(6)]
    torch.manual_seed(0)
    expected = Grid(2, 2, each=Lot())(whole)
    torch.manual_seed(0)
    part = Grid(2, 2, each=Lot())(whole.rows(2, 5))
    for a, b in zip(part, expected, strict=True):
        assert torch.equal(a.x, b.x[2 * 2 : 5 * 2])


@pytest.mark.parametrize("length", [1, 2, 5, 28, 100])
@pytest.mark.parametrize("number", [1, 2, 3, 7])
@pytest.mark.parametrize("overlap", [0.0, 0.3, 0.5])
def test_spans_cover_all_places_in_order(length, number, overlap):
    at = spans(length, number, overlap)
    assert set(at.flatten().tolist()) == set(range(length))
    assert (at.diff(dim=0) >= 0).all()
    if number > 1 and length >= 2 * number:
        shared = at.shape[1] - int(at[:, 0].diff().max())
        assert shared >= overlap * at.shape[1] - 1


def test_statistics_of_segments_are_those_of_all_segments():
    data = samples(12, n=50)
    data.x[:, :6] *= 5.0
    described = Grid(3, 1, 0.0).describe(describe(data))[0]
    segments = torch.from_numpy(data.x).view(150, 4)
    torch.testing.assert_close(described.statistics[0], segments.mean(0), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(described.statistics[1], segments.std(0, unbiased=False), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        ((1.0, 1.0, 1.0), (100.0, 0.0, 0.0)),
        ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
        ((1.0, 0.0, 0.0), (53.24, 80.09, 67.20)),
        ((0.0, 1.0, 0.0), (87.73, -86.18, 83.18)),
        ((0.0, 0.0, 1.0), (32.30, 79.19, -107.86)),
        ((0.5, 0.5, 0.5), (53.39, 0.0, 0.0)),
    ],
)
def test_lab_of_known_colours(colour, expected):
    light, a, b = lab(torch.tensor(colour).view(1, 3, 1, 1)).flatten().tolist()
    assert (100 * light, 255 * a - 128, 255 * b - 128) == pytest.approx(expected, abs=0.03)


def test_groups_of_one_channel_are_smooth_and_edges():
    x = torch.zeros(1, 1, 9, 9)
    x[..., 4:] = 1.0
    smooth, edges = (part.x for part in Groups().parts(Batch(x, torch.tensor([0]), torch.tensor([0]))))
    assert 0.2 < smooth[0, 0, 4, 3] < 0.4  # a step under a Gaussian: 0.31 half a pixel before it
    torch.testing.assert_close(edges[0, 0, 4], torch.tensor([0, 0, 0, 1.0, 1.0, 0, 0, 0, 0]))
    torch.testing.assert_close(smoothed(torch.full((1, 1, 3, 3), 0.7)), torch.full((1, 1, 3, 3), 0.7))


def test_other_channels_and_columns_are_halved():
    for shape in ((5, 2, 2), (7,)):
        data = samples(*shape)
        first, second = Groups().parts(data[np.arange(6)])
        assert torch.equal(torch.cat([first.x, second.x], 1), torch.from_numpy(data.x))
        mean = torch.cat([part.statistics[0] for part in Groups().describe(describe(data))])
        assert torch.equal(mean, data.statistics[0])
    with pytest.raises(ValueError, match="at least 2 columns"):
        Groups().parts(samples(1)[np.arange(6)])


def test_groups_see_one_view_unless_another_is_given():
    batch = samples(1, 8, 8)[np.arange(6)]
    torch.manual_seed(0)
    once = Flip()(batch)
    torch.manual_seed(0)
    for a, b in zip(Groups(Flip())(batch), Groups().parts(once), strict=True):
        assert torch.equal(a.x, b.x)
    torch.manual_seed(0)
    apart = Groups(Flip(), Same())(batch)
    assert torch.equal(apart[1].x, Groups().parts(batch)[1].x)
    assert not torch.equal(apart[0].x, Groups().parts(batch)[0].x)


def test_a_jigsaw_shows_each_cell_once_and_shuffled():
    cells = torch.arange(9.0).view(3, 3).repeat_interleave(8, 0).repeat_interleave(8, 1) / 8
    batch = Batch(cells.expand(200, 1, 24, 24), torch.zeros(200).long(), torch.arange(200))
    torch.manual_seed(0)
    image, *patches = Jigsaw(3)(batch)
    assert torch.equal(image.x, batch.x)
    assert {tuple(patch.x.shape) for patch in patches} == {(200, 1, 6, 6)}
    assert all((patch.x == patch.x[:, :, :1, :1]).all() for patch in patches)  # within their cells
    order = torch.stack([patch.x[:, 0, 0, 0] for patch in patches], 1) * 8
    assert torch.equal(order.sort(1).values, torch.arange(9.0).expand(200, 9))
    assert len({tuple(row) for row in order.tolist()}) > 190
    still = torch.stack([patch.x[0, 0, 0, 0] for patch in Jigsaw(3).parts(batch)[1:]]) * 8
    assert torch.equal(still, torch.arange(9.0))


def test_patches_of_a_jigsaw_jitter_within_their_cell():
    ramp = torch.arange(24.0).view(1, 1, 1, 24).expand(300, 1, 24, 24) / 24
    _, patch = Jigsaw(1, 0.75)(Batch(ramp, torch.zeros(300).long(), torch.arange(300)))
    first = (patch.x[:, 0, 0, 0] * 24).round()
    assert set(first.tolist()) == {0.0, 1.0, 2.0, 3.0, 4.0, 5.0}
    assert patch.x.shape == (300, 1, 18, 18)


@pytest.mark.parametrize("split", ["single", "grid", "groups", "jigsaw"])
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 70, 66), (5, 8, 8), (12,)], ids=str)
def test_a_description_tells_the_parts_of_the_default_views(split, shape):
    data = samples(*shape)
    preset = "table" if len(shape) == 1 else "photo" if shape[0] == 3 else "grey"
    views = named_views(preset, data, split)
    parts = parts_of(None, describe(data), split)
    shapes = [tuple(view.x.shape[1:]) for view in views(data[np.arange(6)])]
    assert [part.shape for part in parts.describe(describe(data))] == shapes
    assert [part.shape for part in parts_of(views, describe(data), split).describe(describe(data))] == shapes


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Grid(0), "rows of Grid must be a whole number, at least 1"),
        (lambda: Grid(overlap=1.0), "overlap of Grid must lie from 0 to"),
        (lambda: Jigsaw(share=0.0), "share of Jigsaw must lie"),
    ],
)
def test_bad_fields(make, says):
    with pytest.raises(ValueError, match=says):
        make()


def test_a_presets_patches_are_each_distorted_apart() -> None:
    """What two neighbours share would else tell that they are neighbours."""
    samples = as_samples(np.random.default_rng(0).integers(0, 256, (8, 1, 40, 40), dtype=np.uint8))
    whole = named_views("drawing", samples, "grid")

    def shared_by_neighbours(split: Grid) -> float:
        torch.manual_seed(0)
        row = split(samples[np.arange(8)])[0].x.unflatten(0, (8, -1))  # (n, columns, c, h, w)
        half = row.shape[-1] // 2
        left, right = row[:, 0, ..., -half:], row[:, 1, ..., :half]
        return float((left - right).abs().mean())

    assert shared_by_neighbours(replace(whole, each=Same())) < 0.02
    assert shared_by_neighbours(whole) > 0.1
