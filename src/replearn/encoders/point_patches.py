"""A transformer over patches of clouds: points around centres that are far from each other."""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from replearn.encoders.clouds import farthest, in_line, nearest, taken, waves
from replearn.encoders.patching import Sizes, chosen
from replearn.encoders.stages import pooled
from replearn.encoders.vit import Block, initialise

FEWEST, MOST = 8, 64  # patches
SIZE = 16  # points of a patch; of large clouds 32


class PointViT(nn.Module):
    """Patches of points, each read by a small PointNet, through blocks of attention; the mean of their states.

        (n, 3, k) -centres far from each other, in line-> (n, p, 3) -their neighbours-> patches (n, p, s, 3)
        patches -PointNet-> + waves of the centres -> states (n, p, width) -blocks, norm, mean-> (n, width)

    Patches overlap. Points of a patch are told from its centre, in half of the distance that p centres have about.
    The defaults give `dim` 128 and 900,608 parameters.

    Args:
        points: of a cloud, by which the number of patches is chosen; clouds with others are read, too.
        width: numbers per state.
        depth: blocks.

    Attributes:
        sets: numbers of each point of a patch, which has no order.

    Reference: Pang et al., ECCV 2022, section 3.1. https://arxiv.org/abs/2203.06604
    """

    sets = 3

    def __init__(self, points: int, *, width: int = 128, depth: int = 4) -> None:
        super().__init__()
        self.count = max(FEWEST, min(MOST, points // 8))
        self.size = SIZE if points < 1024 else 2 * SIZE
        self.first = nn.Sequential(nn.Linear(3, 64), nn.GELU(), nn.Linear(64, 128))
        self.second = nn.Sequential(nn.Linear(256, 256), nn.GELU(), nn.Linear(256, width))
        self.blocks = nn.ModuleList(Block(width) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        initialise(self)

    def forward(self, x: Float[Tensor, "n 3 k"]) -> Float[Tensor, "n dim"]:
        return pooled(self.states(x)[-1])  # (n, dim)

    def states(
        self,
        x: Float[Tensor, "n 3 k"],
        keep: Int[Tensor, "n s"] | None = None,
        hidden: Bool[Tensor, "n p"] | None = None,
        token: Float[Tensor, "*p width"] | None = None,
    ) -> list[Float[Tensor, "n _ width"]]:
        """The patches' states after each block, the last ones normalised; see `Encoder.read`."""
        centres = self.centres(x)
        seen = centres if keep is None else chosen(centres, keep)  # hidden patches cost nothing
        states = self.embed(self.around(x, seen))  # (n, p, width)
        if hidden is not None and token is not None:
            states = torch.where(hidden[:, :, None], token.to(states.dtype), states)
        states = states + waves(seen, states.shape[2])
        found = []
        for block in self.blocks:
            states = block(states)
            found.append(states)
        return [*found[:-1], self.norm(states)]

    def layers(self, x: Float[Tensor, "n 3 k"]) -> list[Float[Tensor, "n dim"]]:
        """The states after each block, pooled over patches."""
        return [pooled(states) for states in self.states(x)]

    def tokens(self, x: Float[Tensor, "n 3 k"]) -> Float[Tensor, "n p dim"]:
        """The last states."""
        return self.states(x)[-1]

    def grid(self, x: Float[Tensor, "n 3 k"]) -> Sizes:
        """How many patches there are: they lie in line."""
        return (self.count,)

    def where(self, x: Float[Tensor, "n 3 k"], dim: int) -> Float[Tensor, "n p dim"]:
        """What tells where each patch of each cloud lies."""
        return waves(self.centres(x), dim)

    def patches(self, x: Float[Tensor, "n 3 k"]) -> Float[Tensor, "n p v"]:
        """The points of each patch, from its centre: x, y, z of the first, of the second, ..."""
        return self.around(x, self.centres(x)).flatten(2)

    def assemble(
        self, patches: Float[Tensor, "n p v"], like: Float[Tensor, "n 3 k"]
    ) -> Float[Tensor, "n 3 m"]:
        """Clouds of all points of patches, which overlap, around the centres of these."""
        around = patches.view(*patches.shape[:2], -1, 3) / self.zoom  # (n, p, s, 3)
        whole: Tensor = around + self.centres(like)[:, :, None]
        return whole.flatten(1, 2).mT

    def centres(self, x: Float[Tensor, "n 3 k"]) -> Float[Tensor, "n p 3"]:
        """The middle of each patch, in an order in which neighbours are near."""
        found = taken(x.mT, farthest(x.mT, self.count))
        return taken(found, in_line(found))

    def around(self, x: Float[Tensor, "n 3 k"], centres: Float[Tensor, "n p 3"]) -> Float[Tensor, "n p s 3"]:
        """The points that are nearest to each centre, from there."""
        return (taken(x.mT, nearest(x.mT, centres, self.size)) - centres[:, :, None]) * self.zoom

    def embed(self, patches: Float[Tensor, "n p s 3"]) -> Float[Tensor, "n p width"]:
        """A row for each patch: what is largest of its points, once more beside each, and the largest of that."""
        each = self.first(patches)  # (n, p, s, 128)
        beside = torch.cat([each.amax(2, keepdim=True).expand_as(each), each], 3)
        found: Tensor = self.second(beside).amax(2)
        return found

    @property
    def zoom(self) -> float:
        """Patches of a surface are about so many times smaller than the cloud."""
        return math.sqrt(self.count) / 2
