"""Maps of encoders, and what is made of them."""

import numpy as np
import pytest
import torch
from torch import nn

from replearn.data.samples import ArraySamples
from replearn.encoders import make_encoder
from replearn.encoders.maps import FromMap, map_shape, steps_up
from replearn.encoders.stages import pooled


def samples(side=24):
    return ArraySamples(np.random.default_rng(0).integers(0, 255, (4, 3, side, side), dtype=np.uint8))


@pytest.mark.parametrize(
    "spec",
    [
        "resnet_small",
        "cnn",
        "test_resnet",
        "test_vit",
        "swin_tiny_patch4_window7_224",
        nn.Conv2d(3, 5, 3),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:.*cannot be built for images")
def test_the_map_is_what_is_pooled(spec):
    data = samples()
    encoder = make_encoder(spec, data).eval()
    batch = data[np.arange(4)]
    with torch.no_grad():
        found = encoder.read(batch, "map")
    assert tuple(found.shape[1:]) == map_shape(encoder, data)
    assert found.shape[1] == encoder.dim
    with torch.no_grad():
        torch.testing.assert_close(found.flatten(2).mT, encoder.tokens(batch))
        if isinstance(spec, nn.Module) or spec in ("resnet_small", "cnn", "test_resnet"):
            torch.testing.assert_close(pooled(found), encoder(batch), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "spec", ["mlp", "linear", "conv", nn.Sequential(nn.Flatten(), nn.Linear(1728, 4))], ids=str
)
def test_encoders_without_a_map_are_refused(spec):
    with pytest.raises(ValueError, match=r"must end in a map .* does not. Use resnet_small") as error:
        map_shape(make_encoder(spec, samples()), samples())
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("shape", [(7, 24, 24), (3, 13, 6), (2, 3, 3)])
def test_a_picture_of_any_size(shape):
    net = FromMap((5, 3, 3), shape, width=4).eval()
    assert net(torch.randn(2, 5, 3, 3)).shape == (2, *shape)


def test_sizes_double():
    assert steps_up((4, 4), (32, 32)) == [(4, 4), (8, 8), (16, 16), (32, 32)]
    assert steps_up((4, 4), (3, 4)) == [(3, 4)]
