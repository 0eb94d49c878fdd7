"""A plain convolutional network for little images."""

from torch import nn

from replearn.encoders.resnet import conv3x3, initialise
from replearn.encoders.stages import Stages


class CNN(Stages):
    """Three convolutions, each followed by BatchNorm and ReLU; the last two halve the size.

    The default gives `dim` 128 and 92,896 parameters for one channel (+ 288 for each further channel).

    Args:
        channels: channels of the images.
        width: channels after the first convolution; each later one doubles them.
    """

    def __init__(self, channels: int, *, width: int = 32) -> None:
        sizes = [(channels, width, 1), (width, 2 * width, 2), (2 * width, 4 * width, 2)]
        super().__init__(
            [
                nn.Sequential(
                    conv3x3(before, after, stride=stride), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
                )
                for before, after, stride in sizes
            ]
        )
        initialise(self)
