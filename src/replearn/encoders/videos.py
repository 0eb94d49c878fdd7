"""Networks that read clips, `(n, c, t, h, w)`: frame by frame and then along time, in space and time at once, patches.

What is asked of time is often where a thing was at each moment. A mean over places or moments forgets it, so the
network of frames keeps a coarse grid of places, and the first cosines over time beside the mean.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from replearn.encoders.patching import Sizes, grid_of, side_for
from replearn.encoders.resnet import conv3x3, initialise
from replearn.encoders.stages import Stages, pooled
from replearn.encoders.vit import ViT

SMALLEST = 8  # pixels a side down to which maps of frames are halved
PLACES = 4  # along each side of a frame, that are told apart
COSINES = 4  # over time, of which the first is the mean
TUBE = 2  # frames of a patch


def cosines(frames: int, number: int, like: Tensor) -> Float[Tensor, "t m"]:
    """The first cosines over time, each divided by the number of frames: column 0 is the mean.

        B_ij = cos(π j (i + 1/2) / t) / t

    >>> cosines(2, 3, torch.zeros(1)).mul(2).double().round(decimals=2).abs().tolist()
    [[1.0, 0.71, 0.0], [1.0, 0.71, 0.0]]
    """
    precise = torch.float64 if like.dtype == torch.float64 else torch.float32
    at = (torch.arange(frames, device=like.device, dtype=precise) + 0.5) * (math.pi / frames)
    found = (at[:, None] * torch.arange(number, device=like.device)).cos() / frames  # (t, m)
    return found.to(like.dtype)


def over_time(states: Float[Tensor, "n t d"], number: int = COSINES) -> Float[Tensor, "n _"]:
    """Rows of frames as one row of the clip: their mean, and their first cosines over time."""
    return (states.mT @ cosines(states.shape[1], number, states)).flatten(1)  # (n, d·m)


class FrameStages(Stages):
    """Stages of a network of images, on each frame of a clip; what they return is averaged over places and time.

    Args:
        stages: networks of images, each of which reads what the one before it returns.
    """

    def each(self, x: Float[Tensor, "n c t h w"]) -> list[Tensor]:
        """What every stage returns of every frame, `(n·t, _, i, j)`."""
        frames = x.transpose(1, 2).flatten(0, 1)  # (n·t, c, h, w)
        return super().maps(frames.contiguous(memory_format=torch.channels_last))

    def map(self, x: Float[Tensor, "n c t h w"]) -> Float[Tensor, "n d i j"]:
        """The last map of the frames, their mean where there are several."""
        return self.maps(x)[-1]

    def maps(self, x: Float[Tensor, "n c t h w"]) -> list[Float[Tensor, "n _ _ _"]]:
        """The map of the frames after each stage, their mean where there are several."""
        return [one.reshape(len(x), x.shape[2], *one.shape[1:]).mean(1) for one in self.each(x)]

    def layers(self, x: Float[Tensor, "n c t h w"]) -> list[Float[Tensor, "n _"]]:
        """What every stage returns, pooled over places and time."""
        return [pooled(one) for one in self.maps(x)]


class FrameCNN(nn.Module):
    """Convolutions of each frame, then along time; of both a coarse position is kept.

        (n, c, t, h, w) -each frame-> (n·t, width, h/2, w/2) -> ... -> (n·t, d, h/4, w/4) -mean in 4 x 4 cells, linear->
        (n, t, hidden) -two convolutions along time-> (n, t, 2 hidden) -mean and 3 cosines over time-> (n, 8 hidden)

    Clips of any number of frames and any size are read. The defaults give `dim` 512 for frames of 32 pixels.

    Args:
        channels: of the frames.
        side: pixels of their longer side, by which it is chosen how often they are halved.
        width: channels after the first convolution; each later one doubles them, up to `8 · width`.
        hidden: numbers for each frame.
    """

    def __init__(self, channels: int, side: int, *, width: int = 16, hidden: int = 64) -> None:
        super().__init__()
        halvings = max(2, math.ceil(math.log2(max(1, side) / SMALLEST)))
        strides = [2, 1, *[2] * (halvings - 1)]
        widths = [channels, *(width * 2 ** min(3, step) for step in range(len(strides)))]
        self.frame = FrameStages(
            [
                nn.Sequential(
                    conv3x3(before, after, stride=stride), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
                )
                for before, after, stride in zip(widths, widths[1:], strides, strict=False)
            ]
        )
        self.place = nn.Sequential(
            nn.Linear(widths[-1] * PLACES**2, hidden, bias=False),
            nn.BatchNorm1d(hidden),
            nn.ReLU(inplace=True),
        )
        self.time = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(before, 2 * hidden, 3, padding=1, bias=False),
                nn.BatchNorm1d(2 * hidden),
                nn.ReLU(inplace=True),
            )
            for before in (hidden, 2 * hidden)
        )
        initialise(self)

    def forward(self, x: Float[Tensor, "n c t h w"]) -> Float[Tensor, "n dim"]:
        return over_time(self.moments(x)[-1])

    def layers(self, x: Float[Tensor, "n c t h w"]) -> list[Float[Tensor, "n _"]]:
        """What every stage returns, its mean over places, and its mean and cosines over time."""
        maps = self.frame.each(x)
        frames = [pooled(one).view(len(x), x.shape[2], -1) for one in maps]  # (n, t, _) each
        return [over_time(states) for states in (*frames, *self._in_time(maps[-1], len(x)))]

    def tokens(self, x: Float[Tensor, "n c t h w"]) -> Float[Tensor, "n t dim"]:
        """A row for each frame, whose mean is what the network returns."""
        states = self.moments(x)[-1]  # (n, t, d)
        weights = cosines(states.shape[1], COSINES, states) * states.shape[1]
        return (states[..., None] * weights[:, None]).flatten(2)

    def moments(self, x: Float[Tensor, "n c t h w"]) -> list[Float[Tensor, "n t _"]]:
        """What is known of each frame: alone, and after each convolution along time."""
        return self._in_time(self.frame.each(x)[-1], len(x))

    def map(self, x: Float[Tensor, "n c t h w"]) -> Float[Tensor, "n d i j"]:
        """That of the stages of frames."""
        return self.frame.map(x)

    def maps(self, x: Float[Tensor, "n c t h w"]) -> list[Float[Tensor, "n _ _ _"]]:
        """Those of the stages of frames."""
        return self.frame.maps(x)

    def first(self, number: int) -> FrameStages:
        """The first so many stages of frames alone, without what comes after them."""
        return FrameStages([*self.frame.stages][:number])

    def _in_time(self, last: Float[Tensor, "m d i j"], n: int) -> list[Float[Tensor, "n t _"]]:
        cells = F.adaptive_avg_pool2d(last, PLACES).flatten(1)  # (n·t, d·16)
        states = self.place(cells).unflatten(0, (n, -1)).mT  # (n, hidden, t)
        found = [states]
        for layer in self.time:
            found.append(layer(found[-1]))
        return [one.mT for one in found]


class R3D(nn.Module):
    """A small residual network whose convolutions see three frames and 3 x 3 pixels at once.

        (n, c, t, h, w) -stem, half size-> width / 2 -half size-> width -half, time too-> 2 width -> 4 width -mean-> dim

    The defaults give `dim` 128.

    Args:
        channels: of the frames.
        width: channels of the first stage; each later one doubles them.

    References: Tran et al., CVPR 2018, section 3.3 (of 18 layers). https://arxiv.org/abs/1711.11248
    """

    def __init__(self, channels: int, *, width: int = 32) -> None:
        super().__init__()
        half = width // 2
        stem = nn.Sequential(
            nn.Conv3d(channels, half, 3, (1, 2, 2), 1, bias=False),
            nn.BatchNorm3d(half),
            nn.ReLU(inplace=True),
        )
        blocks = [
            Block3D(half, width, (1, 2, 2)),
            Block3D(width, 2 * width, (2, 2, 2)),
            Block3D(2 * width, 4 * width, (2, 2, 2)),
        ]
        self.stages = nn.ModuleList([stem, *blocks])

    def forward(self, x: Float[Tensor, "n c t h w"]) -> Float[Tensor, "n dim"]:
        return self.layers(x)[-1]

    def layers(self, x: Float[Tensor, "n c t h w"]) -> list[Float[Tensor, "n _"]]:
        """What every stage returns, its mean over places and time."""
        return [one.mean((2, 3, 4)) for one in self._maps(x)]

    def tokens(self, x: Float[Tensor, "n c t h w"]) -> Float[Tensor, "n _ dim"]:
        """The last map as one row for each place and moment."""
        return self._maps(x)[-1].flatten(2).mT

    def map(self, x: Float[Tensor, "n c t h w"]) -> Float[Tensor, "n dim i j"]:
        """The last map, its mean over time."""
        return self.maps(x)[-1]

    def maps(self, x: Float[Tensor, "n c t h w"]) -> list[Float[Tensor, "n _ _ _"]]:
        """What every stage returns, its mean over time."""
        return [one.mean(2) for one in self._maps(x)]

    def first(self, number: int) -> "R3D":
        """The first so many stages, without what comes after them."""
        found = R3D.__new__(R3D)
        nn.Module.__init__(found)
        found.stages = self.stages[:number]
        return found

    def _maps(self, x: Float[Tensor, "n c t h w"]) -> list[Tensor]:
        found = []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found


class Block3D(nn.Module):
    """Two 3 x 3 x 3 convolutions and a short cut around them.

    Args:
        before, after: channels that come in and go out.
        stride: of the first convolution, in time and space.
    """

    def __init__(self, before: int, after: int, stride: Sequence[int]) -> None:
        super().__init__()
        steps = (stride[0], stride[1], stride[2])
        self.conv1 = nn.Conv3d(before, after, 3, steps, 1, bias=False)
        self.norm1 = nn.BatchNorm3d(after)
        self.conv2 = nn.Conv3d(after, after, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm3d(after)
        self.short = nn.Sequential(nn.Conv3d(before, after, 1, steps, bias=False), nn.BatchNorm3d(after))

    def forward(self, x: Float[Tensor, "n _ _ _ _"]) -> Float[Tensor, "n _ _ _ _"]:
        h: Tensor = self.norm2(self.conv2(self.norm1(self.conv1(x)).relu_()))
        return h.add_(self.short(x)).relu_()


class SpaceTimePatches(nn.Module):
    """A transformer over patches of space and time: two frames deep, and as wide as patches of images are.

        (n, c, t, h, w) -patches of 2 s s pixels-> (n, p, 2 s² c) -blocks-> states (n, p, width) -mean-> (n, width)

    Args:
        shape: `(c, t, h, w)` of clips.
        width, depth: of the transformer.

    References: Tong et al. (VideoMAE), NeurIPS 2022, section 3.2 (cubes of 2 x 16 x 16). https://arxiv.org/abs/2203.12602
    """

    def __init__(self, shape: Sequence[int], *, width: int = 128, depth: int = 4) -> None:
        super().__init__()
        channels, frames, *sizes = shape
        self.sides = (min(TUBE, frames), *[side_for(sizes)] * 2)
        grid = tuple(grid_of((size,), side)[0] for size, side in zip(shape[1:], self.sides, strict=True))
        self.net = ViT((channels * math.prod(self.sides), *grid), side=1, width=width, depth=depth)

    def forward(self, x: Float[Tensor, "n c t h w"]) -> Float[Tensor, "n dim"]:
        return pooled(self.tokens(x))

    def layers(self, x: Float[Tensor, "n c t h w"]) -> list[Float[Tensor, "n dim"]]:
        """The states after each block, pooled over patches."""
        return self.net.layers(self.folded(x))

    def tokens(self, x: Float[Tensor, "n c t h w"]) -> Float[Tensor, "n p dim"]:
        """The last states, from the first frames to the last, row by row."""
        return self.net.tokens(self.folded(x))

    def states(
        self,
        x: Float[Tensor, "n c t h w"],
        keep: Int[Tensor, "n k"] | None = None,
        hidden: Bool[Tensor, "n p"] | None = None,
        token: Float[Tensor, "*p dim"] | None = None,
    ) -> list[Float[Tensor, "n _ dim"]]:
        """The patches' states after each block; see `Encoder.read`."""
        return self.net.states(self.folded(x), keep=keep, hidden=hidden, token=token)

    def grid(self, x: Float[Tensor, "n c t h w"]) -> Sizes:
        """How many patches lie along time, height and width."""
        return tuple(-(-size // side) for size, side in zip(x.shape[2:], self.sides, strict=True))

    def patches(self, x: Float[Tensor, "n c t h w"]) -> Float[Tensor, "n p v"]:
        """The clips' patches, each as a row of its numbers."""
        return self.folded(x).flatten(2).mT

    def assemble(
        self, patches: Float[Tensor, "n p v"], like: Float[Tensor, "n c t h w"]
    ) -> Float[Tensor, "n c t h w"]:
        """Clips like these, of patches."""
        x = patches.reshape(len(patches), *self.grid(like), -1, *self.sides)  # (n, t', h', w', c, 2, s, s)
        x = x.permute(0, 4, 1, 5, 2, 6, 3, 7).flatten(6, 7).flatten(4, 5).flatten(2, 3)  # (n, c, t, h, w)
        return x[:, :, : like.shape[2], : like.shape[3], : like.shape[4]]

    def folded(self, x: Float[Tensor, "n c t h w"]) -> Float[Tensor, "n v _ _ _"]:
        """The numbers of a patch as channels of its place; what is missing at the ends is zero, the mean."""
        missing = [-size % side for size, side in zip(x.shape[2:], self.sides, strict=True)]
        x = F.pad(x, [number for last in reversed(missing) for number in (0, last)])
        cut = (
            number
            for size, side in zip(x.shape[2:], self.sides, strict=True)
            for number in (size // side, side)
        )
        x = x.reshape(*x.shape[:2], *cut)  # (n, c, t', 2, h', s, w', s)
        return x.permute(0, 1, 3, 5, 7, 2, 4, 6).flatten(1, 4)  # (n, c·2·s·s, t', h', w')
