"""Teachers: slow copies of networks, which no gradient reaches and which follow their students from afar."""

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn


class Teacher(nn.Module):
    """A chain of networks like the students', whose weights are the moving average of theirs.

    After each step `weight <- momentum * weight + (1 - momentum) * student's`. Running statistics of batch
    normalisation are the teacher's own, from the batches that it saw.

    Args:
        students: networks that are applied one after another, an encoder and its head say; they are copied.

    Example:
        >>> student = nn.Linear(2, 1, bias=False)
        >>> teacher = Teacher(student)
        >>> _ = nn.init.zeros_(student.weight), nn.init.ones_(teacher.chain[0].weight)
        >>> teacher.follow(student, momentum=0.75)
        >>> teacher.chain[0].weight.tolist()
        [[0.75, 0.75]]

    References:
        Tarvainen and Valpola, "Mean teachers are better role models", NeurIPS 2017, equation 2.
        https://arxiv.org/abs/1703.01780
    """

    def __init__(self, *students: nn.Module) -> None:
        super().__init__()
        self.chain = nn.ModuleList(still_copy(student) for student in students)

    @torch.no_grad()
    def forward(self, batch: Any) -> Tensor:
        for net in self.chain:
            batch = net(batch)
        result: Tensor = batch
        return result

    @torch.no_grad()
    def follow(self, *students: nn.Module, momentum: float) -> None:
        """Move towards the students, which must be those that the teacher was copied from."""
        for own, student in zip(self.chain, students, strict=True):
            follow(own, student, momentum=momentum)


def still_copy(net: nn.Module) -> nn.Module:
    """A copy of a network that no gradient reaches."""
    return copy.deepcopy(net).requires_grad_(False)


@torch.no_grad()
def follow(own: nn.Module, student: nn.Module, *, momentum: float, buffers: bool = False) -> None:
    """Move the weights of a copy towards those of the network that it was copied from.

    Args:
        own: the copy.
        student: the network.
        momentum: how much of its own weights it keeps, in [0, 1].
        buffers: whether running statistics follow, too: of a copy that sees no batches they would stay as they were.
    """
    torch._foreach_lerp_(list(own.parameters()), list(student.parameters()), 1.0 - momentum)
    if buffers:
        for mine, theirs in zip(own.buffers(), student.buffers(), strict=True):
            mine.lerp_(theirs, 1.0 - momentum) if mine.is_floating_point() else mine.copy_(theirs)


def mean_at_first(momentum: float, *, seen: int) -> float:
    """An average's momentum when it has seen so many weights: such that it is their mean, until `momentum` is reached.

    >>> [mean_at_first(0.75, seen=seen) for seen in (0, 1, 3, 100)]
    [0.0, 0.5, 0.75, 0.75]

    References: Tarvainen & Valpola, NeurIPS 2017 (in their program). https://arxiv.org/abs/1703.01780
    """
    return min(momentum, seen / (seen + 1))


def rising_momentum(progress: float, *, start: float) -> float:
    """A teacher's momentum over training: from `start` to 1 along half a cosine.

    Args:
        progress: share of training done, in [0, 1].
        start: at progress 0.

    >>> [round(rising_momentum(p, start=0.9), 3) for p in (0.0, 0.5, 1.0)]
    [0.9, 0.95, 1.0]

    References: Grill et al., "Bootstrap your own latent", NeurIPS 2020, section 3.2. https://arxiv.org/abs/2006.07733
    """
    return 1.0 - (1.0 - start) * (math.cos(math.pi * progress) + 1.0) / 2.0
