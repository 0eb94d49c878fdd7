"""Maps of encoders: which one there is, what makes a picture of it, and what mixes its places."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from replearn.data.samples import Batch
from replearn.encoders.base import Described, Encoder
from replearn.encoders.modes import evaluating
from replearn.encoders.resnet import conv3x3, initialise
from replearn.encoders.stages import NoStages

MOST = 1024  # places that are linked with each other


def map_shape(encoder: Encoder, samples: Described) -> tuple[int, int, int]:
    """Channels, height and width of the map `encoder.read(batch, "map")` of such samples.

    Raises:
        ValueError: the encoder keeps no map.
    """
    device = encoder.mean.device
    unknown = torch.full((2,), -1, device=device)
    blank = Batch(torch.zeros(2, *samples.shape, device=device), labels=unknown, index=unknown)
    try:
        with evaluating([encoder]), torch.no_grad():
            found = encoder.read(blank, "map")
    except NoStages:
        found = torch.zeros(2)
    if found.ndim != 4:
        raise ValueError(
            "the encoder must end in a map (n, d, h, w), of which pictures are made; "
            f"{type(encoder.body).__name__} does not. Use resnet_small, cnn, a network of timm, or a module that "
            "returns maps."
        )
    channels, height, width = found.shape[1:]
    return channels, height, width


class FromMap(nn.Module):
    """A picture from a map: enlarged step by step, each time by two at most, and narrowed.

        (n, d, i, j) -> (n, 2 width, h/2, w/2) -> (n, width, h, w) -> (n, c, h, w)

    Args:
        before: `(d, i, j)` of the map.
        shape: `(c, h, w)` of the picture.
        width: channels of the last map; each step before doubles them, up to `4 · width`.
    """

    def __init__(self, before: tuple[int, int, int], shape: tuple[int, int, int], *, width: int) -> None:
        super().__init__()
        self.sizes = steps_up(before[1:], shape[1:])
        widths = [width * 2 ** min(2, step) for step in reversed(range(len(self.sizes)))]
        self.steps = nn.ModuleList(
            nn.Sequential(conv3x3(a, b), nn.BatchNorm2d(b), nn.ReLU(inplace=True))
            for a, b in pairwise([before[0], *widths])
        )
        self.out = nn.Conv2d(width, shape[0], 1)
        initialise(self)

    def forward(self, x: Float[Tensor, "n d i j"]) -> Float[Tensor, "n c h w"]:
        for size, step in zip(self.sizes, self.steps, strict=True):
            x = step(F.interpolate(x, size, mode="area") if x.shape[2:] != size else x)  # (n, _, *size)
        picture: Tensor = self.out(x)  # (n, c, h, w)
        return picture


def steps_up(small: tuple[int, ...], large: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Sizes from about a small one to a large one, each the half of the next, rounded up.

    >>> steps_up((4, 4), (28, 20))
    [(4, 3), (7, 5), (14, 10), (28, 20)]
    """
    sizes = [large]
    while any(a > b for a, b in zip(sizes[-1], small, strict=True)):
        sizes.append(tuple(-(-side // 2) for side in sizes[-1]))
    return sizes[::-1]


class ChannelWise(nn.Module):
    """Every place of a channel linked with every other one of the same channel, and with none of the others.

        y_c = W_c x_c + b_c

    A layer that is fully connected within channels: it carries what is seen into a hole of any size, for d (h w)^2
    weights where one over the whole map has (d h w)^2.

    Args:
        shape: `(d, h, w)` of the map.

    Raises:
        ValueError: the map has too many places.

    References: Pathak et al., CVPR 2016, section 3.1. https://arxiv.org/abs/1604.07379
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        super().__init__()
        channels, places = shape[0], shape[1] * shape[2]
        if places > MOST:
            raise ValueError(
                f"each place of a map is linked with every other one, so it must have at most {MOST:,}; got "
                f"{shape[1]} x {shape[2]}. Use an encoder that ends in a smaller map, resnet18 say."
            )
        self.weight = nn.Parameter(torch.randn(channels, places, places) / places**0.5)
        self.bias = nn.Parameter(torch.zeros(channels, places))

    def forward(self, x: Float[Tensor, "n d h w"]) -> Float[Tensor, "n d h w"]:
        mixed = torch.einsum("ndt, dst -> nds", x.flatten(2), self.weight) + self.bias
        return mixed.view_as(x)  # (n, d, h, w)
