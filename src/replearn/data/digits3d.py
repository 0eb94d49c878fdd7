"""Digits in space: written digits given depth, each turned and moved in its own way; the same in every run."""

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

SIDE = 20  # voxels
DEPTH = 0.22  # of a digit, as a share of the cube, to either side of its middle
DEGREES = 40.0  # the largest angle about each axis
SHIFT, NOISE = 0.12, 0.1
PART = 256  # volumes that are made at a time


def digits_in_space(
    images: UInt8[np.ndarray, "n h w"], *, random_state: int = 0, side: int = SIDE
) -> UInt8[np.ndarray, "n 1 s s s"]:
    """A volume of each picture: as thick as a stroke of felt, turned about all three axes, moved, under noise.

    Args:
        images: digits, bright on dark.
        random_state: of angles, places and noise.
        side: voxels along each side.
    """
    draw = np.random.default_rng(random_state)
    made = []
    for first in range(0, len(images), PART):
        some = torch.from_numpy(images[first : first + PART]).float()[:, None, None] / 255  # (n, 1, 1, h, w)
        angles = torch.from_numpy(np.radians(draw.uniform(-DEGREES, DEGREES, (len(some), 3))))
        moved = torch.from_numpy(draw.uniform(-SHIFT, SHIFT, (len(some), 3, 1)))
        turns = torch.cat([_turns(angles), moved], 2).float()  # (n, 3, 4)
        grid = F.affine_grid(turns, [len(some), 1, side, side, side], align_corners=False)  # (n, s, s, s, 3)
        flat = torch.cat([grid[..., :2], torch.zeros_like(grid[..., :1])], -1)
        ink = F.grid_sample(some, flat, align_corners=False)  # as if a digit had no end in depth
        ink = ink * (grid[..., 2].abs() < DEPTH)[:, None]
        noisy = ink.numpy() * 0.85 + NOISE * draw.standard_normal(ink.shape, dtype=np.float32)
        made.append(np.round(noisy.clip(0, 1) * 255).astype(np.uint8))
    return np.concatenate(made)


def _turns(angles: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3 3"]:
    """Rotations about the three axes, one after the other."""
    found = torch.eye(3, dtype=angles.dtype).expand(len(angles), 3, 3)
    for axis, angle in enumerate(angles.unbind(1)):
        one, other = [place for place in range(3) if place != axis]
        turn = torch.eye(3, dtype=angles.dtype).repeat(len(angles), 1, 1)
        turn[:, one, one] = turn[:, other, other] = angle.cos()
        turn[:, one, other], turn[:, other, one] = -angle.sin(), angle.sin()
        found = turn @ found
    return found
