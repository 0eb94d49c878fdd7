"""Names of encoders: ours, timm's, unknown ones."""

import socket
import subprocess
import sys
import warnings
from types import SimpleNamespace

import pytest
import timm
import torch
from torch import nn

from replearn.data.samples import Batch
from replearn.encoders import MLP, ResNetSmall, make_encoder
from replearn.encoders.timm_nets import EncoderWarning


def samples(*shape: int, kind: str = "image") -> SimpleNamespace:
    return SimpleNamespace(kind=kind, shape=shape, statistics=(torch.zeros(shape[0]), torch.ones(shape[0])))


def refused(*args: object, **knobs: object) -> None:
    raise AssertionError("called")


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("resnet_smal", "resnet_small"),
        ("resnet81", "resnet18"),
        ("vit_tiny_patch16_242", "vit_tiny_patch16_224"),
        ("lineer", "linear"),
        ("hf-hub:timm/resnet18", "Nearest"),
        ("resnet18.no_such_weights", "Nearest"),
        ("", "Nearest: none"),
    ],
)
def test_unknown_names_offer_the_nearest(name: str, near: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timm, "create_model", refused)
    with pytest.raises(ValueError, match=near):
        make_encoder(name, samples(1, 28, 28))


def test_auto_goes_by_kind_and_size() -> None:
    assert isinstance(make_encoder("auto", samples(1, 64, 64)).body, ResNetSmall)
    large = make_encoder("auto", samples(2, 65, 80)).body
    assert isinstance(large.net, timm.models.resnet.ResNet)
    assert large.net.conv1.kernel_size == (7, 7)
    assert isinstance(make_encoder("auto", samples(4, kind="of nobody")).body, MLP)


@pytest.mark.parametrize("name", ["cnn", "resnet_small", "resnet18"])
def test_tables_have_no_convolutions(name: str) -> None:
    with pytest.raises(ValueError, match=r"reads images.*; got samples of shape \(5,\)"):
        make_encoder(name, samples(5, kind="table"))


def test_timm_is_imported_only_for_its_names() -> None:
    code = """
import sys, torch
from types import SimpleNamespace
from replearn.encoders import ENCODERS, make_encoder
for name in ('auto', *ENCODERS):
    make_encoder(name, SimpleNamespace(kind='image', shape=(1, 8, 8), statistics=(torch.zeros(1),
    torch.ones(1))))
assert 'timm' not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_nothing_is_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    make_encoder("resnet18.a1_in1k", samples(3, 32, 32))


def test_small_images_get_a_small_stem() -> None:
    net = make_encoder("resnet18", samples(4, 32, 32)).body.net
    assert net.conv1.weight.shape == (64, 4, 3, 3)
    assert net.conv1.stride == (1, 1)
    assert isinstance(net.maxpool, nn.Identity)
    convnext = make_encoder("convnext_atto", samples(1, 28, 28)).body.net
    assert convnext.stem[0].weight.shape == (40, 1, 3, 3)
    assert convnext.stem[0].stride == (1, 1)


@pytest.mark.parametrize(
    ("shape", "tokens"),
    # 4-pixel patches of 28 x 28; 33 x 41 padded to 36 x 44; 16-pixel patches of 100 x 90, padded to 112 x 96
    [((1, 28, 28), 7 * 7), ((3, 33, 41), 9 * 11), ((3, 100, 90), 7 * 6)],
)
def test_patches_fit_the_images(shape: tuple[int, int, int], tokens: int) -> None:
    encoder = make_encoder("vit_tiny_patch16_224", samples(*shape)).eval()
    batch = Batch(x=torch.rand(1, *shape), labels=torch.tensor([-1]), index=torch.tensor([0]))
    with torch.no_grad():
        assert encoder.tokens(batch).shape == (1, tokens, 192)
        assert [layer.shape for layer in encoder.layers(batch)] == [(1, 192)] * 12


def test_models_of_one_size_read_resized_images() -> None:
    with pytest.warns(EncoderWarning, match=r"test_vit cannot be built for images of \(28, 28\) pixels"):
        encoder = make_encoder("test_vit", samples(1, 28, 28))
    batch = Batch(x=torch.rand(2, 1, 28, 28), labels=torch.full((2,), -1), index=torch.arange(2))
    assert encoder(batch).shape == (2, encoder.dim)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_encoder("test_vit", samples(1, 160, 160))
