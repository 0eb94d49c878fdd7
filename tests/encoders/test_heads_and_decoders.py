"""Heads and decoders: shapes, layers, errors."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from replearn.encoders import DECODERS, decoder_for, make_decoder, make_encoder, mlp
from replearn.encoders.decoders import ConvDecoder

SHAPES = [(1, 28, 28), (3, 8, 8), (2, 33, 20), (1, 1, 1), (5, 1, 40), (3, 96, 64)]


@pytest.mark.parametrize("shape", [*SHAPES, (5,)])
@pytest.mark.parametrize("kind", DECODERS)
def test_decoders_give_the_shape_asked_for(kind: str, shape: tuple[int, ...]) -> None:
    if kind == "conv" and len(shape) == 1:
        pytest.skip("tables have no positions")
    decoder = make_decoder(kind, 6, shape)
    x = decoder(torch.randn(4, 6))
    assert x.shape == (4, *shape)
    assert x.abs().amax() > 0
    x.square().sum().backward()
    assert all(parameter.grad is not None for parameter in decoder.parameters())
    assert decoder.eval()(torch.randn(1, 6)).shape == (1, *shape)


def test_a_linear_decoder_is_affine() -> None:
    decoder, (a, b) = make_decoder("linear", 6, (1, 4, 4)), torch.randn(2, 3, 6)
    torch.testing.assert_close(decoder(a) + decoder(b), decoder(a + b) + decoder(torch.zeros(3, 6)))


def test_the_mirror_of_an_encoder() -> None:
    samples = SimpleNamespace(kind="image", shape=(1, 9, 9), statistics=(torch.zeros(1), torch.ones(1)))
    encoders = {name: make_encoder(name, samples) for name in ("linear", "mlp", "cnn")}
    kinds = {name: decoder_for(encoder, (1, 9, 9), dim=3) for name, encoder in encoders.items()}
    assert [len(list(kinds[name].parameters())) for name in ("linear", "mlp")] == [2, 8]
    assert isinstance(kinds["cnn"], ConvDecoder)
    assert all(decoder(torch.randn(2, 3)).shape == (2, 1, 9, 9) for decoder in kinds.values())


@pytest.mark.parametrize(("kind", "shape"), [("convv", (1, 8, 8)), ("conv", (5,))])
def test_unfit_decoders_are_refused(kind: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"must be linear or mlp, or conv for images.*Nearest: (conv|mlp)"):
        make_decoder(kind, 6, shape)


@pytest.mark.parametrize(
    ("depth", "norm", "layers"),
    [
        (1, True, [nn.Linear]),
        (2, True, [nn.Linear, nn.BatchNorm1d, nn.ReLU, nn.Linear]),
        (3, False, [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear]),
    ],
)
def test_layers_of_a_head(depth: int, norm: bool, layers: list[type[nn.Module]]) -> None:
    head = mlp(5, 7, 3, depth=depth, norm=norm)
    assert [type(layer) for layer in head] == layers
    assert head(torch.randn(4, 5)).shape == (4, 3)
    assert head[-1].bias is not None


def test_a_head_has_at_least_one_layer() -> None:
    with pytest.raises(ValueError, match="depth counts linear layers and must be at least 1; got 0"):
        mlp(5, 7, 3, depth=0)
