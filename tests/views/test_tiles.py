"""Tiles: gaps and jitter, one brightness and contrast, and how tiles are laid out for a reader."""

import numpy as np
import pytest
import torch

from replearn.data import describe
from replearn.data.samples import ArraySamples, Batch
from replearn.views import Jigsaw, Tiles, View, named_views
from replearn.views.tiles import level


def batch_of(x: torch.Tensor) -> Batch:
    return Batch(x, torch.zeros(len(x)).long(), torch.arange(len(x)))


def whereabouts(n: int, side: int) -> Batch:
    """Images whose first channel tells the row of each pixel, and the second its column."""
    at = torch.arange(float(side)) / 255
    down, across = at[:, None].expand(side, side), at.expand(side, side)
    return batch_of(torch.stack([down, across]).expand(n, 2, side, side))


def places(tiles: Batch, n: int) -> torch.Tensor:
    """First pixel of each tile along both axes, `(n, 3, 3, 2)`."""
    return (tiles.x[:, :, 0, 0] * 255).round().long().view(n, 3, 3, 2)


@pytest.mark.parametrize("side", [28, 32, 64])
def test_tiles_lie_in_their_cells_and_never_touch(side: int) -> None:
    (tiles,) = Tiles(levelled=False)(whereabouts(500, side))
    long = tiles.x.shape[-1]
    first = places(tiles, 500)
    for axis in (0, 1):
        gap = first[..., axis].diff(dim=axis + 1) - long  # pixels between neighbours
        assert gap.min() >= 1
        assert gap.float().mean() == pytest.approx(side / 3 - long, abs=0.15)
        assert 0.35 * long < gap.float().mean() < 0.65 * long  # about half a tile
        assert len(gap.unique()) > 2  # and not always as wide
        cell = torch.arange(3).view(1, -1, 1) if axis == 0 else torch.arange(3)
        assert (first[..., axis] >= (cell * side / 3).floor()).all()
        assert (first[..., axis] + long <= ((cell + 1) * side / 3).ceil()).all()


def test_jitter_is_a_share_of_the_room() -> None:
    def seen(jitter: float) -> int:
        (tiles,) = Tiles(share=0.5, jitter=jitter, levelled=False)(whereabouts(2000, 48))
        return len(places(tiles, 2000)[:, 1, 1].unique())

    assert [seen(jitter) for jitter in (0.0, 0.5, 1.0)] == [1, 4, 8]


def test_without_chance_tiles_lie_in_the_middle_of_their_cells() -> None:
    (tiles,) = Tiles(share=0.5, levelled=False).parts(whereabouts(1, 48))
    assert places(tiles, 1)[0, :, 0, 0].tolist() == [4, 20, 36]
    assert places(tiles, 1)[0, 0, :, 1].tolist() == [4, 20, 36]


def test_rows_are_sample_by_sample() -> None:
    cells = torch.arange(9.0).view(3, 3).repeat_interleave(8, 0).repeat_interleave(8, 1) / 9
    x = torch.stack([cells, cells.flip(0)])[:, None]
    (tiles,) = Tiles(levelled=False).parts(batch_of(x))
    rows = (tiles.x[:, 0, 0, 0] * 9).round().view(2, 9)
    assert rows.tolist() == [[0, 1, 2, 3, 4, 5, 6, 7, 8], [6, 7, 8, 3, 4, 5, 0, 1, 2]]


def test_tiles_and_the_patches_of_a_jigsaw_are_cut_alike() -> None:
    batch = batch_of(torch.rand(4, 3, 31, 26))
    (tiles,) = Tiles(3, 0.75, levelled=False).parts(batch)
    _, *patches = Jigsaw(3, 0.75).parts(batch)
    assert torch.equal(tiles.x, torch.stack([patch.x for patch in patches], 1).flatten(0, 1))


