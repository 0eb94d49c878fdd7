"""What every encoder owes its callers, for every name and shape."""

from functools import cache
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from lanes import one_of_each
from replearn.data.samples import Batch
from replearn.encoders import ENCODERS, Encoder, make_encoder

TIMM = ("resnet18", "vit_tiny_patch16_224", "mobilenetv3_small_050", "convnext_atto")
IMAGES = ((1, 28, 28), (3, 32, 32), (7, 20, 24))
NAMES = ("auto", *ENCODERS, *TIMM)
# Of images in three channels all of ours; timm's, and other channels, in the whole lane.
CASES = one_of_each([(name, (3, 32, 32)) for name in NAMES], ("auto", *ENCODERS, "resnet18"))
CASES += one_of_each([(name, shape) for name in NAMES for shape in IMAGES if shape != (3, 32, 32)], ("auto",))
CASES += [(name, (5,)) for name in ("auto", "linear", "mlp")]


def described(shape: tuple[int, ...]) -> SimpleNamespace:
    """The least that `make_encoder` may rely on."""
    c = shape[0]
    kind = "image" if len(shape) == 3 else "table"
    return SimpleNamespace(kind=kind, shape=shape, statistics=(torch.full((c,), 0.4), torch.full((c,), 0.3)))


def batch(shape: tuple[int, ...], n: int) -> Batch:
    random = torch.Generator().manual_seed(n)
    x = torch.rand(n, *shape, generator=random)
    return Batch(x=x, labels=torch.full((n,), -1), index=torch.arange(n))


def made(name: str, shape: tuple[int, ...]) -> Encoder:
    torch.manual_seed(1)
    return make_encoder(name, described(shape))


@cache
def shared(name: str, shape: tuple[int, ...]) -> Encoder:
    """One encoder per case, in eval mode; tests that change it make their own."""
    return made(name, shape).eval()


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_a_row_of_dim_numbers_per_sample(name: str, shape: tuple[int, ...]) -> None:
    encoder = shared(name, shape)
    with torch.no_grad():
        h = encoder(batch(shape, 3))
        assert h.shape == (3, encoder.dim)
        assert h.isfinite().all()
        assert encoder(batch(shape, 1)).shape == (1, encoder.dim)


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_eval_is_deterministic_and_rows_do_not_mix(name: str, shape: tuple[int, ...]) -> None:
    encoder, four = shared(name, shape), batch(shape, 4)
    with torch.no_grad():
        h = encoder(four)
        assert torch.equal(h, encoder(four))
        torch.testing.assert_close(encoder(four.with_x(four.x.flip(0))), h.flip(0), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_same_seed_same_bits_and_state_dict_round_trip(name: str, shape: tuple[int, ...]) -> None:
    first, again = shared(name, shape).state_dict(), made(name, shape)
    assert first.keys() == again.state_dict().keys()
    assert all(torch.equal(first[key], value) for key, value in again.state_dict().items())
    other = make_encoder(name, described(shape)).eval()  # another draw
    other.load_state_dict(first)
    with torch.no_grad():
        assert torch.equal(other(batch(shape, 2)), shared(name, shape)(batch(shape, 2)))


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_training_mode_and_a_gradient_for_every_parameter(name: str, shape: tuple[int, ...]) -> None:
    encoder = made(name, shape)
    assert all(module.training for module in encoder.modules())
    h = encoder(batch(shape, 4))
    (h * torch.randn(h.shape, generator=torch.Generator().manual_seed(0))).sum().backward()
    gradients = {key: value.grad for key, value in encoder.named_parameters()}
    assert [key for key, grad in gradients.items() if grad is None or not grad.isfinite().all()] == []
    assert next(grad for grad in gradients.values() if grad is not None and grad.ndim > 1).abs().sum() > 0


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_layers_and_tokens_are_those_of_the_representation(name: str, shape: tuple[int, ...]) -> None:
    encoder, three = shared(name, shape), batch(shape, 3)
    with torch.no_grad():
        layers, tokens, h = encoder.layers(three), encoder.tokens(three), encoder(three)
    assert all(layer.ndim == 2 and len(layer) == 3 for layer in layers)
    assert tokens.ndim == 3
    assert len(tokens) == 3
    if name in ("auto", *ENCODERS):
        torch.testing.assert_close(layers[-1], h)
    if name in ("auto", *ENCODERS, "resnet18"):
        torch.testing.assert_close(tokens.mean(1), h)


def test_input_is_standardised_per_channel_in_channels_last() -> None:
    seen: list[Tensor] = []
    encoder = made("cnn", (3, 8, 8))
    encoder.body.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    encoder(batch((3, 8, 8), 2))
    torch.testing.assert_close(seen[0], (batch((3, 8, 8), 2).x - 0.4) / 0.3)
    assert seen[0].is_contiguous(memory_format=torch.channels_last)


def test_a_column_far_from_zero_keeps_its_digits() -> None:
    """Years, time stamps: the mean is large beside the deviation."""
    x = 2.0**20 + torch.arange(8.0)[:, None]
    encoder = Encoder(torch.nn.Identity(), dim=1, mean=x.mean(0), std=x.std(0))
    unknown = torch.full((8,), -1)
    torch.testing.assert_close(encoder(Batch(x=x, labels=unknown, index=unknown)), (x - x.mean(0)) / x.std(0))


@pytest.mark.parametrize(
    ("name", "count"), [("resnet_small", 1_207_264), ("cnn", 92_896), ("mlp", 796_928), ("conv", 1_699_040)]
)
def test_parameter_counts_in_the_docstrings(name: str, count: int) -> None:
    assert sum(p.numel() for p in shared(name, (1, 28, 28)).parameters()) == count
