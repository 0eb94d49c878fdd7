"""`Salient`: the square of an image in which most happens."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from replearn.data.samples import Batch
from replearn.views.base import check_interval, images
from replearn.views.warp import Geometry, Size, affine


@dataclass(frozen=True)
class Salient(Geometry):
    """The square of each image whose gradients have most energy, cut out as it is; without any chance.

    It must be the first of a chain of views that move pixels. Those that follow read the image around the square, too:
    one that is shifted after it shows what lies beside it.

    The energy of a place is the sum of its squared differences to the pixels to the right and below, over channels. Of
    squares with equal energy, as in flat images, the first one is taken.

    Args:
        share: side of the square as a share of the image's shorter side, in (0, 1].

    References: Dosovitskiy et al., NeurIPS 2014, section 2.1. https://arxiv.org/abs/1406.6909

    >>> image = torch.zeros(1, 1, 4, 4)
    >>> image[..., 3, 3] = 1.0
    >>> Salient(0.5)(Batch(image, labels=torch.tensor([0]), index=torch.tensor([0]))).x.tolist()
    [[[[0.0, 0.0], [0.0, 1.0]]]]
    """

    cuts: ClassVar[bool] = True

    share: float = 0.75

    def __post_init__(self) -> None:
        check_interval(self, "share", "share", 1e-6, 1.0)

    def draw(self, batch: Batch, size: Size) -> Float[Tensor, "n 3 3"]:
        x = images(batch, self)
        side, _ = self.size_after(size)
        energy = torch.zeros_like(x[:, 0])  # (n, h, w)
        energy[:, :-1] += (x[:, :, 1:] - x[:, :, :-1]).square().sum(1)
        energy[:, :, :-1] += (x[..., 1:] - x[..., :-1]).square().sum(1)
        within = F.avg_pool2d(energy[:, None], side, stride=1)[:, 0]  # (n, i, j)
        best = within.flatten(1).argmax(1)
        top, left = best // within.shape[2], best % within.shape[2]
        down, across = (first + (side - whole) / 2 for first, whole in ((top, size[0]), (left, size[1])))
        return affine(len(batch), x=across, y=down, device=x.device)

    def size_after(self, size: Size) -> Size:
        side = max(1, math.floor(min(size) * self.share))
        return side, side
