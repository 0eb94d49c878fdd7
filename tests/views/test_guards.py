"""Guards: what each takes away, what it leaves, and that a planted shortcut is of no use beside it."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from replearn import RelativePatch, as_samples
from replearn.data.samples import Batch
from replearn.views import ChannelJitter, Coarse, DropChannels, Tiles, View
from replearn.views.tiles import tile_side

SIDE = 33
Maker = Callable[[int, int], torch.Tensor]  # so many images, of a seed


def batch_of(x: torch.Tensor) -> Batch:
    return Batch(x, torch.zeros(len(x)).long(), torch.arange(len(x)))


def test_one_channel_is_left_and_tells_nothing_of_the_others() -> None:
    torch.manual_seed(0)
    x = torch.rand(60, 3, 9, 9)
    torch.manual_seed(1)
    seen = DropChannels()(batch_of(x)).x
    same = (seen == x).flatten(2).all(2)  # (n, c)
    assert same.sum(1).eq(1).all()
    assert same.any(0).all()
    kept = same.float().argmax(1)
    channel = x[torch.arange(60), kept]
    noise = seen[~same].view(60, 2, 81)
    torch.testing.assert_close(noise.mean(2), channel.mean((1, 2))[:, None].expand(60, 2), atol=2e-3, rtol=0)
    ratio = noise.std(2).mean(1) / channel.flatten(1).std(1)
    assert ratio.mean().item() == pytest.approx(0.01, rel=0.1)
    others = torch.rand_like(x)
    others[torch.arange(60), kept] = channel
    torch.manual_seed(1)
    assert torch.equal(DropChannels()(batch_of(others)).x, seen)


def test_channels_move_apart_by_whole_pixels() -> None:
    torch.manual_seed(0)
    x = torch.rand(40, 3, 12, 12)
    seen, found = ChannelJitter(2)(batch_of(x)).x, set()
    for i in range(40):
        for c in range(3):
            moves = [
                (down, across)
                for down in range(-2, 3)
                for across in range(-2, 3)
                if torch.equal(
                    seen[i, c, 2:-2, 2:-2], x[i, c, 2 + down : 10 + down, 2 + across : 10 + across]
                )
            ]
            assert len(moves) == 1
            found.add(moves[0])
    assert len(found) == 25


@pytest.mark.parametrize("guard", [DropChannels(), ChannelJitter(2)])
def test_grey_images_are_left_alone(guard: View) -> None:
    x = torch.rand(5, 1, 8, 8)
    assert torch.equal(guard(batch_of(x)).x, x)


def test_some_images_become_coarse() -> None:
    torch.manual_seed(0)
    x = torch.rand(400, 1, 8, 8)
    seen = Coarse(0.25, 0.5)(batch_of(x)).x
    changed = (seen - x).flatten(1).abs().amax(1) > 1e-6
    assert 0.15 < changed.float().mean() < 0.3  # a factor of nearly 1 changes nothing
    torch.testing.assert_close(
        Coarse(1.0, 0.01)(batch_of(torch.full((9, 1, 8, 8), 0.7))).x, torch.full((9, 1, 8, 8), 0.7)
    )


def test_coarse_is_the_mean_of_pixels_and_straight_lines_between() -> None:
    x = torch.rand(1, 2, 6, 6)
    half = F.interpolate(F.avg_pool2d(x, 2), 6, mode="bilinear", align_corners=False)
    torch.manual_seed(0)
    many = Coarse(1.0, 0.3)(batch_of(x.expand(200, 2, 6, 6))).x
    assert (many - half).flatten(1).abs().amax(1).min() < 1e-6  # 3 of 6 pixels is among what is drawn


def noise(n: int, channels: int, seed: int) -> torch.Tensor:
    """Smooth noise, which has no up and down, nor any other place."""
    rows = torch.randn(n, channels, SIDE + 8, SIDE + 8, generator=torch.Generator().manual_seed(seed))
    smooth = F.avg_pool2d(rows, 3, 1)
    return (0.5 + 0.4 * smooth).clamp(0, 1)[:, :, 3 : 3 + SIDE, 3 : 3 + SIDE]


def by_cell(n: int) -> torch.Tensor:
    """Of each pixel along a side: -1 in the first third, 0 in the second, 1 in the last."""
    return torch.arange(n) * 3 // n - 1


def brightened(n: int, seed: int) -> torch.Tensor:
    """Noise that is brighter to the lower right, more steeply downwards."""
    down, across = torch.meshgrid(torch.linspace(-1, 1, SIDE), torch.linspace(-1, 1, SIDE), indexing="ij")
    return (0.5 * noise(n, 1, seed) + 0.25 + 0.16 * down + 0.08 * across).clamp(0, 1)


def lined(n: int, seed: int) -> torch.Tensor:
    """Noise with a bar of some brightness across each cut between two cells, a pixel to either side."""
    drawn, cell = torch.Generator().manual_seed(seed), SIDE // 3
    x = noise(n, 1, seed)
    for cut in (cell, 2 * cell):
        for first in (0, cell, 2 * cell):
            bars = torch.rand(2, n, 1, 1, 1, generator=drawn)
            x[:, :, first + 2 : first + cell - 2, cut - 1 : cut + 1] = bars[0]
            x[:, :, cut - 1 : cut + 1, first + 2 : first + cell - 2] = bars[1]
    return x


def aberrated(n: int, seed: int) -> torch.Tensor:
    """Grey noise whose green is moved away from the middle, by a pixel in the outer cells."""
    grey = noise(n, 1, seed)
    at = (torch.arange(SIDE) - by_cell(SIDE)).clamp(0, SIDE - 1)
    return torch.cat([grey, grey[:, :, at][..., at], grey], 1)


def sharpened(n: int, seed: int) -> torch.Tensor:
    """Smooth noise with a chequered pattern of single pixels, none above and most below."""
    at = torch.arange(SIDE)
    chequered = (at[:, None] + at) % 2 - 0.5
    return (noise(n, 1, seed) + 0.1 * chequered * (1 + by_cell(SIDE))[:, None]).clamp(0, 1)


class Little(nn.Module):
    """A convolutional network that sees a tile whole."""

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.Flatten(),
            nn.Linear(16 * side**2, 64), nn.BatchNorm1d(64), nn.ReLU(),
        )  # fmt: skip
        self.side = side

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[-1] != self.side:
            x = F.adaptive_avg_pool2d(x, self.side)
        return self.body(x)


def solved(make: Maker, views: Tiles, epochs: int = 5) -> float:
    """The share of directions that is told right of new images, after a short training; by chance it is 0.15."""
    x = make(512, 0)
    side = tile_side(SIDE, 3, views.share)
    method = RelativePatch(
        encoder=Little(x.shape[1], side), views=views, epochs=epochs, batch_size=32, device="cpu",
        precision="32-true", dim=32, hidden=64,
    )  # fmt: skip
    method.fit(as_samples((255 * x).byte().numpy()))
    fresh = as_samples((255 * make(256, 1)).byte().numpy())
    for module in method.modules().values():
        module.eval()
    with torch.no_grad():
        return float(method.measures(fresh[np.arange(256)])["pretext_accuracy"])


PLANTED = {
    "levelling": (brightened, Tiles(levelled=False), Tiles(), 0.45, 0.18),
    "gap": (lined, Tiles(share=1.0, jitter=0.0), Tiles(), 0.45, 0.18),
    "channels": (aberrated, Tiles(), Tiles(each=DropChannels()), 0.7, 0.18),
}
FADED = {
    "moved": (aberrated, Tiles(), Tiles(each=ChannelJitter(2)), 0.7, 0.2),
    "coarse": (sharpened, Tiles(), Tiles(each=Coarse(1.0, 0.15)), 0.35, 0.24),
}


@pytest.mark.all
@pytest.mark.parametrize(("make", "open_", "guarded", "least", "most"), PLANTED.values(), ids=PLANTED)
def test_a_planted_shortcut_is_taken_without_its_guard_and_not_with_it(
    make: Maker, open_: Tiles, guarded: Tiles, least: float, most: float
) -> None:
    assert solved(make, open_) > least
    assert solved(make, guarded) < most


@pytest.mark.all
@pytest.mark.parametrize(("make", "open_", "guarded", "least", "most"), FADED.values(), ids=FADED)
def test_a_planted_shortcut_is_of_little_use_beside_a_guard_that_blurs_it(
    make: Maker, open_: Tiles, guarded: Tiles, least: float, most: float
) -> None:
    assert solved(make, open_) > least
    assert solved(make, guarded) < most


def shaded(n: int, seed: int) -> torch.Tensor:
    """Noise on a ground whose brightness tells each cell from all others."""
    number = by_cell(SIDE)
    return (0.1 * noise(n, 1, seed) + 0.1 * (3 * number[:, None] + number + 4)).clamp(0, 1)


@pytest.mark.all
def test_a_shortcut_that_nothing_guards_against_raises_an_alarm() -> None:
    x = as_samples((255 * shaded(512, 0)).byte().numpy())
    alarms = []
    for levelled in (False, True):
        method = RelativePatch(
            encoder=Little(1, tile_side(SIDE, 3, Tiles().share)), views=Tiles(levelled=levelled), epochs=30,
            batch_size=32, device="cpu", precision="32-true", dim=32, hidden=64,
        )  # fmt: skip
        alarms.append([str(alarm) for alarm in method.fit(x).history_.alarms])
    assert any("give their places away" in alarm for alarm in alarms[0])
    assert not any("give their places away" in alarm for alarm in alarms[1])
