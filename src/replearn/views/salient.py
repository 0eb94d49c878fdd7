"""`Salient`: the square of an image in which most happens."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from replearn.data.samples import Batch
from replearn.views.base import View
from replearn.views.checks import check_interval, images


@dataclass(frozen=True)
class Salient(View):
    """The square of each image whose gradients have most energy, cut out as it is; without any chance.

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

    share: float = 0.75

    def __post_init__(self) -> None:
        check_interval(self, "share", "share", 1e-6, 1.0)

    def __call__(self, batch: Batch) -> Batch:
        x = images(batch, self)
        side = max(1, math.floor(min(x.shape[2:]) * self.share))
        energy = torch.zeros_like(x[:, 0])  # (n, h, w)
        energy[:, :-1] += (x[:, :, 1:] - x[:, :, :-1]).square().sum(1)
        energy[:, :, :-1] += (x[..., 1:] - x[..., :-1]).square().sum(1)
        within = F.avg_pool2d(energy[:, None], side, stride=1)[:, 0]  # (n, i, j)
        best = within.flatten(1).argmax(1)
        first = torch.stack([best // within.shape[2], best % within.shape[2]])  # (2, n): down, across
        down, across = first[..., None] + torch.arange(side, device=x.device)  # (n, side) each
        rows = torch.arange(len(x), device=x.device).view(-1, 1, 1)
        cut = x[rows, :, down[:, :, None], across[:, None]]  # (n, side, side, c)
        return batch.with_x(cut.movedim(-1, 1).contiguous())
