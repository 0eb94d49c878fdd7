"""Network surgery: an encoder loses what comes after its maps, and becomes the backbone of another model's head.

    scene --encoder--> maps of its stages --choose: one for each stride--> feature pyramid --> a head of torchvision
                       64² 32² 16² 8²                                     16² 8² 4², all of one width

References: Lin et al., "Feature pyramid networks", CVPR 2017. https://arxiv.org/abs/1612.03144
"""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torchvision.ops import FeaturePyramidNetwork

from replearn.data import Batch, Samples
from replearn.encoders import Encoder
from replearn.encoders.base import Described
from replearn.encoders.modes import evaluating
from replearn.encoders.stages import NoStages

COARSEST = 32  # pixels between places of a map
GROUPS = 8  # of channels that are normalised together
MEASURED_ON, AT_ONCE = 256, 32  # samples


@dataclass(frozen=True)
class Level:
    """A map that is read of an encoder.

    Attributes:
        place: in what `read(batch, "maps")` returns.
        channels: of it.
        stride: pixels between its places.
    """

    place: int
    channels: int
    stride: int


def maps_of(encoder: Encoder, batch: Batch) -> list[Tensor]:
    """The maps of an encoder's stages, and what others return; the last map alone where it tells no more."""
    try:
        found: list[Tensor] = encoder.read(batch, "maps")
    except NoStages:
        found = [encoder.read(batch, "map")]
    return found


def levels_read(encoder: Encoder, samples: Described, *, finest: int) -> list[Level]:
    """Of each stride from `finest` to 32 pixels the last map; where there are none, the last of all.

    Raises:
        ValueError: the encoder keeps no maps, or their places don't lie evenly over such samples.
    """
    try:
        with evaluating([encoder]), torch.no_grad():
            found = maps_of(encoder, _blank(encoder, samples))
    except NoStages:
        found = []
    maps = [(place, x) for place, x in enumerate(found) if x.ndim == 4]
    if not maps:
        raise ValueError(
            f"the encoder must keep maps (n, d, h, w), of which boxes and masks are made; "
            f"{type(encoder.body).__name__} does not. Use resnet_tiny, resnet_small, cnn or a network of timm."
        )
    height, width = samples.shape[1:]
    levels = []
    for place, x in maps:
        stride = height // x.shape[2]
        if (x.shape[2] * stride, x.shape[3] * stride) != (height, width):
            raise ValueError(
                f"sides of scenes must be multiples of {COARSEST} pixels for this encoder; got {height} x {width}, of "
                f"which a map of {x.shape[2]} x {x.shape[3]} is made. Read them at another size."
            )
        levels.append(Level(place, x.shape[1], stride))
    last = {level.stride: level for level in levels if finest <= level.stride <= COARSEST}
    return [last[stride] for stride in sorted(last)] or [levels[-1]]


def leave_unread(encoder: Encoder, samples: Described, levels: list[Level]) -> None:
    """Let what of an encoder lies behind the maps that are read not learn: processes would wait for its gradients."""
    learning = [p for p in encoder.parameters() if p.requires_grad]
    if not learning:
        return
    with evaluating([encoder]), torch.enable_grad():
        maps = maps_of(encoder, _blank(encoder, samples))
        total = torch.stack([maps[level.place].sum() for level in levels]).sum()
        gradients = torch.autograd.grad(total, learning, allow_unused=True)
    for parameter, gradient in zip(learning, gradients, strict=True):
        parameter.requires_grad_(gradient is not None)


def _blank(encoder: Encoder, samples: Described) -> Batch:
    device = encoder.mean.device
    unknown = torch.full((2,), -1, device=device)
    return Batch(torch.zeros(2, *samples.shape, device=device), labels=unknown, index=unknown)


class Pyramid(nn.Module):
    """Maps of one width, each of which knows what the coarser ones do; coarser ones are added.

    Args:
        levels: what is read of the encoder, from the finest map on.
        width: channels of each map that comes out.
        coarsest: stride up to which maps are added, each half as large as the one before.

    Attributes:
        out_channels: the width, as heads of torchvision ask for it.
        strides: of the maps that come out.
    """

    def __init__(self, levels: list[Level], *, width: int, coarsest: int = 1) -> None:
        super().__init__()
        self.places = [level.place for level in levels]
        self.out_channels = width
        self.pyramid = FeaturePyramidNetwork(
            [level.channels for level in levels], width, norm_layer=group_norm
        )
        self.strides = [level.stride for level in levels]
        while self.strides[-1] < coarsest:
            self.strides.append(2 * self.strides[-1])

    def forward(self, maps: list[Tensor]) -> list[Float[Tensor, "n width _ _"]]:
        chosen = OrderedDict((str(place), maps[place]) for place in self.places)
        found = list(self.pyramid(chosen).values())
        while len(found) < len(self.strides):
            found.append(F.max_pool2d(found[-1], 1, stride=2))
        return found


def group_norm(channels: int) -> nn.GroupNorm:
    """Group normalisation, which does not ask how many samples there are. Wu & He, ECCV 2018.

    https://arxiv.org/abs/1803.08494
    """
    return nn.GroupNorm(GROUPS if channels % GROUPS == 0 else 1, channels)


def with_group_norms(module: nn.Module) -> nn.Module:
    """The module, with group normalisation for each batch normalisation in it; in place."""
    for name, part in list(module.named_modules()):
        if isinstance(part, _BatchNorm):
            module.set_submodule(name, group_norm(part.num_features))
    return module


def batch_norms(module: nn.Module) -> list[nn.Module]:
    """The batch normalisations in a module."""
    return [part for part in module.modules() if isinstance(part, _BatchNorm)]


@torch.no_grad()
def measure_statistics(encoder: Encoder, samples: Samples) -> int:
    """Let the encoder's batch normalisations know the statistics of such samples; how many were looked at.

    What they had before is forgotten. A network with random weights has none that could stay as they are.
    """
    norms = [part for part in encoder.modules() if isinstance(part, _BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    index = np.unique(np.linspace(0, len(samples) - 1, min(len(samples), MEASURED_ON)).astype(np.int64))
    device = encoder.mean.device
    with evaluating([encoder]):
        for norm in norms:
            norm.reset_running_stats()
            norm.training, norm.momentum = True, None  # the mean over all that is seen
        for start in range(0, len(index) if norms else 0, AT_ONCE):
            maps_of(encoder, samples[index[start : start + AT_ONCE]].to(device))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return len(index) if norms else 0
