"""A residual network for little images."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from replearn.encoders.stages import Stages


class ResNetSmall(Stages):
    """A 3-stage residual network whose stem halves the size, without max-pool, for images up to about 64 pixels.

        (n, c, h, w) -stem, half size-> width / 2 -> width -half-> 2 width -half-> 4 width -mean-> (n, 4 width)

    The stem halves the size because maps of full size cost processors most of their time.
    The defaults give `dim` 256 and 1,207,264 parameters for one channel (+ 288 for each further one).

    Args:
        channels: channels of the images.
        width: channels of the first stage; each later stage doubles them, and the stem has half of them.
        blocks: basic blocks in each of the stages.

    References:
        He et al., "Deep residual learning for image recognition", CVPR 2016, section 4.2 (the form for
        32-pixel images). https://arxiv.org/abs/1512.03385
    """

    def __init__(self, channels: int, *, width: int = 64, blocks: Sequence[int] = (1, 1, 1)) -> None:
        widths = [width * 2**i for i in range(len(blocks))]
        half = width // 2
        stem = nn.Sequential(conv3x3(channels, half, stride=2), nn.BatchNorm2d(half), nn.ReLU(inplace=True))
        stages = [
            nn.Sequential(
                BasicBlock(before, after, stride=1 if before == half else 2),
                *(BasicBlock(after, after) for _ in range(number - 1)),
            )
            for before, after, number in zip([half, *widths], widths, blocks, strict=False)
        ]
        super().__init__([stem, *stages])
        initialise(self)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a short cut around them: `relu(x + f(x))`.

    Args:
        before, after: channels that come in and go out.
        stride: of the first convolution; 2 halves the size.
    """

    def __init__(self, before: int, after: int, *, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = conv3x3(before, after, stride=stride)
        self.norm1 = nn.BatchNorm2d(after)
        self.conv2 = conv3x3(after, after)
        self.norm2 = nn.BatchNorm2d(after)
        self.short: nn.Module = nn.Identity()
        if before != after or stride != 1:
            self.short = nn.Sequential(
                nn.Conv2d(before, after, 1, stride=stride, bias=False), nn.BatchNorm2d(after)
            )

    def forward(self, x: Float[Tensor, "n _ _ _"]) -> Float[Tensor, "n _ _ _"]:
        # In place: fresh memory costs a CPU more than the arithmetic of these maps.
        inner = self.norm1(self.conv1(x)).relu_()
        h: Tensor = self.norm2(self.conv2(inner))
        return h.add_(self.short(x)).relu_()


def conv3x3(before: int, after: int, *, stride: int = 1) -> nn.Conv2d:
    """A 3x3 convolution without bias, for the norm that follows it has one."""
    return nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)


def initialise(net: nn.Module) -> None:
    """He's normal initialisation for every convolution, in channels-last order of memory."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    # One-channel images fit both orders of memory: the order of the weights decides which kernels run.
    net.to(memory_format=torch.channels_last)