def test_levelled_tiles_have_their_images_mean_and_deviation() -> None:
    torch.manual_seed(0)
    x = 0.4 + 0.2 * torch.rand(6, 3, 30, 30)
    (tiles,) = Tiles(levelled=True).parts(batch_of(x))
    rows = tiles.x.view(6, 9, 3, -1)
    torch.testing.assert_close(rows.mean(3), x.mean((2, 3))[:, None].expand(6, 9, 3))
    deviation = x.flatten(2).std(2, correction=0)[:, None].expand(6, 9, 3)
    torch.testing.assert_close(rows.std(3, correction=0), deviation, rtol=0.05, atol=0)


def test_brightness_and_contrast_of_a_tile_do_not_matter() -> None:
    torch.manual_seed(0)
    image, tiles = torch.rand(2, 3, 30, 30), torch.rand(2, 9, 3, 7, 7)
    other = 0.2 * torch.rand(2, 9, 3, 1, 1) + (0.5 + 0.3 * torch.rand(2, 9, 3, 1, 1)) * tiles
    torch.testing.assert_close(level(tiles, image), level(other, image), rtol=0, atol=5e-3)


def test_flat_tiles_stay_flat() -> None:
    torch.manual_seed(0)
    nearly = 0.3 + 1e-4 * torch.rand(2, 9, 1, 7, 7)
    assert level(nearly, torch.rand(2, 1, 30, 30)).std((3, 4)).max() < 0.01


def test_each_tile_is_seen_apart() -> None:
    class Number(View):
        def __call__(self, batch: Batch) -> Batch:
            return batch.with_x(batch.index.float())

    (tiles,) = Tiles(each=Number())(batch_of(torch.rand(3, 1, 9, 9)))
    assert tiles.x.tolist() == [0.0] * 9 + [1.0] * 9 + [2.0] * 9


def test_tiles_are_laid_where_they_are_said_to_lie() -> None:
    cut = Tiles(levelled=False)
    (tiles,) = cut.parts(batch_of(torch.rand(2, 3, 48, 48)))
    high, gap = 10, 2
    assert tiles.x.shape[2] == high
    at = torch.stack([torch.randperm(9), torch.arange(9)])
    laid = cut.lay(tiles.x, at)
    assert laid.shape == (2, 3, 3 * high + 2 * gap, 3 * high + 2 * gap)
    rows = tiles.x.view(2, 9, 3, high, high)
    for i in range(2):
        for k, place in enumerate(at[i].tolist()):
            y, x = (one * (high + gap) for one in divmod(place, 3))
            assert torch.equal(laid[i, :, y : y + high, x : x + high], rows[i, k])
    alone = cut.lay(tiles.x[:2], torch.tensor([[0], [8]]))
    assert alone[0, :, 12:, 12:].eq(0.5).all()


def test_directions_have_names() -> None:
    names = [Tiles().name((down, across)) for down in (-1, 0, 1) for across in (-1, 0, 1) if down or across]
    told = ["upper left", "above", "upper right", "left", "right", "lower left", "below", "lower right"]
    assert names == told


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 70, 66), (2, 5, 9)], ids=str)
def test_a_preset_says_what_its_tiles_look_like(shape: tuple[int, ...]) -> None:
    samples = ArraySamples(np.random.default_rng(0).random((6, *shape), dtype=np.float32))
    split = named_views("photo" if shape[0] == 3 else "grey", samples, "tiles")
    assert isinstance(split, Tiles)
    (tiles,), (told,) = split(samples[np.arange(6)]), split.describe(describe(samples))
    assert tuple(tiles.x.shape[1:]) == told.shape
    assert len(tiles) == 6 * split.per_part(describe(samples))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"grid": 0}, "grid of Tiles must be a whole number, at least 1"),
        ({"share": 1.5}, "share of Tiles must lie from"),
        ({"jitter": -0.1}, "jitter of Tiles must lie from 0 to 1"),
    ],
)
def test_bad_fields(fields: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says) as told:
        Tiles(**fields)
    assert len(str(told.value).splitlines()) == 1
