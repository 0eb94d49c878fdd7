"""Clouds are drawn as dots seen from in front, a little from above and from the left: near ones dark."""

import math
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from replearn.data import Samples
from replearn.report.kinds.base import Looks, Shown

SIDE = 48  # pixels
MOST = 512  # points of a cloud that is turned
FINE = 2  # drawn so many times as large, and made smaller
ASIDE, ABOVE = math.radians(-35), math.radians(20)  # of the eye
EDGE = 1.15  # of the sphere, that fits in the picture
FAINTEST = 0.25  # of the farthest point


class PointLooks(Looks):
    """Clouds `(3, k)`, y up."""

    shown: ClassVar[Shown | None] = "picture"

    def cell(self, shape: tuple[int, ...]) -> tuple[int, int]:
        return 1, SIDE

    def cloud(self, samples: Samples, index: int) -> bytes:
        """Of large clouds 512 points."""
        x = samples[np.array([index])].x[0].numpy()  # (3, k)
        some = x[:, :: -(-x.shape[1] // MOST)]
        found: np.ndarray = np.round(some.T.clip(-1, 1) * 127).astype(np.int8)  # (k, 3)
        return found.tobytes()

    def draw(self, x: Any, side: int) -> UInt8[np.ndarray, "n s s 1"]:
        """Ink of the nearest point on each pixel; the dots are 3 of the fine pixels wide."""
        seen = turned(torch.as_tensor(x).float().nan_to_num(), ASIDE, ABOVE)  # (n, 3, k)
        size = side * FINE
        at = ((seen[:, :2] / EDGE + 1) / 2 * size).long()  # (n, 2, k): to the right, upwards
        ink = FAINTEST + (1 - FAINTEST) * ((seen[:, 2] + 1) / 2).clamp(0, 1)  # (n, k)
        picture = torch.zeros(len(x), size * size)
        for right in (-1, 0, 1):
            for down in (-1, 0, 1):
                column = (at[:, 0] + right).clamp(0, size - 1)
                row = (size - 1 - at[:, 1] + down).clamp(0, size - 1)
                picture = picture.scatter_reduce(1, row * size + column, ink, "amax")
        small = picture.view(-1, side, FINE, side, FINE).mean((2, 4))  # (n, s, s)
        return small.clamp(0, 1).mul(255).round().to(torch.uint8)[..., None].numpy()


def turned(x: Float[Tensor, "n 3 k"], aside: float, above: float) -> Float[Tensor, "n 3 k"]:
    """Clouds as an eye sees them that looks along -z after it went aside about up, and above: right, up, near."""
    right = math.cos(aside) * x[:, 0] + math.sin(aside) * x[:, 2]
    near = math.cos(aside) * x[:, 2] - math.sin(aside) * x[:, 0]
    up = math.cos(above) * x[:, 1] - math.sin(above) * near
    return torch.stack([right, up, math.cos(above) * near + math.sin(above) * x[:, 1]], 1)
