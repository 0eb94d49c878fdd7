"""Weights from local files."""

import pickle
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
import safetensors.torch
import timm
import torch
from torch import nn

from replearn.encoders import comes_with_weights, make_encoder


def samples(*shape: int) -> SimpleNamespace:
    statistics = (torch.zeros(shape[0]), torch.ones(shape[0]))
    return SimpleNamespace(kind="image", shape=shape, statistics=statistics)


def contiguous(net: nn.Module) -> dict[str, torch.Tensor]:
    """The weights as safetensors takes them, which knows no channels-last order."""
    return {key: value.contiguous() for key, value in net.state_dict().items()}


@pytest.fixture
def saved(tmp_path: Path) -> tuple[dict[str, torch.Tensor], Path]:
    """A small timm model's weights, with its classifier of 1,000 classes."""
    torch.manual_seed(5)
    state = timm.create_model("test_resnet", pretrained=False).state_dict()
    safetensors.torch.save_file(state, tmp_path / "a b.safetensors")
    return state, tmp_path / "a b.safetensors"


def test_ours_go_and_come(tmp_path: Path) -> None:
    for suffix in (".safetensors", ".pth"):
        path = tmp_path / f"net{suffix}"
        state = contiguous(make_encoder("resnet_small", samples(1, 28, 28)).body)
        safetensors.torch.save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
        found = make_encoder(f"resnet_small@{path}", samples(1, 28, 28)).body.state_dict()
        assert all(torch.equal(state[key], value) for key, value in found.items())


@pytest.mark.parametrize("size", [96, 32])
def test_timm_weights_without_classifier(size: int, saved: tuple[dict[str, torch.Tensor], Path]) -> None:
    state, path = saved
    net = make_encoder(f"test_resnet@{path}", samples(3, size, size)).body.net
    assert all(torch.equal(state[key], value) for key, value in net.state_dict().items())


def test_the_stem_is_the_one_in_the_file(tmp_path: Path) -> None:
    for stem, kernel in (("small", 3), ("usual", 7)):
        size = 32 if stem == "small" else 96
        net = make_encoder("resnet18", samples(3, size, size)).body.net
        safetensors.torch.save_file(contiguous(net), tmp_path / f"{stem}.safetensors")
        found = make_encoder(f"resnet18@{tmp_path}/{stem}.safetensors", samples(3, 32, 32)).body.net
        assert found.conv1.kernel_size == (kernel, kernel)
        assert torch.equal(found.conv1.weight, net.conv1.weight)


def test_patches_and_positions_are_resized(tmp_path: Path) -> None:
    state = timm.create_model("test_vit", pretrained=False).state_dict()
    torch.save({"state_dict": state}, tmp_path / "vit.pth")
    net = make_encoder(f"test_vit@{tmp_path}/vit.pth", samples(3, 80, 96)).body.net
    assert net.pos_embed.shape == (1, 5 * 6 + 1, 64)
    assert torch.equal(net.blocks[0].attn.qkv.weight, state["blocks.0.attn.qkv.weight"])


