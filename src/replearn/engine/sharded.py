"""Sharded parameters: each process holds a part of every weight, of its gradient and of the optimiser's state.

    between steps   rows rank * n / k ... of each weight, on process rank of k
    in a step       the weights of a block are gathered before it computes, and let go afterwards; gradients are added
                    up over processes, and each keeps its rows

A step computes what it computes where all is held everywhere: see `fully_shard` (Zhao et al., PVLDB 2023,
https://arxiv.org/abs/2304.11277). A sharded weight is a `DTensor`, of the shape of the whole: norms, moving
averages and updates are those of the whole weight. Numbers without an axis can't be parted: these stay everywhere.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from replearn.data.processes import process, processes
from replearn.encoders.base import Encoder

LEAST = 2**14  # numbers of a block that is gathered on its own
VIEWS = "FSDP2-wrapped module"  # how torch's warning of views begins
OF_LIBRARY = "torch.distributed.fsdp"

State = dict[str, Any]


class Sharded:
    """Modules whose parameters are sharded over processes, from here to `end`.

    Args:
        step: all modules as one; what computes with them does so within its `forward`.
        mesh: of the processes.
    """

    def __init__(self, step: nn.Module, mesh: DeviceMesh) -> None:
        self.step = step
        self._order = {name: (p.shape, p.stride()) for name, p in step.named_parameters()}
        known = {id(module): set(vars(module)) for module in step.modules()}
        for p in step.parameters():
            p.data = p.data.contiguous()  # rows that lie together can be parted
        self.alone = [p for p in step.parameters() if not p.ndim]
        ignored = set(self.alone)
        for block in blocks(step):
            fully_shard(block, mesh=mesh, ignored_params=ignored & set(block.parameters()))
        fully_shard(step, mesh=mesh, ignored_params=ignored)
        self._marks = [
            (module, name) for module in step.modules() for name in set(vars(module)) - known[id(module)]
        ]

    def watched(self, function: Callable[[], Any]) -> Any:
        """What a function returns that reads the parameters.

        Raises:
            ValueError: it has changed one, which would be lost: what was gathered is let go; or a block returns a view,
                behind which a change in place would hide that gradients come.
        """
        held = list(self.step.named_parameters())
        before = [p._version for _, p in held]
        try:
            found = function()
        except UserWarning as error:  # see `strict`
            raise ValueError(
                f"with fsdp blocks of an encoder must return tensors of their own; one does not ({error!s:.60}). Leave "
                "fsdp out."
            ) from error
        changed = [name for (name, p), number in zip(held, before, strict=True) if p._version != number]
        if changed:
            raise ValueError(
                f"with fsdp nothing but the optimizer and after_step may change parameters; {changed[0]} was changed "
                "while a loss was computed. Leave fsdp out."
            )
        return found

    @contextmanager
    def strict(self) -> Iterator[None]:
        """While entered, torch's warning of views is an error."""
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=VIEWS)
            yield

    def average(self) -> None:
        """Average the gradients of numbers that are not sharded."""
        for p in self.alone:
            if p.grad is not None:
                dist.all_reduce(p.grad)
                p.grad /= processes()

    def close(self) -> None:
        """Let go of what was gathered and no gradient follows on."""
        for module in self.step.modules():
            if isinstance(module, FSDPModule):
                module.reshard()

    @torch.no_grad()
    def end(self) -> None:
        """Hold all parameters whole again, as before; the modules are again of their own classes."""
        self.close()
        whole: dict[int, nn.Parameter] = {}  # some may have two names
        for path, module in list(self.step.named_modules()):
            for name, p in list(module.named_parameters(recurse=False)):
                if isinstance(p, DTensor):
                    if id(p) not in whole:
                        shape, stride = self._order[f"{path}.{name}" if path else name]
                        full = torch.empty_strided(shape, stride, dtype=p.dtype, device=p.device)
                        whole[id(p)] = nn.Parameter(full.copy_(p.full_tensor()), p.requires_grad)
                    setattr(module, name, whole[id(p)])
            if isinstance(module, FSDPModule):
                module.__class__ = type(module).__mro__[FSDPModule._orig_cls_mro_index]
            for hooks in (found for name, found in vars(module).items() if name.endswith("_hooks")):
                for key in [key for key, hook in (hooks or {}).items() if _of_library(hook)]:
                    del hooks[key]
        for module, name in self._marks:
            vars(module).pop(name, None)


def blocks(step: nn.Module) -> list[nn.Module]:
    """The parts of encoders that stand in a list and hold much: the outer one, where one is in another."""
    found: list[nn.Module] = []
    inside: set[int] = set()
    for encoder in (part for part in step.modules() if isinstance(part, Encoder)):
        lists = (part for part in encoder.body.modules() if isinstance(part, nn.ModuleList))
        for block in (one for each in lists for one in each):
            # Recurrent networks return views; lists have no `forward`.
            alone = not isinstance(block, nn.RNNBase | nn.ModuleList | nn.ModuleDict)
            if id(block) not in inside and alone and sum(p.numel() for p in block.parameters()) >= LEAST:
                found.append(block)
                inside |= {id(part) for part in block.modules()}
    return found


class Whole:
    """What is sharded, as a checkpoint holds it: whole, of the first process.

    Args:
        of: a module or an optimizer.
    """

    def __init__(self, of: nn.Module | torch.optim.Optimizer) -> None:
        self.of = of
        self._gathered: State | None = None

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """While entered, by all processes, `state_dict` is there on the first one."""
        self._gathered = gathered(self.of.state_dict())
        try:
            yield
        finally:
            self._gathered = None

    def state_dict(self) -> State:
        """The gathered state; before there is any, what `load_state_dict` completes."""
        return self.of.state_dict() if self._gathered is None else self._gathered

    def load_state_dict(self, state: Mapping[str, Any]) -> Any:
        """Keep this process's part of a state."""
        if isinstance(self.of, nn.Module):
            own = self.of.state_dict()
            return self.of.load_state_dict({name: parted(x, own.get(name)) for name, x in state.items()})
        parameters = [p for group in self.of.param_groups for p in group["params"]]
        parts = {
            i: {
                name: parted(x, p) if isinstance(x, Tensor) and x.shape == p.shape else x
                for name, x in values.items()
            }
            for i, values in state["state"].items()
            for p in [parameters[i]]
        }
        return self.of.load_state_dict({**state, "state": parts})


def gathered(state: Any) -> Any:
    """A state with whole tensors: on the first process, in the memory of the processor; elsewhere without them."""
    if isinstance(state, Mapping):
        return {key: gathered(value) for key, value in state.items()}
    if not isinstance(state, DTensor):
        return state
    whole = state.full_tensor()
    return whole.cpu() if process() == 0 else None


def parted(whole: Tensor, like: Any) -> Tensor:
    """This process's part of a tensor, where `like` is sharded."""
    if not isinstance(like, DTensor) or whole.shape != like.shape:
        return whole
    whole = whole.to(like.device)
    return distribute_tensor(whole, like.device_mesh, like.placements, src_data_rank=None)


def local(tensor: Tensor) -> Tensor:
    """The part that this process holds."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def _of_library(hook: Callable[..., Any]) -> bool:
    function = getattr(hook, "hook", hook)  # some are wrapped
    return str(getattr(function, "__module__", "")).startswith(OF_LIBRARY)
