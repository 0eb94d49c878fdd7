"""Networks that read clouds of points, `(n, 3, k)`, in whatever order the points come."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from replearn.encoders.clouds import farthest, nearest, taken


class Pointwise(nn.Module):
    """One linear layer for every row, BatchNorm and ReLU: `(n, ..., d) -> (n, ..., width)`."""

    def __init__(self, dim: int, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(dim, width, bias=False)
        self.norm = nn.BatchNorm1d(width)

    def forward(self, x: Tensor) -> Tensor:
        rows = self.norm(self.linear(x).flatten(0, -2))  # (n·..., width)
        found: Tensor = rows.relu().view(*x.shape[:-1], -1)
        return found


class PointNet(nn.Module):
    """The same layers for every point; of each number the largest of all points.

        (n, 3, k) -> (n, k, 64) -> (n, k, 128) -> (n, k, 256) -max-> (n, 256)

    Without the networks that turn the input, which later work left out. The defaults give 42,048 parameters.

    Args:
        widths: of the layers.

    Reference: Qi et al., CVPR 2017. https://arxiv.org/abs/1612.00593
    """

    def __init__(self, widths: tuple[int, ...] = (64, 128, 256)) -> None:
        super().__init__()
        pairs = zip((3, *widths), widths, strict=False)
        self.stages = nn.ModuleList(Pointwise(before, after) for before, after in pairs)

    def forward(self, x: Float[Tensor, "n 3 k"]) -> Float[Tensor, "n dim"]:
        return self.tokens(x).amax(1)  # (n, dim)

    def layers(self, x: Float[Tensor, "n 3 k"]) -> list[Float[Tensor, "n _"]]:
        """What each layer says of all points, the largest."""
        return [rows.amax(1) for rows in self._all(x)]

    def tokens(self, x: Float[Tensor, "n 3 k"]) -> Float[Tensor, "n k dim"]:
        """What the last layer says of each point."""
        return self._all(x)[-1]

    def _all(self, x: Tensor) -> list[Tensor]:
        rows, found = x.mT, []  # (n, k, 3)
        for stage in self.stages:
            rows = stage(rows)
            found.append(rows)
        return found


class Level(nn.Module):
    """Groups around points that are far from each other, each read by a small PointNet.

    Args:
        dim: numbers of a point that come in, beside its place.
        widths: of the layers.
        share: one centre for so many points.
        near: points of a group.
    """

    def __init__(self, dim: int, widths: tuple[int, ...], *, share: int, near: int) -> None:
        super().__init__()
        self.share, self.near = share, near
        pairs = zip((3 + dim, *widths), widths, strict=False)
        self.net = nn.Sequential(*(Pointwise(before, after) for before, after in pairs))

    def forward(
        self, places: Float[Tensor, "n k 3"], rows: Float[Tensor, "n k d"]
    ) -> tuple[Float[Tensor, "n m 3"], Float[Tensor, "n m e"]]:
        centres = taken(places, farthest(places, max(1, places.shape[1] // self.share)))  # (n, m, 3)
        near = nearest(places, centres, self.near)  # (n, m, s)
        around = torch.cat([taken(places, near) - centres[:, :, None], taken(rows, near)], 3)
        return centres, self.net(around).amax(2)  # (n, m, e)


class PointNet2(nn.Module):
    """PointNets of groups of points, of groups of groups, and of them all.

        (n, 3, k) -groups of 16-> (n, k/4, 64) -groups of 16-> (n, k/16, 128) -all of them-> (n, 256)

    Groups are nearest neighbours, as many of each centre, where the paper takes a ball.

    Reference: Qi et al., NeurIPS 2017, section 3.2. https://arxiv.org/abs/1706.02413
    """

    def __init__(self) -> None:
        super().__init__()
        self.levels = nn.ModuleList(
            [
                Level(0, (32, 32, 64), share=4, near=16),
                Level(64, (64, 64, 128), share=4, near=16),
            ]
        )
        self.last = nn.Sequential(Pointwise(131, 128), Pointwise(128, 256))

    def forward(self, x: Float[Tensor, "n 3 k"]) -> Float[Tensor, "n dim"]:
        return self.tokens(x).amax(1)  # (n, dim)

    def layers(self, x: Float[Tensor, "n 3 k"]) -> list[Float[Tensor, "n _"]]:
        """What each level says, the largest of all groups."""
        return [rows.amax(1) for rows in self._all(x)]

    def tokens(self, x: Float[Tensor, "n 3 k"]) -> Float[Tensor, "n m dim"]:
        """What the last level says of each group."""
        return self._all(x)[-1]

    def _all(self, x: Tensor) -> list[Tensor]:
        places, found = x.mT, []  # (n, k, 3)
        rows = places[:, :, :0]
        for level in self.levels:
            places, rows = level(places, rows)
            found.append(rows)
        found.append(self.last(torch.cat([places, rows], 2)))
        return found
