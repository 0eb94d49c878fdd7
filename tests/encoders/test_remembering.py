"""What a network of the transformers library remembers, by whichever name the installed version has for it."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from replearn.encoders.transformer import Transformer

IDS = torch.tensor([[1, 2]])


class Net(nn.Module):
    """Remembers what it has read."""

    config = SimpleNamespace(hidden_size=1)

    def answer(self, read: torch.Tensor, name: str) -> Any:
        return SimpleNamespace(last_hidden_state=read[..., None].float(), **{name: read})


class New(Net):
    def forward(self, input_ids: Any, cache: Any = None, use_cache: bool = False) -> Any:
        return self.answer(input_ids if cache is None else torch.cat([cache, input_ids], 1), "cache")


class Old(Net):
    def forward(self, input_ids: Any, past_key_values: Any = None, use_cache: bool = False) -> Any:
        before = [] if past_key_values is None else [past_key_values]
        return self.answer(torch.cat([*before, input_ids], 1), "past_key_values")


class Neither(Net):
    def forward(self, input_ids: Any) -> Any:
        return self.answer(input_ids, "nothing")


@pytest.mark.parametrize("kind", [New, Old])
def test_goes_on_from_what_was_read(kind: type[Net]) -> None:
    net = Transformer(kind(), length=9, causal=True)
    assert net.remembers
    _, memory = net.step(IDS)
    states, _ = net.step(IDS + 2, memory)
    assert states.flatten().tolist() == [1, 2, 3, 4]


def test_one_that_remembers_nothing_says_so() -> None:
    assert not Transformer(Neither(), length=9, causal=True).remembers
