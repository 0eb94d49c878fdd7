"""Decoders with the encoder's weights; discriminators of samples and codes."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from replearn.encoders import make_encoder, tied_decoder
from replearn.encoders.discriminators import ConvDiscriminator, DenseDiscriminator

SHAPE = (1, 4, 4)
SAMPLES = SimpleNamespace(kind="image", shape=SHAPE, statistics=(torch.zeros(1), torch.ones(1)))


def test_a_tied_linear_decoder_is_the_transposed_map() -> None:
    encoder, code = make_encoder("linear", SAMPLES), nn.Linear(16, 3)
    decoder = tied_decoder(encoder, code, SHAPE)
    z = torch.randn(5, 3)
    weight = code.weight @ encoder.body.stages[0][1].weight  # (3, 16)
    torch.testing.assert_close(decoder(z) - decoder(0 * z), (z @ weight).view(5, *SHAPE))
    assert [tuple(p.shape) for p in decoder.parameters()] == [(16,), (16,)]  # biases only
    decoder(z).sum().backward()
    assert code.weight.grad is not None


def test_a_tied_mlp_has_its_norms_where_the_encoder_has_them() -> None:
    encoder, code = make_encoder("mlp", SAMPLES), nn.Linear(256, 3)
    decoder = tied_decoder(encoder, code, SHAPE)
    kinds = [type(layer).__name__ for layer in decoder]
    back, act = "Transposed", ["BatchNorm1d", "ReLU"]
    assert kinds == [back, back, *act, back, *act, back, "Unflatten"]
    assert decoder(torch.randn(5, 3)).shape == (5, *SHAPE)
    assert not {id(p) for p in decoder.parameters()} & {id(p) for p in encoder.parameters()}


def test_convolutions_have_no_mirror_of_transposed_weights() -> None:
    with pytest.raises(ValueError, match=r"need an encoder that is linear or mlp; got CNN\. Use"):
        tied_decoder(make_encoder("cnn", SAMPLES), nn.Linear(128, 3), SHAPE)


@pytest.mark.parametrize("make", [ConvDiscriminator, DenseDiscriminator])
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 9, 14), (2, 4, 4), (1, 1, 1)])
def test_scores_of_pairs_are_of_each_pair_alone(make, shape) -> None:  # type: ignore[no-untyped-def]
    judge = make(shape, 6, hidden=32).eval()
    x, z = torch.randn(4, *shape), torch.randn(4, 6)
    scores = judge(x, z)
    assert scores.shape == (4, 1)
    torch.testing.assert_close(judge(x[1:2], z[1:2]), scores[1:2])
    assert (judge(x, z.flip(0)) != scores).any()
    assert (judge(x.flip(0), z) != scores).any()


def test_a_score_of_convolutions_moves_no_faster_than_the_code() -> None:
    judge = ConvDiscriminator((1, 4, 4), 4, hidden=16).train()
    for _ in range(50):
        judge(torch.randn(4, 1, 4, 4), torch.randn(4, 4))  # power iterations
    judge.eval()
    x, z, step = torch.randn(64, 1, 4, 4), torch.randn(64, 4), 0.1 * torch.randn(64, 4)
    moved = (judge(x, z + step) - judge(x, z)).abs()
    assert (moved <= 1.05 * step.norm(dim=1, keepdim=True)).all()
    assert moved.max() > 0
