"""An encoder is a plain module: it reads tensors, has its network's own layout inside, and can be exported."""

import numpy as np
import pytest
import timm
import torch
from torch import nn

from replearn.data import as_samples
from replearn.encoders import ENCODERS, make_encoder
from replearn.methods import GPT, SimCLR

TIMM = ("resnet18", "vit_tiny_patch16_224")
IMAGES = as_samples(np.random.default_rng(0).integers(0, 256, (8, 3, 32, 32), dtype=np.uint8))


@pytest.mark.parametrize("name", [*ENCODERS, *TIMM])
def test_tensors_are_read_as_batches_and_exports_give_the_same(name: str) -> None:
    encoder = make_encoder(name, IMAGES).eval()
    batch = IMAGES[np.arange(4)]
    with torch.no_grad():
        h = encoder(batch)
        assert torch.equal(encoder(batch.x), h)
        assert torch.equal(encoder(batch.floats().x), h)
        exported = torch.export.export(encoder, (batch.floats().x,)).module()
        torch.testing.assert_close(exported(batch.floats().x), h, rtol=1e-4, atol=1e-5)


def test_a_language_models_encoder_reads_ids_and_is_exported() -> None:
    pytest.importorskip("transformers", minversion="5", reason="masks of older releases can't be exported")
    model = GPT(encoder="gpt_tiny", window=8, vocabulary=300, batch_size=4)
    model.prepare(["the cat sat on the mat and ran"] * 40)
    encoder = model.encoder_.eval()
    ids = torch.randint(5, 40, (3, 8), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        h = encoder(ids)
        assert h.shape == (3, encoder.dim)
        exported = torch.export.export(encoder, (ids,)).module()
        torch.testing.assert_close(exported(ids), h, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", TIMM)
def test_networks_of_timm_are_reached_in_their_own_layout(name: str) -> None:
    method = SimCLR(encoder=name, batch_size=8).prepare(IMAGES)
    own = timm.create_model(name, num_classes=0).state_dict()
    assert list(method.encoder_.net.state_dict()) == list(own)
    # Runs of before have the same names: the layout of weights on disk is as it was.
    assert {f"body.net.{key}" for key in own} | {"mean", "std"} == set(method.encoder_.state_dict())


def test_networks_of_torchvision_and_of_ones_own_are_reached() -> None:
    import torchvision

    net = torchvision.models.resnet18(weights=None)
    net.fc = nn.Identity()
    encoder = make_encoder(net, IMAGES)
    assert list(encoder.net.state_dict()) == list(net.state_dict())
    maps = nn.Sequential(nn.Conv2d(3, 4, 3))
    assert list(make_encoder(maps, IMAGES).net.state_dict()) == list(maps.state_dict())