@pytest.mark.parametrize("channels", [1, 2, 7])
def test_first_convolution_is_adapted(channels: int, saved: tuple[dict[str, torch.Tensor], Path]) -> None:
    state, path = saved
    net = make_encoder(f"test_resnet@{path}", samples(channels, 96, 96)).body.net
    name = f"{net.pretrained_cfg['first_conv']}.weight"
    first = net.state_dict()[name]
    assert first.shape[1] == channels
    # timm's own rule, as its loader applies it.
    torch.testing.assert_close(first, timm.models.adapt_input_conv(channels, state[name]))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda s: {f"module.{k}": v for k, v in s.items()},
            r"missing \(.*unexpected \(module\..*strip a prefix",
        ),
        (lambda s: {k: v for k, v in s.items() if "layer2" not in k}, r"missing \(layer2"),
        (lambda s: {**s, "extra": torch.ones(1)}, r"1 unexpected \(extra\)"),
        (lambda s: {**s, "bn1.weight": torch.ones(3)}, r"1 of another shape \(bn1.weight \(3,\) for"),
    ],
)
def test_weights_that_do_not_fit(change, words: str, saved, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    torch.save(change(dict(saved[0])), tmp_path / "other.pth")
    with pytest.raises(ValueError, match=words):
        make_encoder(f"test_resnet@{tmp_path}/other.pth", samples(3, 96, 96))


class Harm:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit('code ran')",))


def test_files_that_are_no_weights(tmp_path: Path, saved: tuple[dict[str, torch.Tensor], Path]) -> None:
    (tmp_path / "cut.safetensors").write_bytes(saved[1].read_bytes()[:1000])
    (tmp_path / "empty.safetensors").touch()
    (tmp_path / "empty.pth").touch()
    (tmp_path / "text.pth").write_text("hello")
    (tmp_path / "harm.pth").write_bytes(pickle.dumps(Harm(), protocol=2))
    torch.save({"net": Harm()}, tmp_path / "harm2.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    torch.save(saved[0], tmp_path / "whole.pth")
    (tmp_path / "cut.pth").write_bytes((tmp_path / "whole.pth").read_bytes()[:5000])
    for name, words in {
        "cut.safetensors": "tensors only, and whole",
        "empty.safetensors": "tensors only, and whole",
        "empty.pth": "tensors only, and whole",
        "text.pth": "tensors only, and whole",
        "harm.pth": "tensors only, and whole",
        "harm2.pth": "tensors only, and whole",
        "list.pth": "dictionary of tensors",
        "cut.pth": "tensors only, and whole",
        "none.pth": "found none at",
        "weights.bin": "must be a .safetensors",
    }.items():
        with pytest.raises(ValueError, match=words):
            make_encoder(f"test_resnet@{tmp_path}/{name}", samples(3, 96, 96))


def test_what_may_have_learned_elsewhere(tmp_path):
    run = tmp_path / "run"
    assert not comes_with_weights(str(run))
    run.mkdir()
    found = [comes_with_weights(spec) for spec in (str(run), "hf:folder", "cnn@file", nn.Identity())]
    assert found == [True] * 4
    assert not any(map(comes_with_weights, ("auto", "cnn", "resnet18")))


def zipped(path: Path, state: dict[str, torch.Tensor], *, packed: int) -> None:
    """A file of torch whose members are packed in this way, as torch never writes them."""
    torch.save(state, path)
    with zipfile.ZipFile(path) as archive:
        members = [(member.filename, archive.read(member)) for member in archive.infolist()]
    with zipfile.ZipFile(path, "w", packed) as archive:
        for name, content in members:
            archive.writestr(name, content)


HOSTILE = {
    "repeated by strides": torch.zeros(1).expand(10**6, 10**6),
    "sparse": torch.zeros(3, 3).to_sparse(),
    "without memory": torch.zeros(3, 3, device="meta"),
    "not a number": torch.tensor([0.0, float("nan")]),
    "infinite": torch.tensor([float("inf")]),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.filterwarnings("ignore:Validating sparse")
def test_tensors_that_are_not_plain_are_refused(name: str, tmp_path: Path) -> None:
    torch.save({"weight": HOSTILE[name]}, tmp_path / "file.pth")
    with pytest.raises(ValueError, match=r"must hold (plain tensors|finite numbers); weight") as error:
        make_encoder(f"linear@{tmp_path / 'file.pth'}", samples(3))
    assert "\n" not in str(error.value)


def test_a_file_that_unpacks_to_far_more_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "file.pt"
    zipped(path, {"weight": torch.zeros(1000, 1000)}, packed=zipfile.ZIP_STORED)
    with pytest.raises(ValueError, match="missing"):  # read, and of another network
        make_encoder(f"linear@{path}", samples(3))
    zipped(path, {"weight": torch.zeros(1000, 1000)}, packed=zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match=r"it unpacks to 4,\d+,\d+ bytes, from"):
        make_encoder(f"linear@{path}", samples(3))
