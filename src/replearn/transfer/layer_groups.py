"""The layers of any encoder from the first to the last: which of them learn, how fast, and which begin anew."""

from dataclasses import dataclass

import torch
from torch import nn

from replearn.encoders import Encoder, TextEncoder
from replearn.encoders.transformer import Transformer


@dataclass(frozen=True)
class Levels:
    """The layers of an encoder, by the names of modules in it.

    What comes before the first layer (vectors of tokens, a stem) is level 0; what comes after the last one (a last
    normalisation) is of its level.

    Attributes:
        layers: name of each layer, from the first (level 1) to the last.
        after: names of what comes after the last layer.
    """

    layers: tuple[str, ...]
    after: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.layers)

    def of(self, name: str) -> int:
        """The level of a module or parameter."""
        for level, layer in enumerate(self.layers, start=1):
            if _within(name, layer):
                return level
        return len(self.layers) if any(_within(name, part) for part in self.after) else 0


def levels_of(encoder: Encoder) -> Levels:
    """The layers of an encoder: the one stack of blocks in it, or else its parts in order.

    >>> from replearn.encoders import CNN
    >>> levels_of(Encoder(CNN(1), dim=128, mean=torch.zeros(1), std=torch.ones(1))).layers
    ('body.stages.0', 'body.stages.1', 'body.stages.2')
    """
    name, module = "body", encoder.body
    while True:
        parts = _parts(module)
        if len(parts) == 1 and not any(True for _ in module.parameters(recurse=False)):
            name, module = f"{name}.{parts[0][0]}", parts[0][1]
            continue
        if not parts:
            return Levels((name,))
        stacks = [
            (at, found) for at, (key, part) in enumerate(parts) if (found := _stack(f"{name}.{key}", part))
        ]
        if isinstance(module, nn.ModuleList | nn.Sequential) or len(stacks) != 1:
            return Levels(tuple(f"{name}.{key}" for key, _ in parts))
        at, found = stacks[0]
        return Levels(found.layers, (*found.after, *(f"{name}.{key}" for key, _ in parts[at + 1 :])))


def unfreeze_top(encoder: Encoder, levels: Levels, top: int | None) -> list[nn.Module]:
    """Let the last `top` layers learn, or all that there is (None); what stays as it is, module by module."""
    least = 0 if top is None else len(levels) - top + 1
    for name, parameter in encoder.named_parameters():
        parameter.requires_grad_(levels.of(name) >= least)
    return [module for name, module in encoder.named_modules() if levels.of(name) < least]


def reinitialise_top(encoder: Encoder, levels: Levels, top: int) -> None:
    """Draw the weights of the last `top` layers again (Zhang et al., ICLR 2021, section 5).

    Those of transformers are drawn as before their pre-training, from a normal distribution of deviation 0.02; of other
    networks as torch makes them. https://arxiv.org/abs/2006.05987
    """
    std = None
    if isinstance(encoder, TextEncoder) and isinstance(encoder.reader, Transformer):
        std = float(getattr(encoder.net.config, "initializer_range", 0.02))  # type: ignore[union-attr]
    for name in (*levels.layers[len(levels) - top :], *levels.after) if top else ():
        for module in encoder.get_submodule(name).modules():
            _draw(module, std)


def layer_rates(levels: Levels, *, rate: float, decay: float) -> dict[str, float]:
    """Learning rates of an encoder's layers: `rate` of the last one, `decay` times that of the one above for others.

    (Howard & Ruder, ACL 2018, section 3.2: "discriminative fine-tuning". https://arxiv.org/abs/1801.06146)

    >>> layer_rates(Levels(("body.0", "body.1")), rate=0.5, decay=0.5)
    {'encoder_': 0.125, 'encoder_.body.0': 0.25, 'encoder_.body.1': 0.5}
    """
    if decay == 1.0:
        return {"encoder_": rate}
    own = {f"encoder_.{name}": rate * decay ** (len(levels) - levels.of(name)) for name in levels.layers}
    return (
        {"encoder_": rate * decay ** len(levels)} | own | {f"encoder_.{name}": rate for name in levels.after}
    )


def _parts(module: nn.Module) -> list[tuple[str, nn.Module]]:
    """The parts of a module that have parameters."""
    return [(name, part) for name, part in module.named_children() if any(True for _ in part.parameters())]


def _stack(name: str, module: nn.Module) -> Levels | None:
    """The blocks of the one row of several in a module, and what comes after it there; None where there is no such row.

    Vectors of positions that are declared after the blocks are read before them.
    """
    parts = _parts(module)
    if _is_row(module):
        return Levels(tuple(f"{name}.{key}" for key, _ in parts))
    if len(parts) == 1:
        return _stack(f"{name}.{parts[0][0]}", parts[0][1])
    at = [i for i, (_, part) in enumerate(parts) if _is_row(part)]
    if len(at) != 1:
        return None
    (key, row), rest = parts[at[0]], parts[at[0] + 1 :]
    after = tuple(f"{name}.{other}" for other, part in rest if not isinstance(part, nn.Embedding))
    return Levels(tuple(f"{name}.{key}.{block}" for block, _ in _parts(row)), after)


def _is_row(module: nn.Module) -> bool:
    return isinstance(module, nn.ModuleList | nn.Sequential) and len(_parts(module)) > 1


def _within(name: str, part: str) -> bool:
    return name == part or name.startswith(f"{part}.")


@torch.no_grad()
def _draw(module: nn.Module, std: float | None) -> None:
    own = dict(module.named_parameters(recurse=False))
    reset = getattr(module, "reset_parameters", None)
    if std is None and callable(reset):
        reset()
    if std is None:
        return
    for name, parameter in own.items():
        if parameter.ndim > 1:
            parameter.normal_(std=std)
        else:
            parameter.fill_(1.0 if name == "weight" else 0.0)  # normalisation; biases
