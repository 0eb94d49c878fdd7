"""Encoders read crops that are smaller than the images they are made for."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from replearn.data.samples import Batch
from replearn.encoders import ENCODERS, make_encoder


def images(side: int, n: int = 2) -> Batch:
    x = torch.rand(n, 1, side, side, generator=torch.Generator().manual_seed(0))
    return Batch(x=x, labels=torch.full((n,), -1), index=torch.arange(n))


def described(side: int = 28) -> SimpleNamespace:
    return SimpleNamespace(kind="image", shape=(1, side, side), statistics=(torch.zeros(1), torch.ones(1)))


@pytest.mark.parametrize("name", [*ENCODERS, "vit_tiny_patch16_224", "resnet18"])
@pytest.mark.parametrize("side", [14, 16])
def test_every_encoder_reads_small_crops(name: str, side: int) -> None:
    encoder = make_encoder(name, described()).eval()
    with torch.no_grad():
        assert encoder(images(side)).shape == (2, encoder.dim)


def test_vision_transformers_see_crops_at_their_own_size() -> None:
    encoder = make_encoder("vit_tiny_patch16_224", described()).eval()
    with torch.no_grad():
        assert encoder.tokens(images(16)).shape == (2, 16, encoder.dim)
        assert encoder.tokens(images(28)).shape == (2, 49, encoder.dim)


def test_networks_for_one_size_get_crops_resized() -> None:
    flat = nn.Sequential(nn.Flatten(), nn.Linear(784, 5))
    encoder = make_encoder(flat, described())
    assert encoder.size == (28, 28)
    small = images(14)
    grown = nn.functional.interpolate(small.x, (28, 28), mode="bilinear", antialias=True)
    torch.testing.assert_close(encoder(small), encoder(small.with_x(grown)))
    assert make_encoder("cnn", described()).size is None
    assert make_encoder(nn.Conv2d(1, 4, 3, padding=1), described()).size is None
