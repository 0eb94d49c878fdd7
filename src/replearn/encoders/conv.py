"""A convolutional network that keeps where things lie: what a code to be decoded is made from."""

from itertools import pairwise
from math import prod

from torch import nn

from replearn.encoders.resnet import conv3x3, initialise
from replearn.encoders.stages import Stages

SMALLEST = 8  # pixels: sizes are halved until both sides are at most so many


def halvings(height: int, width: int) -> list[tuple[int, int]]:
    """The size of an image, and those that it has when halved, rounding up, until it is small.

    >>> halvings(28, 20)
    [(28, 20), (14, 10), (7, 5)]
    """
    sizes = [(height, width)]
    while max(sizes[-1]) > SMALLEST:
        sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
    return sizes


class Conv(Stages):
    """Convolutions that halve the size while they double the width, then one linear layer over the whole map.

        (n, c, h, w) -> (n, width, h, w) -half-> (n, 2 width, h/2, w/2) -half-> ... -linear-> (n, dim)

    The mirror of `ConvDecoder`. Networks for recognition end in a mean over positions, which forgets what a decoder
    must know; this one does not. It reads images of one size only. The defaults give `dim` 256 and 1,699,040
    parameters for 28-pixel grey images.

    Args:
        shape: `(c, h, w)` of the images.
        width: channels of the first map; each halving doubles them, up to `4 · width`.
        dim: numbers of the representation.
    """

    fixed = True  # images of another size are resized

    def __init__(self, shape: tuple[int, ...], *, width: int = 32, dim: int = 256) -> None:
        sizes = halvings(*shape[1:])
        widths = [width * 2 ** min(2, step) for step in range(len(sizes))]
        pairs = [(shape[0], width, 1), *((before, after, 2) for before, after in pairwise(widths))]
        stages: list[nn.Module] = [
            nn.Sequential(conv3x3(before, after, stride=stride), nn.BatchNorm2d(after), nn.ReLU(inplace=True))
            for before, after, stride in pairs
        ]
        numbers = widths[-1] * prod(sizes[-1])
        whole = nn.Sequential(
            nn.Flatten(), nn.Linear(numbers, dim, bias=False), nn.BatchNorm1d(dim), nn.ReLU()
        )
        super().__init__([*stages, whole])
        initialise(self)
