"""Training on several processes: means over them, and batch statistics of their joined batch.

Each process holds rows `rank * n : (rank + 1) * n` of the joined batch. The engine averages gradients over processes;
`JoinedBatchNorm` is scaled so that the average is the gradient of one process on the joined batch, and so is `gather`
(`replearn.data.processes`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor, nn

from replearn.data.processes import processes

ALONE: ContextVar[bool] = ContextVar("ALONE", default=False)


def mean_over_processes(number: Tensor) -> Tensor:
    """The mean of a scalar over processes, without a gradient."""
    if processes() == 1:
        return number.detach()
    total = number.detach().clone()
    dist.all_reduce(total)
    return total / processes()


def wait_for_all() -> None:
    """Go on when all processes have come here."""
    if processes() > 1:
        mean_over_processes(
            torch.zeros(())
        )  # a barrier on any machine: torch's own asks for a GPU where one is


class _SumOverProcesses(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total = x.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _SumOverProcesses.apply(gradient)  # type: ignore[no-any-return]  # it can be differentiated again


class JoinedBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch normalisation over the joined batch of all processes; torch's own runs on GPUs only.

    Made from existing layers by `join_batch_norms`, with their parameters and running statistics.
    """

    def _check_input_dim(self, input: Tensor) -> None:
        pass

    def forward(self, x: Float[Tensor, "n c ..."]) -> Float[Tensor, "n c ..."]:
        if not self.training or processes() == 1 or ALONE.get():
            normalised: Tensor = super().forward(x)
            return normalised
        axes = [0, *range(2, x.ndim)]
        shape = (1, -1, *(1,) * (x.ndim - 2))
        # Two passes, mean before variance: a sum of squares would lose digits.
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        own = wide.new_tensor(
            [x.numel() // x.shape[1]]
        )  # as many nodes as its graphs have, say: unlike elsewhere
        total, count = _SumOverProcesses.apply(torch.cat([wide.sum(axes), own])).split([x.shape[1], 1])
        count = count.detach()
        mean = total / count  # (c,)
        centred = wide - mean.view(shape)
        var = _SumOverProcesses.apply(centred.square().sum(axes)) / count  # (c,)
        self._update(mean.detach(), var.detach() * count / (count - 1).clamp(min=1))
        out = centred * torch.rsqrt(var + self.eps).view(shape)
        if self.affine:
            out = out * self.weight.view(shape) + self.bias.view(shape)
        result: Tensor = out.to(x.dtype)
        return result

    def _update(self, mean: Tensor, var: Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        weight = self.momentum if self.momentum is not None else 1.0 / float(self.num_batches_tracked)
        self.running_mean.lerp_(mean, weight)
        self.running_var.lerp_(var, weight)


@contextmanager
def statistics_alone() -> Iterator[None]:
    """While entered, batch normalisation sees this process's rows only: those of a task that it holds as a whole."""
    token = ALONE.set(True)
    try:
        yield
    finally:
        ALONE.reset(token)


def join_batch_norms(module: nn.Module) -> None:
    """Make every batch normalisation in `module` see the joined batch; the layers keep their tensors."""
    for layer in module.modules():
        if type(layer) in (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d):
            layer.__class__ = JoinedBatchNorm
