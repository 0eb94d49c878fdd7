"""Networks that read what goes on in time, `(n, c, t)`."""

from torch import Tensor, nn

from replearn.encoders.resnet import initialise
from replearn.encoders.stages import Stages

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
