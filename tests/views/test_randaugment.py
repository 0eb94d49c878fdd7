"""RandAugment: what each operation does, beside torchvision's; which are drawn, how often, how strongly."""

import pytest
import torch
from torchvision.transforms.v2 import functional as torchvision

from replearn.data.samples import Batch
from replearn.views import RandAugment
from replearn.views.randaugment import PLACES, TONES, moved, operations
from replearn.views.tones import equalized, posterized


def photos(n: int, c: int = 3, side: int = 16) -> torch.Tensor:
    """Images of few levels, which stand for shades of a photograph, as bytes."""
    drawn = torch.rand(n, c, side, side, generator=torch.Generator().manual_seed(3))
    ramp = torch.linspace(0, 1, side)[:, None] * torch.linspace(0.3, 1, side)
    return (40 + 170 * (0.5 * drawn + 0.5 * ramp)).byte()


def batch_of(x: torch.Tensor) -> Batch:
    return Batch(x, torch.zeros(len(x)).long(), torch.arange(len(x)))


def each(name: str, x: torch.Tensor, by: float) -> torch.Tensor:
    """All images by one operation."""
    if name in PLACES:
        row = torch.full((len(x), 1), PLACES.index(name))
        return moved(x, row, torch.full((len(x), 1), by))
    return TONES[name](x, torch.full((len(x), 1, 1, 1), by)) if name in TONES else x


BY = {
    "brightness": lambda x: torchvision.adjust_brightness(x, 1.45),
    "contrast": lambda x: torchvision.adjust_contrast(x, 1.45),
    "colour": lambda x: torchvision.adjust_saturation(x, 1.45),
    "sharpness": lambda x: torchvision.adjust_sharpness(x, 1.45),
    "posterize": lambda x: torchvision.posterize((255 * x).round().byte(), 6) / 255,
    "solarize": lambda x: torchvision.solarize(x, 0.5),
    "equalize": lambda x: torchvision.equalize((255 * x).round().byte()) / 255,
    "auto contrast": torchvision.autocontrast,
}


@pytest.mark.parametrize("name", TONES)
@pytest.mark.parametrize("side", [16, 40])
def test_tones_are_those_of_torchvision(name: str, side: int) -> None:
    x = photos(6, side=side) / 255
    seen = each(name, x, 0.5)
    assert not torch.equal(seen, x)
    torch.testing.assert_close(seen, BY[name](x), atol=2e-3, rtol=0)  # whose grey has other digits


@pytest.mark.parametrize(("name", "axis"), [("shift across", 3), ("shift down", 2)])
def test_shifts_are_by_a_share_of_the_side(name: str, axis: int) -> None:
    x = torch.rand(2, 1, 10, 10)
    seen = each(name, x, -2 / 3)  # a fifth of ten pixels: what is shown at 2 lay at 0
    torch.testing.assert_close(seen.narrow(axis, 2, 8), x.narrow(axis, 0, 8), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["rotate", "shear across", "shear down"])
