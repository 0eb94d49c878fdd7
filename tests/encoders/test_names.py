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

from made_methods import few_images
from replearn.data.samples import Batch
from replearn.encoders import MLP, ResNetSmall, make_encoder
from replearn.encoders.kinds import NETWORKS
from replearn.encoders.kinds.base import sizes_in
from replearn.encoders.kinds.text import TextNetworks
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


def sized() -> list[tuple[str, str, dict[str, int]]]:
    """Every network of every kind that has sizes; those of texts have a vocabulary, and sizes in their names."""
    return [
        (kind, name, found)
        for kind, room in NETWORKS.items()
        if not isinstance(room, TextNetworks)
        for name, maker in room.bodies.items()
        if (found := sizes_in(maker))
    ]


SHAPES = {
    "image": (3, 32, 32),
    "board": (12, 8, 8),
    "series": (3, 64),
    "sound": (1, 4000),
    "video": (3, 4, 16, 16),
}
SHAPES |= {"volume": (1, 16, 16, 16), "points": (3, 64), "table": (5,), "graph": (5, 3), "node": (5,)}


@pytest.mark.parametrize(("kind", "name", "sizes"), sized(), ids=str)
def test_networks_are_as_large_as_they_are_asked_to_be(kind: str, name: str, sizes: dict[str, int]) -> None:
    """Of the sizes that are theirs the plain name gives the same weights, of others another number of them."""
    if kind in ("graph", "node"):
        pytest.importorskip("torch_geometric", reason="needs replearn[graph]")
    of = samples(*SHAPES[kind], kind=kind)

    def made(spec: str) -> list[torch.Size]:
        return [weight.shape for weight in make_encoder(spec, of).parameters()]

    for size, value in sizes.items():
        assert made(f"{name}:{size}={value}") == made(name)
        other = made(f"{name}:{size}={2 * value}")
        assert sum(shape.numel() for shape in other) > sum(shape.numel() for shape in made(name))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("cnn:depth=2", "cnn has width to set; got depth"),
        ("linear:width=8", "linear has no sizes to set"),
        ("resnet18:width=8", "resnet18 has no sizes to set"),
        ("cnn:width=12", "width of cnn must lie between 8 and 8,192, a multiple of 8; got 12"),
        ("vit:depth=0", "depth of vit must lie between 1 and 256; got 0"),
        ("vit:breadth=8", "must be written vit:width=64:depth=2, each once; got 'breadth=8'"),
        ("vit:depth=2:depth=2", "each once; got 'depth=2'"),
        ("vit:depth=-2", "each once; got 'depth=-2'"),
        ("cnm:width=8", "Nearest: cnn"),
    ],
)
def test_sizes_that_can_not_be_are_told(name: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make_encoder(name, samples(1, 28, 28))


def test_a_run_of_another_size_is_loaded_with_it(tmp_path) -> None:
    from replearn.methods import SimCLR, load

    few = few_images()
    made = SimCLR(encoder="cnn:width=8", hidden=8, dim=4, epochs=1, device="cpu").fit(
        few, run=tmp_path / "run"
    )
    assert (load(tmp_path / "run").transform(few) == made.transform(few)).all()
