"""`Jigsaw`: a sample, and its patches in a random order."""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from replearn.data.description import Description
from replearn.data.samples import Batch
from replearn.views.base import View, uniform
from replearn.views.checks import check_interval, check_whole, images
from replearn.views.compose import Same, check_view
from replearn.views.parts import UNCHANGED, Parts


@dataclass(frozen=True)
class Jigsaw(Parts):
    """The image, followed by `grid * grid` patches of it in an order drawn for each sample.

    The image is cut into equal cells, and a patch lies at a random place in its cell: the gaps keep a network
    from solving the puzzle by lines that go on across a cut.

    Args:
        grid: cells along each side.
        share: side of a patch as a share of its cell's, in (0, 1].
        view: of the sample, for the image.
        other: of the sample that is cut into patches, drawn apart; None: `view` again.

    References:
        Misra & van der Maaten, CVPR 2020, section 3.3 (3 cells a side, 64 of 85 pixels).
        https://arxiv.org/abs/1912.01991
        Noroozi & Favaro, ECCV 2016, section 4. https://arxiv.org/abs/1603.09246
    """

    grid: int = 3
    share: float = 0.75
    view: View = UNCHANGED
    other: View | None = None

    def __post_init__(self) -> None:
        check_whole(self, "grid", 1)
        check_interval(self, "share", "share", 1e-6, 1.0)
        check_view(self.view, "Jigsaw")
        if self.other is not None:
            check_view(self.other, "Jigsaw")

    def __call__(self, batch: Batch) -> tuple[Batch, ...]:
        image, cut = self.view(batch), (self.other or self.view)(batch)
        cells = self.grid**2
        order = uniform(batch, cells).argsort(1)  # (n, cells)
        jitter = uniform(batch, 2, cells)
        return image, *self._patches(cut, order, jitter)

    def parts(self, batch: Batch) -> tuple[Batch, ...]:
        cells, n, device = self.grid**2, len(batch), batch.labels.device
        order = torch.arange(cells, device=device).expand(n, cells)
        return Same()(batch), *self._patches(batch, order, torch.full((n, 2, cells), 0.5, device=device))

    def describe(self, samples: Description) -> tuple[Description, ...]:
        patch = replace(samples, shape=(samples.shape[0], *map(self._side, samples.shape[1:])))
        return samples, *[patch] * self.grid**2

    def _side(self, side: int) -> int:
        """Pixels of a patch along a side of the image."""
        return max(1, math.floor(side / self.grid * self.share))

    def _patches(
        self, batch: Batch, order: Int[Tensor, "n p"], jitter: Float[Tensor, "n 2 p"]
    ) -> tuple[Batch, ...]:
        """Patch `k` of sample `i` is of cell `order[i, k]`, at `jitter[i, :, k]` of the room that it has there."""
        x = images(batch, self)
        cell = torch.stack([order // self.grid, order % self.grid], dim=1)  # (n, 2, p): down, across
        places = []
        for axis, side in enumerate(x.shape[2:]):
            patch = self._side(side)
            room = max(0.0, side / self.grid - patch)
            first = cell[:, axis] * (side / self.grid) + jitter[:, axis] * room
            first = first.long().clamp(max=side - patch)  # (n, p)
            places.append(first[..., None] + torch.arange(patch, device=x.device))  # (n, p, patch)
        down, across = places
        rows = torch.arange(len(x), device=x.device).view(-1, 1, 1, 1)
        patches = x[rows, :, down[..., None], across[:, :, None]]  # (n, p, h, w, c)
        return tuple(batch.with_x(patch.movedim(-1, 1)) for patch in patches.unbind(1))  # (n, c, h, w)
