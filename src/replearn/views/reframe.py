"""Scenes seen closer, farther, moved or mirrored, and the same done to what is in them: boxes and masks.

    p -> centre + (p - centre) · scale + move, mirrored or not

What comes in from beyond the image repeats its border; in masks it is unknown.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor
from torch.nn import functional as F

from replearn.data.samples import Batch
from replearn.data.scene_samples import VOID
from replearn.views.base import check_at_least, check_probability, images, in_full_precision, uniform

SEEN = 0.4  # share of a box that must be left of it


@dataclass(frozen=True)
class Reframe:
    """How scenes of a batch are framed anew; `draw` says how each one is.

    Attributes:
        flip: probability of being mirrored, left and right.
        zoom: scales lie between `1 / (1 + zoom)` and `1 + zoom`.
        shift: of the centre, at most, as a share of the side.

    Raises:
        ValueError: a field is out of its range.
    """

    flip: float = 0.5
    zoom: float = 0.25
    shift: float = 0.1

    def __post_init__(self) -> None:
        check_probability(self, "flip")
        check_at_least(self, "zoom", 0)
        check_at_least(self, "shift", 0)

    @in_full_precision
    def draw(self, batch: Batch) -> "Frames":
        """A frame for each scene of a batch."""
        limit = torch.log(torch.tensor(1 + self.zoom))
        scale = (uniform(batch, low=-1.0) * limit.to(batch.labels.device)).exp()  # (n,)
        move = uniform(batch, 2, low=-self.shift, high=self.shift)  # (n, 2)
        return Frames(scale, move, uniform(batch) < self.flip)


@dataclass(frozen=True, eq=False)
class Frames:
    """Frames of a batch's scenes.

    Attributes:
        scale: how many times as large all is seen.
        move: to the right and down, as shares of the side.
        mirrored: left and right, at last.
    """

    scale: Float[Tensor, " n"]
    move: Float[Tensor, "n 2"]
    mirrored: Bool[Tensor, " n"]

    @in_full_precision
    def images(self, batch: Batch) -> Batch:
        """The scenes in their frames."""
        x = images(batch, self)
        seen = F.grid_sample(x, self._grid(x), padding_mode="border", align_corners=False)
        return batch.with_x(seen)

    def masks(self, masks: UInt8[Tensor, "n h w"]) -> UInt8[Tensor, "n h w"]:
        """Masks in the scenes' frames."""
        kept = (255 - masks[:, None]).float()  # beyond the border there is 0, which is 255: unknown
        seen = F.grid_sample(kept, self._grid(kept), mode="nearest", align_corners=False)
        return (VOID - seen[:, 0]).round().to(torch.uint8)

    def boxes(
        self, place: int, boxes: Float[Tensor, "k 4"], labels: Int[Tensor, " k"], size: tuple[int, int]
    ) -> tuple[Float[Tensor, "m 4"], Int[Tensor, " m"]]:
        """The boxes of the scene at `place`, cut to the frame, and their classes; those of which little is left, out.

        Args:
            place: in the batch.
            boxes, labels: in the scene.
            size: its height and width.
        """
        sides = boxes.new_tensor([size[1], size[0]])
        corners = boxes.view(-1, 2, 2)  # (k, 2, xy)
        corners = (corners - sides / 2) * self.scale[place] + sides / 2 + self.move[place] * sides
        if self.mirrored[place]:
            corners = torch.stack([sides[0] - corners[..., 0].flip(1), corners[..., 1]], dim=2)
        cut = torch.minimum(corners.clamp(min=0), sides)
        left = (cut[:, 1] - cut[:, 0]).clamp(min=0).prod(1)
        kept = left >= SEEN * (corners[:, 1] - corners[:, 0]).prod(1)
        return cut.view(-1, 4)[kept], labels[kept]

    def _grid(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n h w 2"]:
        """Where each pixel is read, in `grid_sample`'s units: -1 and 1 are the image's edges."""
        sign = 1 - 2 * self.mirrored.float()
        theta = torch.zeros(len(x), 2, 3, device=x.device)
        theta[:, 0, 0], theta[:, 1, 1] = sign / self.scale, 1 / self.scale
        theta[:, :, 2] = -2 * self.move / self.scale[:, None]
        return F.affine_grid(theta, list(x.shape), align_corners=False)
