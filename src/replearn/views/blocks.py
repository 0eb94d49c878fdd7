"""Which patches are hidden, and which are seen: at random, or in blocks on a grid of any number of axes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from replearn.data.samples import Batch
from replearn.views.base import uniform

Interval = tuple[float, float]
Places = tuple[Int[Tensor, "n k"], Int[Tensor, "n m"]]  # of patches that are seen, and that are hidden


def hide(batch: Batch, patches: int, share: float) -> Places:
    """Of so many patches of each sample the places of those that are seen, and of a share that are hidden, at random.

    One at least is seen, and one hidden.
    """
    count = min(max(1, round(patches * share)), max(1, patches - 1))
    order = uniform(batch, patches).argsort(1)  # (n, p)
    return order[:, count:], order[:, :count]


@dataclass(frozen=True)
class Blocks:
    """Places of patches of each sample.

    Attributes:
        context: that are seen, int `(n, k)`.
        targets: of each block that is to be told, int `(n, b, m)`; blocks may overlap each other.
    """

    context: Int[Tensor, "n k"]
    targets: Int[Tensor, "n b m"]


def draw_blocks(
    batch: Batch,
    grid: Sequence[int],
    *,
    number: int = 4,
    target_scale: Interval = (0.15, 0.2),
    target_aspect: Interval = (0.75, 1.5),
    context_scale: Interval = (0.85, 1.0),
) -> Blocks:
    """Target blocks, and one large block without what any of them covers.

    The size of blocks is drawn once for the joined batch, their places for each sample, all from the global generator.
    Where more is left of some contexts than of others, some of it is left out at random, so that all are equally large.

    Args:
        batch: the samples.
        grid: patches along each axis.
        number: of target blocks.
        target_scale: share of the patches that are in a target block.
        target_aspect: its side along an axis over that along the last one, beside the grid's own.
        context_scale: share of the patches that are in the large block.

    References: Assran et al., CVPR 2023, section 3 and appendix A.1. https://arxiv.org/abs/2301.08243
    """
    total, device = batch.total or len(batch), batch.labels.device
    own = slice(batch.start, batch.start + len(batch))
    told = _blocks(total, number, grid, _size(grid, target_scale, target_aspect), device)  # (total, b, p)
    large = _blocks(total, 1, grid, _size(grid, context_scale, (1.0, 1.0)), device)[:, 0]
    free = ~told.any(1)
    seen = large & free  # (total, p)
    # Where nothing is left, what lies outside of the large block, and in the worst case a patch that is to be told.
    rank = seen.float() * 2 + free.float() + torch.rand(total, free.shape[1], device=device)
    context = rank.argsort(1, descending=True)[own, : max(1, int(seen.sum(1).min()))]
    size = int(told[0, 0].sum())
    targets = told[own].float().argsort(stable=True, dim=2, descending=True)[:, :, :size]
    return Blocks(context, targets)


def _size(grid: Sequence[int], scale: Interval, aspect: Interval) -> tuple[int, ...]:
    """Patches along each side of a block, drawn on the CPU, alike on all processes."""
    drawn = torch.rand(len(grid)).tolist()
    share = scale[0] + drawn[0] * (scale[1] - scale[0])
    low, high = (math.log(ratio) for ratio in aspect)
    halves = [(low + part * (high - low)) / 2 for part in drawn[1:]]
    logs = [*halves, -sum(halves)]
    sides = [along * share ** (1 / len(grid)) * math.exp(log) for along, log in zip(grid, logs, strict=True)]
    return tuple(min(along, max(1, round(side))) for along, side in zip(grid, sides, strict=True))


def _blocks(
    n: int, number: int, grid: Sequence[int], size: Sequence[int], device: torch.device
) -> Bool[Tensor, "n b p"]:
    """Which patches are in blocks of this size at random places."""
    inside = torch.ones(n, number, *grid, dtype=torch.bool, device=device)
    for axis, (along, side) in enumerate(zip(grid, size, strict=True)):
        first = (torch.rand(n, number, 1, device=device) * (along - side + 1)).long()
        at = torch.arange(along, device=device)
        within = (at >= first) & (at < first + side)  # (n, b, along)
        inside &= within.view(n, number, *(along if other == axis else 1 for other in range(len(grid))))
    return inside.flatten(2)
