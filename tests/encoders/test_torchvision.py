"""Networks of torchvision lose the layer that tells classes, and with it nothing else."""

import logging
from types import SimpleNamespace

import pytest
import torch
import torchvision.models as shelf
from torch import nn

from replearn.data.samples import Batch
from replearn.encoders import make_encoder, weights_from
from replearn.engine.run import write_tensors

SCALE = (torch.zeros(3), torch.ones(3))
VIT = {"image_size": 32, "patch_size": 16, "num_layers": 1, "num_heads": 2, "hidden_dim": 16, "mlp_dim": 16}


def vit() -> nn.Module:
    return shelf.VisionTransformer(**VIT)


@pytest.mark.parametrize(
    ("make", "layer", "dim"),
    [
        (shelf.resnet18, "fc", 512),
        (shelf.mobilenet_v3_small, "classifier.3", 1024),
        (shelf.squeezenet1_1, "classifier.1", 512),
        (vit, "heads.head", 16),
    ],
)
def test_the_classifier_goes_with_a_line_that_names_it(make, layer, dim, caplog, tmp_path):
    net = make()
    size = 64 if make is shelf.squeezenet1_1 else 32
    samples = SimpleNamespace(kind="image", shape=(3, size, size), statistics=SCALE)
    names, x = list(net.state_dict()), torch.rand(2, 3, size, size)
    with caplog.at_level(logging.WARNING, "replearn"):
        encoder = make_encoder(net, samples)
    assert [record.getMessage() for record in caplog.records] == [
        f"{type(net).__name__} is read without its layer {layer}, which tells 1000 classes; "
        "nn.Sequential(net) would keep it"
    ]
    unknown = torch.full((2,), -1)
    assert encoder.dim == dim == encoder(Batch(x=x, labels=unknown, index=unknown)).shape[1]
    assert list(net.state_dict()) == names  # the caller's own is left alone
    assert [name for name in names if name not in encoder.net.state_dict()] == [
        f"{layer}.weight",
        f"{layer}.bias",
    ]
    kept = make_encoder(nn.Sequential(net), samples)
    assert kept.dim == 1000
    write_tensors(
        tmp_path / "old.safetensors",
        {f"encoder_.body.{name}": value for name, value in net.state_dict().items()},
    )
    with weights_from(tmp_path / "old.safetensors"):  # a run of before, in which it is, is loaded with it
        assert make_encoder(net, samples).dim == 1000


def test_a_network_of_ones_own_keeps_its_layers(caplog):
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(12, 5)

        def forward(self, x):
            return self.fc(x.flatten(1))

    assert make_encoder(Own(), SimpleNamespace(kind="image", shape=(3, 2, 2), statistics=SCALE)).dim == 5
    assert not caplog.records
