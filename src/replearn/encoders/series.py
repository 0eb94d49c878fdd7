"""Networks that read what goes on in time, `(n, c, t)`."""

import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from replearn.encoders.patching import Sizes, grid_of
from replearn.encoders.resnet import initialise
from replearn.encoders.stages import Stages, pooled
from replearn.encoders.vit import ViT

SHORTEST = 4  # rows from which a map is halved no more
PATCHES = 32  # of a series, about


class Row(nn.Module):
    """Series as pictures of one row, `(n, c, t) -> (n, c, 1, t)`, so that what is said of maps holds for them."""

    def forward(self, x: Tensor) -> Tensor:
        return x.unsqueeze(2)


class SeriesCNN(Stages):
    """Convolutions along time, each followed by BatchNorm and ReLU; all but the first halve the length.

        (n, c, t) -> (n, width, t) -> (n, 2 width, t/2) -> (n, 4 width, t/4) -> mean over time -> (n, 4 width)

    The defaults give `dim` 128 and 57,280 parameters for six channels.

    Args:
        channels: of the series.
        width: channels after the first convolution.
        kernel: rows that a convolution sees.
        depth: convolutions; widths double up to `4 · width`.
    """

    def __init__(self, channels: int, *, width: int = 32, kernel: int = 5, depth: int = 3) -> None:
        widths = [width * 2 ** min(2, step) for step in range(depth)]
        stages = []
        for step, (before, after) in enumerate(zip([channels, *widths], widths, strict=False)):
            stride = 1 if step == 0 else 2
            conv = nn.Conv2d(before, after, (1, kernel), (1, stride), (0, kernel // 2), bias=False)
            first: list[nn.Module] = [Row()] if step == 0 else []
            stages.append(nn.Sequential(*first, conv, nn.BatchNorm2d(after), nn.ReLU(inplace=True)))
        super().__init__(stages)
        initialise(self)


def side_of_patch(length: int) -> int:
    """Rows of a patch: about 32 patches of a series, of at most 16 rows.

    >>> side_of_patch(100), side_of_patch(20), side_of_patch(10_000)
    (4, 1, 16)
    """
    return max(1, min(16, -(-length // PATCHES)))


class SensorPatches(nn.Module):
    """A transformer whose patches are stretches of one channel each: a mask may hide one sensor and not another.

        (n, c, t) -stretches of s rows-> (n, s, c, t/s) -a patch each place-> states (n, c t/s, dim) -mean-> (n, dim)

    With c channels there are c times as many patches as `ViT` makes of the same series.

    Args:
        channels, length: of the series.
        side: rows of a patch.
    """

    def __init__(self, channels: int, length: int, *, side: int) -> None:
        super().__init__()
        self.side = side
        self.net = ViT((side, channels, *grid_of((length,), side)), side=1)

    def forward(self, x: Float[Tensor, "n c t"]) -> Float[Tensor, "n dim"]:
        return pooled(self.tokens(x))

    def layers(self, x: Float[Tensor, "n c t"]) -> list[Float[Tensor, "n dim"]]:
        """The states after each block, pooled over channels and time."""
        return self.net.layers(self.stretches(x))

    def tokens(self, x: Float[Tensor, "n c t"]) -> Float[Tensor, "n p dim"]:
        """The last states, channel by channel."""
        return self.net.tokens(self.stretches(x))

    def states(
        self,
        x: Float[Tensor, "n c t"],
        keep: Int[Tensor, "n k"] | None = None,
        hidden: Bool[Tensor, "n p"] | None = None,
        token: Float[Tensor, "*p dim"] | None = None,
    ) -> list[Float[Tensor, "n _ dim"]]:
        """The patches' states after each block; see `Encoder.read`."""
        return self.net.states(self.stretches(x), keep=keep, hidden=hidden, token=token)

    def grid(self, x: Float[Tensor, "n c t"]) -> Sizes:
        """How many patches lie along channels and time."""
        return x.shape[1], *grid_of(x.shape[2:], self.side)

    def patches(self, x: Float[Tensor, "n c t"]) -> Float[Tensor, "n p s"]:
        """The stretches, channel by channel."""
        return self.net.patches(self.stretches(x))

    def assemble(
        self, patches: Float[Tensor, "n p s"], like: Float[Tensor, "n c t"]
    ) -> Float[Tensor, "n c t"]:
        """Series like these, of patches."""
        return patches.reshape(len(patches), like.shape[1], -1)[:, :, : like.shape[2]]

    def stretches(self, x: Float[Tensor, "n c t"]) -> Float[Tensor, "n s c l"]:
        """Rows of a stretch side by side; the last one is filled up with zeros, the mean."""
        filled = F.pad(x, (0, -x.shape[2] % self.side))
        return filled.reshape(*x.shape[:2], -1, self.side).permute(0, 3, 1, 2)  # (n, s, c, l)
