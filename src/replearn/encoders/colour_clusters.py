"""`ColourClusters`: which of a few clusters of colours each place of a frame has."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from replearn.encoders.palette import DRAWN, centres_of


class ColourClusters(nn.Module):
    """Centres of k-means over (a, b) of Lab, scaled to [0, 1].

    Args:
        number: of clusters.

    Attributes:
        centres: of the clusters, `(k, 2)`.
        shares: how often each occurs in training, `(k,)`.

    References: Vondrick et al., ECCV 2018, section 3.4 (16 clusters). https://arxiv.org/abs/1806.09594
    """

    centres: Tensor
    shares: Tensor

    def __init__(self, number: int) -> None:
        super().__init__()
        self.register_buffer("centres", torch.zeros(number, 2))
        self.register_buffer("shares", torch.full((number,), 1 / number))

    def forward(self, colours: Float[Tensor, "m 2 1 h w"], size: tuple[int, int]) -> Int[Tensor, "m p"]:
        """The cluster of each place, row by row, of frames that are brought to a size by means."""
        small = (
            F.adaptive_avg_pool2d(colours[:, :, 0].to(self.centres.dtype), size).flatten(2).mT
        )  # (m, p, 2)
        # Without a matrix product, whose rounding depends on how many rows there are.
        apart = torch.cdist(small, self.centres, compute_mode="donot_use_mm_for_euclid_dist")
        return apart.argmin(2)

    def learn(self, colours: Float[Tensor, "m 2 1 h w"], size: tuple[int, int], random_state: int) -> None:
        """Find the centres in frames that are brought to a size by means, and count how often each occurs."""
        rng = np.random.default_rng(random_state)
        step = max(1, math.ceil(len(colours) * math.prod(size) / DRAWN))
        places = F.adaptive_avg_pool2d(colours[::step, :, 0].float(), size).movedim(1, 3).flatten(0, 2)
        self.centres.copy_(torch.from_numpy(centres_of(places.numpy(), len(self.centres), rng)))
        found = self(colours[::step], size).flatten().bincount(minlength=len(self.centres))
        self.shares.copy_(found / found.sum())
