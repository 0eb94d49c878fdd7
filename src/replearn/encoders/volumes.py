"""Networks that read volumes, `(n, c, d, h, w)`."""

from collections.abc import Sequence

from torch import nn

from replearn.encoders.stages import Stages

MOST, LARGEST = 4, 16  # patches along the longest side, and voxels along the side of a patch


class VolumeCNN(Stages):
    """Convolutions in three dimensions, each followed by BatchNorm and ReLU; all but the first halve every side.

        (n, c, d, h, w) -> (n, width, d, h, w) -> (n, 2 width, d/2, h/2, w/2) -> (n, 4 width, d/4, ...) -> ... mean

    Of volumes of 48 voxels and more the first one takes every other voxel. The defaults give `dim` 128 and 291,216
    parameters for one channel of up to 47 voxels.

    Args:
        shape: `(c, d, h, w)` of samples.
        width: channels after the first convolution; they double up to 8 times as many.
        depth: convolutions.
    """

    def __init__(self, shape: Sequence[int], *, width: int = 16, depth: int = 4) -> None:
        channels, *sizes = shape
        widths = [width * 2 ** min(3, step) for step in range(depth)]
        stages = []
        for step, (before, after) in enumerate(zip([channels, *widths], widths, strict=False)):
            stride = 1 if step == 0 and max(sizes) < 48 else 2
            conv = nn.Conv3d(before, after, 3, stride, 1, bias=False)
            nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
            stages.append(nn.Sequential(conv, nn.BatchNorm3d(after), nn.ReLU(inplace=True)))
        super().__init__(stages)


def side_of_patch(sizes: Sequence[int]) -> int:
    """Voxels along the side of a patch: about four patches along the longest side, and at most 16 voxels.

    >>> side_of_patch((20, 20, 20)), side_of_patch((64, 64, 32)), side_of_patch((128, 128, 128))
    (5, 16, 16)
    """
    return max(1, min(LARGEST, -(-max(sizes) // MOST)))
