"""What networks of clouds `(n, k, 3)` share: points far from each other, points near to each, where points lie.

References: Qi et al., NeurIPS 2017, section 3.2. https://arxiv.org/abs/1706.02413
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

LOWEST, HIGHEST = 1.0, 16.0  # radians per unit, of waves that tell places


def farthest(x: Float[Tensor, "n k 3"], number: int) -> Int[Tensor, "n number"]:
    """So many points of each cloud, each the farthest from all before; the first is the farthest from the mean.

    Which points they are does not depend on their order. Of clouds with fewer points some are taken again.

    >>> farthest(torch.tensor([[[0.0, 0, 0], [1, 0, 0], [9, 0, 0], [5, 0, 0]]]), 3).tolist()
    [[2, 0, 3]]
    """
    rows = torch.arange(len(x), device=x.device)
    with torch.no_grad():
        place = (x - x.mean(1, keepdim=True)).square().sum(2).argmax(1)  # (n,)
        apart = torch.full(x.shape[:2], math.inf, dtype=x.dtype, device=x.device)
        found = []
        for _ in range(number):
            found.append(place)
            apart = torch.minimum(apart, (x - x[rows, place][:, None]).square().sum(2))
            place = apart.argmax(1)
    return torch.stack(found, 1)


def nearest(
    x: Float[Tensor, "n k 3"], centres: Float[Tensor, "n m 3"], number: int
) -> Int[Tensor, "n m number"]:
    """The points that are nearest to each centre, nearest first; of clouds with fewer points some are taken again."""
    with torch.no_grad():
        apart = torch.cdist(centres, x, compute_mode="donot_use_mm_for_euclid_dist")  # (n, m, k)
        there = min(number, x.shape[1])
        order = apart.topk(there, dim=2, largest=False).indices  # (n, m, there)
        return order[:, :, torch.arange(number, device=x.device) % there]


def taken(rows: Float[Tensor, "n k d"], places: Int[Tensor, "n ..."]) -> Float[Tensor, "n ... d"]:
    """Rows of each cloud at some places."""
    flat = places.flatten(1)
    found = rows.gather(1, flat[:, :, None].expand(-1, -1, rows.shape[2]))
    return found.view(*places.shape, rows.shape[2])


def in_line(centres: Float[Tensor, "n m 3"]) -> Int[Tensor, "n m"]:
    """An order in which neighbours lie near each other: from the lowest corner, always on to the nearest one left.

    Reference: Saito, Kudeshia & Poovvancheri, WACV 2025, section 3.2. https://arxiv.org/abs/2404.16432
    """
    with torch.no_grad():
        apart = torch.cdist(centres, centres, compute_mode="donot_use_mm_for_euclid_dist")  # (n, m, m)
        rows = torch.arange(len(centres), device=centres.device)
        place = centres.sum(2).argmin(1)
        left = torch.zeros(centres.shape[:2], dtype=centres.dtype, device=centres.device)
        found = []
        for _ in range(centres.shape[1]):
            found.append(place)
            left = left.index_put((rows, place), torch.tensor(math.inf, dtype=left.dtype, device=left.device))
            place = (apart[rows, place] + left).argmin(1)
    return torch.stack(found, 1)


def waves(places: Float[Tensor, "n m 3"], dim: int) -> Float[Tensor, "n m dim"]:
    """Sines and cosines of each coordinate, at frequencies in a geometric series; what is left of `dim` is 0."""
    each = dim // 6
    steps = torch.linspace(0, 1, max(1, each), dtype=places.dtype, device=places.device)[:each]
    angles = places[..., None] * (LOWEST * (HIGHEST / LOWEST) ** steps)  # (n, m, 3, each)
    found = torch.cat([angles.sin().flatten(2), angles.cos().flatten(2)], 2)
    return F.pad(found, (0, dim - found.shape[2]))
