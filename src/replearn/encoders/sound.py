"""Networks that hear sounds, `(n, 1, t)`: as spectrograms in mel bands, or as waves."""

from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from replearn.data.mel import FLOOR, Mel, filters, log_mel
from replearn.encoders.patching import Sizes, grid_of
from replearn.encoders.resnet import conv3x3, initialise
from replearn.encoders.series import Row
from replearn.encoders.stages import Stages, pooled

SIDE, LONG = 8, 160  # bands and frames of a patch; frames of a spectrogram from which it is twice as large


class LogMel(nn.Module):
    """The spectrogram of a sound, as a picture of one channel: decibels in mel bands, their mean taken off.

        level = log_mel(x)      (level - mean(level)) / 10

    So it does not matter how loud a sound is.

    Args:
        mel: how.
    """

    weights: Tensor
    window: Tensor

    def __init__(self, mel: Mel) -> None:
        super().__init__()
        self.mel = mel
        self.register_buffer("weights", filters(mel), persistent=False)
        self.register_buffer("window", torch.hann_window(mel.window), persistent=False)

    def forward(self, x: Float[Tensor, "n 1 t"]) -> Float[Tensor, "n 1 b s"]:
        with torch.autocast(x.device.type, enabled=False):
            level = log_mel(x[:, 0].float(), self.mel, weights=self.weights, window=self.window)
            return ((level - level.mean((1, 2), keepdim=True)) / (FLOOR / 3))[:, None]


class Spectral(nn.Module):
    """A network of pictures that reads spectrograms of sounds.

    Args:
        net: reads `(n, 1, bands, frames)`.
        mel: how spectrograms are made.
    """

    wraps = True

    def __init__(self, net: nn.Module, mel: Mel) -> None:
        super().__init__()
        self.front = LogMel(mel)
        self.net: Any = net

    def forward(self, x: Float[Tensor, "n 1 t"]) -> Float[Tensor, "n dim"]:
        return self.net(self.front(x))  # type: ignore[no-any-return]

    def layers(self, x: Float[Tensor, "n 1 t"]) -> list[Float[Tensor, "n _"]]:
        """Those of the network."""
        return self.net.layers(self.front(x))  # type: ignore[no-any-return]

    def tokens(self, x: Float[Tensor, "n 1 t"]) -> Float[Tensor, "n _ dim"]:
        """Those of the network."""
        return self.net.tokens(self.front(x))  # type: ignore[no-any-return]


class SpectralPatches(Spectral):
    """The same, of a network of patches: those of spectrograms, whose states say in which bands they lie.

        state (w,) of a patch in row r of the grid -> (0, ..., 0, state, 0, ..., 0), r-th of as many places as rows

    So their mean keeps rows of bands apart: it is the states' mean over time, row by row.

    Args:
        net: of patches of `(n, 1, bands, frames)`.
        mel: how spectrograms are made.
        width: numbers per state of the network.
    """

    def __init__(self, net: nn.Module, mel: Mel, *, width: int) -> None:
        super().__init__(net, mel)
        self.width = width
        self.rows = grid_of((mel.bands,), int(self.net.side))[0]

    def forward(self, x: Float[Tensor, "n 1 t"]) -> Float[Tensor, "n dim"]:
        return pooled(self.states(x)[-1])

    def layers(self, x: Float[Tensor, "n 1 t"]) -> list[Float[Tensor, "n _"]]:
        """The states after each block, pooled over time."""
        return [pooled(states) for states in self.states(x)]

    def tokens(self, x: Float[Tensor, "n 1 t"]) -> Float[Tensor, "n p dim"]:
        """The last states."""
        return self.states(x)[-1]

    def states(
        self,
        x: Float[Tensor, "n 1 t"],
        keep: Int[Tensor, "n k"] | None = None,
        hidden: Bool[Tensor, "n p"] | None = None,
        token: Float[Tensor, " dim"] | None = None,
    ) -> list[Float[Tensor, "n _ dim"]]:
        """The patches' states after each block; see `Encoder.read`."""
        columns = self.grid(x)[1]
        row = torch.arange(self.rows * columns, device=x.device) // columns  # (p,)
        if token is not None:  # one for each row
            token = token.view(self.rows, self.width)[row]
        found = self.net.states(self.front(x), keep=keep, hidden=hidden, token=token)
        here = row.expand(len(x), -1) if keep is None else row[keep]  # (n, k)
        place = F.one_hot(here, self.rows)[:, :, :, None]  # (n, k, rows, 1)
        return [(place.to(states.dtype) * states[:, :, None]).flatten(2) for states in found]

    def grid(self, x: Float[Tensor, "n 1 t"]) -> Sizes:
        """How many patches lie along bands and time."""
        mel = self.front.mel
        return grid_of((mel.bands, mel.frames(x.shape[2])), self.net.side)

    def patches(self, x: Float[Tensor, "n 1 t"]) -> Float[Tensor, "n p v"]:
        """The patches of spectrograms."""
        return self.net.patches(self.front(x))  # type: ignore[no-any-return]

    def assemble(
        self, patches: Float[Tensor, "n p v"], like: Float[Tensor, "n 1 t"]
    ) -> Float[Tensor, "n 1 b s"]:
        """Spectrograms of patches; of a sound there is no way back."""
        return self.net.assemble(patches, self.front(like))  # type: ignore[no-any-return]


