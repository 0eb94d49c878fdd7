"""Optimisers and the learning rate over training."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

OPTIMIZERS = ("adamw", "sgd", "lars")


def make_optimizer(
    name: str,
    modules: Mapping[str, nn.Module],
    *,
    learning_rate: float,
    weight_decay: float,
    rates: Mapping[str, float] | None = None,
    beta1: float = 0.9,
) -> torch.optim.Optimizer:
    """The optimiser called `name`; weight decay spares biases and normalisation layers (vectors and scalars).

    Args:
        name: `adamw`, `sgd` (momentum 0.9) or `lars`.
        modules: what is trained, by name.
        learning_rate: the peak, reached after warm-up.
        weight_decay: share of each weight taken off per unit of learning rate.
        rates: learning rates of modules, or parts of them, that have their own, by name (`encoder_`,
            `encoder_.body.stages.0`), as multiples of it: a group's `scale`. The longest name that fits counts.
        beta1: how much of the last gradients AdamW keeps.

    Raises:
        ValueError: a rate is of no module.
    """
    own = rates or {}
    whole = nn.ModuleDict(modules)
    parts = {*modules, *(name for name, _ in (*whole.named_modules(), *whole.named_parameters()))}
    if unknown := set(own) - parts:
        raise ValueError(
            f"rates must be of modules, {', '.join(modules)}; got {', '.join(sorted(unknown))}. "
            "Name a module, or a part of one."
        )
    scales = {name: _scale(name, own) for name, _ in whole.named_parameters()}
    groups: list[dict[str, Any]] = []
    for scale in sorted(set(scales.values())):
        parameters = [p for name, p in whole.named_parameters() if scales[name] == scale and p.requires_grad]
        groups += [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay, "scale": scale},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0, "scale": scale},
        ]
    groups = [group for group in groups if group["params"]]
    parameters = [p for group in groups for p in group["params"]]
    if name == "adamw":
        betas = (beta1, 0.999)
        return torch.optim.AdamW(groups, lr=learning_rate, betas=betas, fused=_can_fuse(parameters))
    if name == "sgd":
        return torch.optim.SGD(groups, lr=learning_rate, momentum=0.9)
    return LARS(groups, lr=learning_rate)


def _scale(parameter: str, rates: Mapping[str, float]) -> float:
    """The rate with the longest name that is the parameter's, or that of a module around it; 1 where there is none."""
    fitting = [name for name in rates if parameter == name or parameter.startswith(f"{name}.")]
    return rates[max(fitting, key=len)] if fitting else 1.0


def schedule(progress: float, *, warmup: float) -> float:
    """Share of the peak learning rate: linear warm-up, then half a cosine to zero.

    Args:
        progress: how much of training is done, in [0, 1].
        warmup: share of training spent on warming up, in [0, 1).

    >>> [round(schedule(p, warmup=0.2), 3) for p in (0.0, 0.1, 0.2, 0.6, 1.0)]
    [0.0, 0.5, 1.0, 0.5, 0.0]

    References: Loshchilov & Hutter, ICLR 2017, equation 5. https://arxiv.org/abs/1608.03983
    """
    if progress < warmup:
        return progress / warmup
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - warmup) / (1 - warmup))))


class LARS(torch.optim.Optimizer):
    """Layer-wise adaptive rate scaling: each weight matrix moves in proportion to its own norm.

        v <- m v + lr * trust * |w| / (|g| + decay |w|) * (g + decay w),   w <- w - v

    Vectors (biases, normalisation) move by plain momentum. You et al., 2017, Algorithm 1.
    https://arxiv.org/abs/1708.03888
    """

    def __init__(
        self, params: Iterable[dict[str, object]], *, lr: float, momentum: float = 0.9, trust: float = 1e-3
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "trust": trust, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self._move(p, p.grad, group)

    def _move(self, p: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        update = gradient.add(p, alpha=group["weight_decay"])
        if p.ndim > 1:
            norm, size = p.norm(), gradient.norm() + group["weight_decay"] * p.norm()
            update = update * torch.where((norm > 0) & (size > 0), group["trust"] * norm / size, 1.0)
        velocity = self.state[p].setdefault("velocity", torch.zeros_like(p))
        velocity.mul_(group["momentum"]).add_(update, alpha=group["lr"])
        p.sub_(velocity)


def _can_fuse(parameters: Iterable[Tensor]) -> bool:
    return all(p.device.type in ("cpu", "cuda") and p.is_floating_point() for p in parameters)
