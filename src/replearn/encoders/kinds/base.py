"""`Networks`: which networks read samples of a kind, and which write them."""

import inspect
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

# From a shape to a network; keyword arguments of the names in `SIZES` are what `NAME:width=64` sets.
Maker = Callable[..., nn.Module]

SIZES = {"width": (8, 8192, 8), "depth": (1, 256, 1)}  # of networks: least, most, and in which steps

# What a kind may offer here; methods say what they need.
ENCODER = "encoder"
DECODER = "decoder"
PATCHES = "patches"


def linear(shape: tuple[int, ...]) -> nn.Module:
    """One linear map of samples laid flat."""
    return Linear(prod(shape))


def perceptron(shape: tuple[int, ...], *, width: int = 512) -> nn.Module:
    """Layers that read samples laid flat."""
    return MLP(prod(shape), hidden=width)


def sizes_of(spec: str) -> tuple[str, dict[str, int]]:
    """A network's name, and the sizes that are written behind it.

    Raises:
        ValueError: a size is unknown, or no number that it may be.

    >>> sizes_of("vit:width=64:depth=2")
    ('vit', {'width': 64, 'depth': 2})
    """
    name, *written = spec.split(":")
    if not all("=" in part for part in written):
        return spec, {}  # a name of another sort, that there is not
    sizes: dict[str, int] = {}
    for part in written:
        size, _, value = part.partition("=")
        if size not in SIZES or not value.isdecimal() or size in sizes:
            raise ValueError(
                f"sizes of a network must be written {name}:width=64:depth=2, each once; got {part!r}. Leave it out."
            )
        least, most, step = SIZES[size]
        if not least <= int(value) <= most or int(value) % step:
            steps = f", a multiple of {step}" if step > 1 else ""
            raise ValueError(
                f"{size} of {name} must lie between {least} and {most:,}{steps}; got {value}. Choose another."
            )
        sizes[size] = int(value)
    return name, sizes


def sizes_in(maker: Maker) -> dict[str, int]:
    """The sizes that a network has when none are written.

    >>> sizes_in(perceptron)
    {'width': 512}
    """
    found = inspect.signature(maker).parameters
    return {size: found[size].default for size in SIZES if size in found}


def check_sizes(name: str, maker: Maker, sizes: Mapping[str, int]) -> None:
    """Raises ValueError where a network has no such size."""
    has = sizes_in(maker)
    if wrong := [size for size in sizes if size not in has]:
        raise ValueError(
            f"{name} has {' and '.join(has) or 'no sizes'} to set; got {' and '.join(wrong)}. Leave it out, or choose "
            "another encoder."
        )


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

    def named(self, spec: Any, samples: Described) -> dict[str, tuple[Any, str]]:
        """What is given as the encoder of each member, and the kind that it reads; without members, by ''."""
        return {"": (spec, samples.kind)}

    def again(self, encoder: Encoder, before: Described, samples: Described, *, of: str) -> Encoder:
        """An encoder that has learned from samples like those of `before`, for samples like these.

        Args:
            encoder: the one that has learned; it is not changed.
            before: what it has learned from.
            samples: of the same kind.
            of: the name of the member that it is to read, for the message.

        Raises:
            ValueError: these samples are not prepared as those were.
        """
        if before.shape != samples.shape:
            raise ValueError(
                f"{of} must be of shape {before.shape}, as what its encoder has learned from; got {samples.shape}. "
                "Prepare it alike, or take another run."
            )
        known, given = (getattr(one, "reading", None) for one in (before, samples))
        if known and given and known.names != given.names:
            raise ValueError(
                f"{of} must have the columns {', '.join(known.names)}, as what its encoder has learned from; got "
                f"{', '.join(given.names)}. Name and order them alike, or take another run."
            )
        return encoder

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
        sized, _, file = spec.partition("@")
        name, sizes = sizes_of(sized)
        weights = weights_at(file) if file else None
        body = self.body(self.auto(samples) if name == "auto" else name, samples, weights, **sizes)
        mean, std = samples.statistics
        fixed = isinstance(body, MLP | Linear) or getattr(body, "fixed", False)
        size = samples.shape[1:] if fixed and len(samples.shape) == 3 else None
        dim = dry_run(body, samples, content=self.content).shape[1]
        return Encoder(body, dim=dim, mean=mean, std=std, size=size)

    def body(self, name: str, samples: Described, weights: Path | None, **sizes: int) -> nn.Module:
        """The network of this name, of these sizes, with weights of a file if one is given.

        Raises:
            NoSuchNetwork: there is none of this name for samples like these.
            ValueError: it has no such size.
        """
        if name not in self.bodies:
            raise NoSuchNetwork(name)
        check_sizes(name, self.bodies[name], sizes)
        body = self.bodies[name](samples.shape, **sizes)
        if weights:
            fill(body, read_weights(weights), weights, first=("stages.0.0",), heads=())
        return body

    def has(self, name: str) -> bool:
        """Whether there is an encoder of this name."""
        return name in self.bodies