def test_turns_and_slants_go_as_far_as_they_say(name: str) -> None:
    """A small bright spot lands where the matrix of torchvision's or the definition says."""
    x = torch.zeros(1, 1, 41, 41)
    x[..., 10, 32] = 1.0  # 12 to the right of the middle, 10 above it
    seen = each(name, x, 0.5)
    height, width = torch.meshgrid(torch.arange(41.0) - 20, torch.arange(41.0) - 20, indexing="ij")
    found = torch.stack([(seen[0, 0] * axis).sum() / seen.sum() for axis in (width, height)])
    point = torch.tensor([12.0, -10.0])
    cos, sin = torch.tensor(torch.pi / 12).cos(), torch.tensor(torch.pi / 12).sin()
    read = {  # where a point is read
        "rotate": torch.stack([torch.stack([cos, -sin]), torch.stack([sin, cos])]),
        "shear across": torch.tensor([[1.0, 0.15], [0.0, 1.0]]),
        "shear down": torch.tensor([[1.0, 0.0], [0.15, 1.0]]),
    }[name]
    torch.testing.assert_close(read @ found, point, atol=0.4, rtol=0)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_every_operation_is_drawn_equally_often_in_both_directions(channels: int) -> None:
    n = 1400
    x = photos(1, channels).expand(n, channels, 16, 16).contiguous()
    torch.manual_seed(0)
    seen = RandAugment(1, 0.5, 0.5)(batch_of(x)).x
    names = operations(channels)
    assert ("colour" in names) == (channels > 1)
    assert len(names) == (13 if channels == 1 else 14)
    told = 0
    for name in names:
        share = []
        for by in (-0.5, 0.5):
            made = each(name, x[:1] / 255, by)
            share.append((seen - made).flatten(1).abs().amax(1).lt(1e-5).float().mean().item())
        if torch.equal(each(name, x[:1] / 255, -0.5), each(name, x[:1] / 255, 0.5)):
            share = share[:1]
        told += sum(share)
        assert sum(share) == pytest.approx(1 / len(names), abs=0.025), name
        assert min(share) > 0.015, name
    assert told == pytest.approx(1)


def test_as_many_operations_as_asked() -> None:
    x = photos(1).expand(2000, 3, 16, 16).contiguous()
    for number in (1, 2, 3):
        torch.manual_seed(0)
        seen = RandAugment(number, 0.5, 0.5)(batch_of(x)).x
        same = (seen - x / 255).flatten(1).abs().amax(1).lt(1e-6).float().mean().item()
        assert same == pytest.approx(1 / 14**number, abs=0.02)


def test_operations_on_tones_keep_their_order() -> None:
    """Twice, each pair of operations is found as one after the other."""
    x = photos(1).expand(4000, 3, 16, 16).contiguous()
    torch.manual_seed(0)
    seen = RandAugment(2, 0.5, 0.5)(batch_of(x)).x
    for first, second in (("solarize", "posterize"), ("posterize", "solarize")):
        made = each(second, each(first, x[:1] / 255, 0.5), 0.5)
        assert (seen - made).flatten(1).abs().amax(1).lt(1e-5).sum() >= 8  # about 20


def test_a_magnitude_may_be_drawn() -> None:
    x = photos(1).expand(3000, 3, 16, 16).contiguous()
    torch.manual_seed(0)
    fixed = RandAugment(1, 0.5, 0.5)(batch_of(x)).x
    torch.manual_seed(0)
    drawn = RandAugment(1, 0.0, 1.0)(batch_of(x)).x
    assert len(fixed.flatten(1).unique(dim=0)) <= 28
    assert len(drawn.flatten(1).unique(dim=0)) > 1000
    torch.manual_seed(0)
    still = RandAugment(2, 0.0, 0.0)(batch_of(x)).x
    ordinary = (still - x / 255).flatten(1).abs().amax(1).lt(1e-5).float().mean().item()
    assert ordinary == pytest.approx((12 / 14) ** 2, abs=0.03)  # equalizing and stretching have no magnitude


def test_the_input_stays_as_it_is() -> None:
    x = photos(20) / 255
    before = x.clone()
    RandAugment(3, 1.0, 1.0)(batch_of(x))
    assert torch.equal(x, before)


def test_flat_images_stay_flat() -> None:
    x = torch.full((50, 3, 8, 8), 0.4)
    assert torch.equal(equalized(x), x)
    assert torch.equal(each("auto contrast", x, 0.5), x)
    bits = torch.full((50, 1, 1, 1), 8.0)
    torch.testing.assert_close(posterized(photos(50) / 255, bits), photos(50) / 255)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"number": 0}, "number of RandAugment must be a whole number, at least 1; got 0"),
        ({"low": 0.6}, r"low <= high of RandAugment must lie from 0 to 1; got 0\.6 and 0\.5"),
        ({"high": 1.5}, "low <= high of RandAugment must lie from 0 to 1"),
    ],
)
def test_what_cannot_be(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RandAugment(**wrong)
