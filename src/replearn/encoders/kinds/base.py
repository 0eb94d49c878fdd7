"""`Networks`: which networks read samples of a kind, and which write them."""

from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import nn

from replearn.data.samples import Samples
from replearn.encoders.base import Described, Encoder
from replearn.encoders.dense import MLP, Linear
from replearn.encoders.given import dry_run, given_encoder
from replearn.encoders.stand_ins import weights_at
from replearn.encoders.weights import fill, read_weights

Maker = Callable[[tuple[int, ...]], nn.Module]

# What a kind may offer here; methods say what they need.
ENCODER = "encoder"
DECODER = "decoder"
PATCHES = "patches"


def linear(shape: tuple[int, ...]) -> nn.Module:
    """One linear map of samples laid flat."""
    return Linear(prod(shape))


def perceptron(shape: tuple[int, ...]) -> nn.Module:
    """Layers that read samples laid flat."""
    return MLP(prod(shape))


class NoSuchNetwork(ValueError):
    """There is no network of this name for a kind of samples."""


class Networks:
    """A kind of samples, as the stage `encoders` knows it: here one whose samples are tensors of one shape.

    Attributes:
        bodies: what makes a network for samples of a shape, by name.
        offers: what methods may need of it: an encoder, a decoder of codes, and an encoder of patches.
    """

    bodies: ClassVar[Mapping[str, Maker]] = {"linear": linear, "mlp": perceptron}
    offers: ClassVar[frozenset[str]] = frozenset({ENCODER, DECODER})

    def auto(self, samples: Described) -> str:
        """The name of the encoder that fits samples like these."""
        return "mlp"

    def coder(self, samples: Described) -> str:
        """The name of the encoder that makes codes of samples like these, from which they are decoded."""
        return "mlp"

    def content(self, samples: Described, n: int, device: torch.device) -> Any:
        """Content of n samples like these, as a batch has it, by which a network is tried: zeros."""
        return torch.zeros(n, *samples.shape, device=device)

    def reading(self, spec: Any, samples: Samples) -> Samples:
        """The samples as an encoder reads them: texts by a tokenizer that it brings."""
        return samples

    def warn_of_cuts(self, encoder: Encoder, samples: Samples, length: int | None) -> None:
        """A `DataWarning` where the encoder doesn't read some samples to their end, or not beyond `length`."""

    def make(self, spec: str | nn.Module, samples: Described) -> Encoder:
        """An encoder for samples like these; see `replearn.encoders.make_encoder`.

        Raises:
            NoSuchNetwork: there is none of this name.
            ValueError: the module does not read them.
        """
        if isinstance(spec, nn.Module):
            return given_encoder(spec, samples, content=self.content)
        name, _, file = spec.partition("@")
        weights = weights_at(file) if file else None
        body = self.body(self.auto(samples) if name == "auto" else name, samples, weights)
        mean, std = samples.statistics
        fixed = isinstance(body, MLP | Linear) or getattr(body, "fixed", False)
        size = samples.shape[1:] if fixed and len(samples.shape) == 3 else None
        dim = dry_run(body, samples, content=self.content).shape[1]
        return Encoder(body, dim=dim, mean=mean, std=std, size=size)

    def body(self, name: str, samples: Described, weights: Path | None) -> nn.Module:
        """The network of this name, with weights of a file if one is given.

        Raises:
            NoSuchNetwork: there is none of this name for samples like these.
        """
        if name not in self.bodies:
            raise NoSuchNetwork(name)
        body = self.bodies[name](samples.shape)
        if weights:
            fill(body, read_weights(weights), weights, first=("stages.0.0",), heads=())
        return body

    def has(self, name: str) -> bool:
        """Whether there is an encoder of this name."""
        return name in self.bodies