class SpectrogramCNN(Stages):
    """Convolutions over a spectrogram, of which time is averaged and bands are kept apart.

        (n, 1, b, s) -> (n, width, b/2, s/2) -> (n, 2 width, b/4, s/4) -> (n, 2 width, b/8, s/8) -> mean over time

    A mean over bands would say which sounds there are, but not how high.

    Args:
        width: channels after the first convolution.
        depth: convolutions, each of which halves both sides; each but the first two keeps the channels.

    References: Niizumi et al. (BYOL-A), IJCNN 2021, section III-B (bands kept apart). https://arxiv.org/abs/2103.06695
    """

    def __init__(self, *, width: int = 32, depth: int = 3) -> None:
        widths = [1, width, *[2 * width] * (depth - 1)]
        super().__init__(
            [
                nn.Sequential(conv3x3(before, after, stride=2), nn.BatchNorm2d(after), nn.ReLU(inplace=True))
                for before, after in pairwise(widths)
            ]
        )
        initialise(self)

    def forward(self, x: Float[Tensor, "n 1 b s"]) -> Float[Tensor, "n dim"]:
        return pooled(self.tokens(x))

    def layers(self, x: Float[Tensor, "n 1 b s"]) -> list[Float[Tensor, "n _"]]:
        """What every stage returns, averaged over time."""
        return [pooled(by_time(found)) for found in self.maps(x)]

    def tokens(self, x: Float[Tensor, "n 1 b s"]) -> Float[Tensor, "n _ dim"]:
        """The last map as one row of numbers per time."""
        return by_time(self.map(x))


def by_time(x: Float[Tensor, "n c b s"]) -> Float[Tensor, "n s d"]:
    """Channels and bands of each time in one row."""
    return x.flatten(1, 2).mT


class WaveCNN(Stages):
    """Strided convolutions over the wave itself, then a mean over time.

        (n, 1, t) -5-> -4-> -2-> -2-> -2-> (n, width, t / 160)

    The encoder of CPC for sound, as deep, with kernels 10, 8, 4, 4, 4 and BatchNorm.

    Args:
        width: channels.

    References: van den Oord, Li & Vinyals, 2018, section 3.1. https://arxiv.org/abs/1807.03748
    """

    def __init__(self, *, width: int = 128) -> None:
        stages = []
        for number, (kernel, stride) in enumerate(((10, 5), (8, 4), (4, 2), (4, 2), (4, 2))):
            conv = nn.Conv2d(
                1 if number == 0 else width, width, (1, kernel), (1, stride), (0, kernel // 2), bias=False
            )
            first: list[nn.Module] = [] if number else [Row()]
            stages.append(nn.Sequential(*first, conv, nn.BatchNorm2d(width), nn.ReLU(inplace=True)))
        super().__init__(stages)
        initialise(self)


def side_of_patch(frames: int) -> int:
    """Bands and frames of a patch."""
    return SIDE if frames <= LONG else 2 * SIDE
