"""One step of a training: terms of a loss, the gradient of each, one update."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from replearn.data.samples import Batch
from replearn.engine.batches import divisors
from replearn.engine.distributed import mean_over_processes
from replearn.engine.learner import Learner
from replearn.engine.sharded import Sharded


class Step(nn.Module):
    """All modules of a method as one, a term of its loss as their forward: what Fabric wraps."""

    def __init__(self, learner: Learner) -> None:
        super().__init__()
        self.learned = nn.ModuleDict(learner.modules())
        self.terms = learner.terms
        self.loss_count = learner.loss_count
        self.sharded: Sharded | None = None

    def forward(self, term: Callable[[], Any]) -> Any:
        # Fabric would look into a batch and convert its tensors; a function it passes on as it is.
        return term() if self.sharded is None else self.sharded.watched(term)

    def whole(self, function: Callable[[], Any]) -> Any:
        """What a function returns that computes with the parameters, which may be sharded."""
        return function() if self.sharded is None else self(function)


def one_step(
    fabric: Fabric, module: Any, optimizer: Any, parts: list[Batch], rate: float
) -> tuple[Tensor, dict[str, Tensor]]:
    """Forward, backward and update on a batch, given in parts whose gradients add up.

    Each part has the share of the step that its `loss_count` has: a mean over unequal counts is that of the whole.

    Returns:
        The loss of the whole, and each of its terms that has a name.
    """
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("scale", 1.0)  # of another optimiser: all alike
    optimizer.zero_grad(set_to_none=True)
    total: dict[str, Tensor] = {}
    divided = divided_by([module.module.loss_count(batch) for batch in parts])
    for i, (batch, by) in enumerate(zip(parts, divided, strict=True)):
        with fabric.autocast():
            step: Step = module.module  # not what wraps it
            terms = step.whole(partial(step.terms, batch.to(fabric.device)))
        named: dict[str, Tensor] = {}
        row = terms
        if isinstance(terms, Mapping):
            row = [
                partial(together, terms, named, by if isinstance(by, Mapping) else dict.fromkeys(terms, by))
            ]
        for j, term in enumerate(row):
            last = i + 1 == len(parts) and j + 1 == len(row)
            with fabric.no_backward_sync(module, enabled=not last):
                loss = module(term) if isinstance(terms, Mapping) else module(term) / by
                fabric.backward(loss)
            for name, value in (named or {"": loss}).items():
                total[name] = total.get(name, 0) + value.detach()
    if module.module.sharded is not None:
        module.module.sharded.average()
    optimizer.step()
    whole = mean_over_processes(torch.stack(list(total.values())))  # one number per name
    return whole.sum(), {name: whole[i] for i, name in enumerate(total) if name}


def divided_by(counts: Sequence[float | Mapping[str, float]]) -> list[float | dict[str, float]]:
    """By what the loss of each of a step's batches is divided, or each of its terms: see `divisors`."""
    names = counts[0].keys() if isinstance(counts[0], Mapping) else ()
    each = {name: divisors([count[name] for count in counts]) for name in names}  # type: ignore[index]
    if not names:
        return [*divisors(counts)]  # type: ignore[arg-type]
    return [{name: each[name][i] for name in names} for i in range(len(counts))]


def together(
    terms: Mapping[str, Callable[[], Tensor]], named: dict[str, Tensor], by: Mapping[str, float]
) -> Tensor:
    """The sum of terms that have names, each divided by its number; they are left in `named`.

    Their gradients are taken in one pass: each term reaches its own parameters only, and processes wait for all.
    """
    for name, term in terms.items():
        value = term() / by[name]
        named[name] = value.to(torch.promote_types(value.dtype, torch.float32))
    return torch.stack(list(named.values())).sum()
