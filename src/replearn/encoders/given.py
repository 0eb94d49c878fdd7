"""Networks that the caller gives: copied, tried once, without a classifier of torchvision, their maps pooled."""

import logging
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from replearn.data.samples import Batch
from replearn.encoders.base import Described, Encoder
from replearn.encoders.stages import pooled
from replearn.encoders.stand_ins import names_told

log = logging.getLogger("replearn")

Content = Callable[[Any, int, torch.device], Any]

CLASSIFIERS = ("fc", "classifier", "heads", "head")  # as torchvision calls them


@dataclass(frozen=True)
class Sized:
    """Samples of which only the shape matters."""

    shape: tuple[int, ...]


class Pooled(nn.Module):
    """A network that returns maps `(n, c, h, w)`, with the mean over positions as output."""

    wraps = True

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Float[Tensor, "n dim"]:
        return pooled(self.map(x))  # (n, dim)

    def map(self, x: Tensor) -> Float[Tensor, "n dim h w"]:
        """What the network returns."""
        found: Tensor = self.net(x)
        return found

    def tokens(self, x: Tensor) -> Float[Tensor, "n t dim"]:
        """The map as one token per position, row by row."""
        return self.map(x).flatten(2).mT  # (n, h·w, dim)


def zeros(samples: Any, n: int, device: torch.device) -> Any:
    """Tensors of the samples' shape."""
    return torch.zeros(n, *samples.shape, device=device)


def given_encoder(module: nn.Module, samples: Described, *, content: Content = zeros) -> Encoder:
    """A copy of `module` as encoder; the module itself is neither changed nor trained.

    Args:
        module: reads float tensors `(n, *samples.shape)` and returns `(n, dim)`, or maps `(n, dim, h, w)` to
            be averaged over positions. An `Encoder` keeps its own scaling of the input. A network of torchvision
            loses the layer that tells its classes.
        samples: say the shape of a sample, and the scaling.
        content: makes some content like theirs, on which the module is tried.

    Raises:
        ValueError: the module does not read such samples, or returns something else.
    """
    if isinstance(module, Encoder):
        dry_run(module, samples, content=content)
        return deepcopy(module)
    module = without_classifier(deepcopy(module))
    found = dry_run(module, samples, content=content)
    mean, std = samples.statistics
    body = Pooled(module) if found.ndim == 4 else module
    return Encoder(body, dim=found.shape[1], mean=mean, std=std, size=only_size(module, samples.shape))


def without_classifier(net: nn.Module) -> nn.Module:
    """A network of torchvision whose last layer, which tells classes, passes on what it read; others as they are.

    It is changed in place. Where a run is loaded that an earlier version has fitted, with that layer, it stays.
    """
    if not type(net).__module__.startswith("torchvision.models."):
        return net
    heads = [name for name in CLASSIFIERS if isinstance(getattr(net, name, None), nn.Module)]
    layers = [
        (name, layer)
        for name, layer in net.named_modules()
        if name.split(".")[0] in heads and isinstance(layer, nn.Linear | nn.Conv2d)
    ]
    if not layers:
        return net
    name, last = layers[-1]
    if any(told.endswith(f".{name}.weight") for told in names_told()):
        return net
    net.set_submodule(name, nn.Identity())
    log.warning(
        "%s is read without its layer %s, which tells %d classes; nn.Sequential(net) would keep it",
        type(net).__name__,
        name,
        last.weight.shape[0],
    )
    return net


def only_size(net: nn.Module, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """Height and width in `shape` if `net` refuses images of half of them, else None."""
    if len(shape) != 3 or max(shape[1:]) < 2:
        return None
    try:
        dry_run(net, Sized((shape[0], *(max(1, side // 2) for side in shape[1:]))))
    except ValueError:
        return shape[1:]
    return None


def dry_run(net: nn.Module, samples: Any, *, content: Content = zeros) -> Tensor:
    """What `net` returns for two samples, in eval mode.

    A copy runs, so the mode and the buffers of `net` stay as they are; so does the random state.

    Args:
        net: reads such content; an `Encoder` reads the same as a batch.
        samples: say the shape of a sample.
        content: makes content of two samples, by default zeros `(2, *shape)`.

    Returns:
        `(2, dim)` or `(2, dim, h, w)`.

    Raises:
        ValueError: the network cannot read such samples, or returns something else.
    """
    copy = deepcopy(net).eval()
    device = next((tensor.device for tensor in copy.parameters()), torch.device("cpu"))
    x, shape = content(samples, 2, device), samples.shape
    unknown = torch.full((2,), -1, device=device)
    cards = [] if device.type == "cpu" else [device]
    with torch.random.fork_rng(cards, device_type=device.type if cards else "cuda"), torch.no_grad():
        try:
            found: Tensor = copy(Batch(x=x, labels=unknown, index=unknown) if isinstance(net, Encoder) else x)
        except Exception as error:
            # Whatever it raises, the reader must learn what came in.
            raise ValueError(
                f"an encoder must read float tensors of shape {('n', *shape)}; {type(net).__name__} raised "
                f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            ) from error
    tensor = isinstance(found, Tensor)
    if not tensor or not found.is_floating_point() or found.ndim not in (2, 4) or len(found) != 2:
        came = f"{found.dtype} of shape {tuple(found.shape)}" if tensor else type(found).__name__
        raise ValueError(
            "an encoder must return floats of shape (n, dim) or (n, dim, h, w); "
            f"{type(net).__name__} returned {came} for 2 samples of shape {shape}. "
            "Wrap the module so that it returns one row per sample."
        )
    return found
