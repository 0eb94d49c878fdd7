"""Modules that the caller gives."""

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from replearn.data.samples import Batch
from replearn.encoders import Encoder, make_encoder

SCALE = (torch.tensor([0.5]), torch.tensor([0.2]))
SAMPLES = SimpleNamespace(kind="image", shape=(1, 8, 8), statistics=SCALE)
BATCH = Batch(x=torch.rand(4, 1, 8, 8), labels=torch.full((4,), -1), index=torch.arange(4))


class Restless(nn.Module):
    """Draws random numbers and counts its calls, in eval mode too."""

    calls: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Sequential(nn.Flatten(), nn.Linear(64, 6), nn.BatchNorm1d(6))
        self.register_buffer("calls", torch.tensor(0))

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        out: Tensor = self.linear(x)
        return out + torch.rand_like(out)


def state(module: nn.Module) -> dict[str, Tensor]:
    return {key: value.clone() for key, value in module.state_dict().items()}


def same(before: dict[str, Tensor], module: nn.Module) -> bool:
    return all(torch.equal(before[key], value) for key, value in module.state_dict().items())


def test_the_dry_run_leaves_no_trace() -> None:
    module = Restless()
    module.linear[2].eval()
    before, random = state(module), torch.get_rng_state()
    encoder = make_encoder(module, SAMPLES)
    assert torch.equal(torch.get_rng_state(), random)
    assert same(before, module)
    assert same(before, encoder.body)
    for copy in (module, encoder.body):
        assert [part.training for part in copy.modules()] == [part.training for part in module.modules()]
    assert module.training
    assert not module.linear[2].training


@pytest.mark.parametrize(
    "module",
    [nn.Sequential(nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6)), nn.Sequential(nn.Flatten(), nn.Linear(64, 6))],
)
def test_training_does_not_change_the_given_module(module: nn.Module) -> None:
    before = state(module)
    encoder = make_encoder(module, SAMPLES)
    encoder(BATCH).square().sum().backward()
    torch.optim.SGD(encoder.parameters(), lr=0.1).step()
    assert same(before, module)
    assert not any(a is b for a in module.parameters() for b in encoder.parameters())
    assert all(parameter.grad is None for parameter in module.parameters())


def test_maps_are_averaged_over_positions() -> None:
    module = nn.Conv2d(1, 6, 3)
    encoder = make_encoder(module, SAMPLES)
    assert encoder.dim == 6
    torch.testing.assert_close(encoder(BATCH), module(encoder.standardise(BATCH)).mean((2, 3)))
    assert encoder.tokens(BATCH).shape == (4, 36, 6)


def test_an_encoder_is_copied_whole() -> None:
    first = make_encoder("linear", SAMPLES)
    others = SimpleNamespace(kind="image", shape=(1, 8, 8), statistics=(torch.ones(1), torch.ones(1)))
    again = make_encoder(first, others)
    assert isinstance(again, Encoder)
    assert again is not first
    assert torch.equal(again(BATCH), first(BATCH))
    with torch.no_grad():
        again.body.stages[0][1].weight.zero_()
    assert not torch.equal(again(BATCH), first(BATCH))


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (nn.Linear(3, 4), r"must read float tensors of shape \('n', 1, 8, 8\); Linear raised RuntimeError"),
        (
            nn.Flatten(0),
            r"must return floats of shape .*Flatten returned torch.float32 of shape \(128,\) for 2",
        ),
        (nn.Flatten(2), r"returned torch.float32 of shape \(2, 1, 64\)"),
        (nn.MaxPool2d(2, return_indices=True), "returned tuple"),
    ],
)
def test_other_modules_are_refused_with_a_reason(module: nn.Module, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make_encoder(module, SAMPLES)


def test_layers_of_a_module_that_has_none() -> None:
    encoder = make_encoder(nn.Sequential(nn.Flatten(), nn.Linear(64, 3)), SAMPLES)
    with pytest.raises(ValueError, match="layers needs a network that has a method layers"):
        encoder.layers(BATCH)
