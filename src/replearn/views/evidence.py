"""What grey images are like, in three numbers by which default views are chosen: see decision 21.

flat        share of pixels that are as bright as the border: is there a ground?
thickness   of the thickest place of what is drawn, as a share of its length: are there strokes?
mirrored    share of images whose mirror image looks less like another image of the set than they do themselves:
            have things a left and a right? One half where they have not.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from replearn.data.content import as_float
from replearn.data.samples import Samples

# Images looked at, and the sides to which they are made smaller first.
LOOKED_AT, COMPARED = 256, 1000
STROKE_SIDE, MIRROR_SIDE = 112, 16
# Of fewer images nothing can be told about their mirror images.
FEWEST = 40


@dataclass(frozen=True)
class Evidence:
    """What images of one channel are like; the attributes are in this module's docstring."""

    flat: float
    thickness: float
    mirrored: float


def evidence_of(samples: Samples) -> Evidence:
    """The evidence of images of one channel."""
    x = _some(samples, LOOKED_AT, STROKE_SIDE)  # (n, h, w)
    border = torch.cat([x[:, 0], x[:, -1], x[:, :, 0], x[:, :, -1]], dim=1)
    away = (x - border.median()).abs()
    flat = float((away <= 0.1).float().mean())
    return Evidence(flat, thickness(away), mirrored(_some(samples, COMPARED, MIRROR_SIDE)))


def thickness(away: Float[Tensor, "n h w"]) -> float:
    """Of the median image: diameter of the largest disc within what is drawn, over the longer side of its box.

    What is drawn is farther from the ground than half of the farthest pixel. 0 where nothing is.
    """
    from scipy.ndimage import distance_transform_edt

    found = []
    for image in away.numpy():
        if image.max() < 0.1:
            continue
        ink = image > image.max() / 2
        rows, columns = np.nonzero(ink)
        length = max(np.ptp(rows), np.ptp(columns)) + 1
        # Distances are to the centre of the nearest pixel of the ground: 1 in a line that is one pixel wide.
        found.append((2 * distance_transform_edt(np.pad(ink, 1)).max() - 1) / length)
    return float(np.median(found)) if found else 0.0


def mirrored(x: Float[Tensor, "n h w"]) -> float:
    """A two-sample test by nearest neighbours, of images against their mirror images.

    Every second image, and its mirror image, are compared with the rest: the share that is nearer to one of them as it
    is than mirrored (ties count half). One half where mirror images are as likely, or there are too few images.
    """
    if len(x) < FEWEST:
        return 0.5
    asked, others = x[::2].flatten(1), x[1::2].flatten(1)
    straight = torch.cdist(asked, others).amin(1)
    turned = torch.cdist(x[::2].flip(-1).flatten(1), others).amin(1)
    return float((straight < turned).float().mean() + (straight == turned).float().mean() / 2)


def _some(samples: Samples, most: int, side: int) -> Float[Tensor, "n h w"]:
    """At most so many images, evenly spread, as floats of at most `side` pixels a side."""
    rows = np.unique(np.linspace(0, len(samples) - 1, num=min(len(samples), most)).astype(np.int64))
    height, width = samples.shape[1:]
    scale = min(1.0, side / max(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    parts = []
    for start in range(0, len(rows), 64):
        x = as_float(samples[rows[start : start + 64]].x)  # (k, 1, h, w)
        parts.append(x if scale == 1 else interpolate(x, size, mode="area"))
    return torch.cat(parts)[:, 0]
