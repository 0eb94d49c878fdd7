"""`Jigsaw`: a sample, and its patches in a random order."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from replearn.data.description import Description
from replearn.data.samples import Batch
from replearn.views.base import View, check_interval, check_whole, images, uniform
from replearn.views.compose import Same, check_view
from replearn.views.parts import UNCHANGED, Parts
from replearn.views.tiles import cut_tiles, tile_side


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
        return image, *self._patches(cut, order, uniform(batch, 2, cells))

    def parts(self, batch: Batch) -> tuple[Batch, ...]:
        cells, n, device = self.grid**2, len(batch), batch.labels.device
        order = torch.arange(cells, device=device).expand(n, cells)
        return Same()(batch), *self._patches(batch, order, torch.full((n, 2, cells), 0.5, device=device))

    def describe(self, samples: Description) -> tuple[Description, ...]:
        sides = (tile_side(side, self.grid, self.share) for side in samples.shape[1:])
        return samples, *[replace(samples, shape=(samples.shape[0], *sides))] * self.grid**2

    def _patches(
        self, batch: Batch, order: Int[Tensor, "n p"], at: Float[Tensor, "n 2 p"]
    ) -> tuple[Batch, ...]:
        """Patch `k` of sample `i` is of cell `order[i, k]`, at `at[i, :, k]` of the room that it has there."""
        patches = cut_tiles(images(batch, self), order, at, grid=self.grid, share=self.share)
        return tuple(batch.with_x(patch) for patch in patches.unbind(1))  # (n, c, h, w)
