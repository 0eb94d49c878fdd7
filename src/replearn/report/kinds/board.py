"""Positions are drawn as coloured squares: blue who is to move, red the other, the darker the more a piece is worth."""

from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from replearn.data.games import PLANES
from replearn.report.kinds.base import Looks, Shown
from replearn.report.kinds.image import fitted

PAPER = torch.tensor([0.93, 0.91, 0.87])
OWN, OTHER = torch.tensor([0.10, 0.25, 0.65]), torch.tensor([0.70, 0.15, 0.12])
FAINTEST = 0.4  # of the piece that is worth the least
LARGE = 4  # pixels of a square


class BoardLooks(Looks):
    """Planes `(c, side, side)`."""

    shown: ClassVar[Shown | None] = "picture"

    def cell(self, shape: tuple[int, ...]) -> tuple[int, int]:
        return 3, max(48, LARGE * shape[1])

    def draw(self, x: Any, side: int) -> UInt8[np.ndarray, "n s s 3"]:
        """What is between 0 and 1, as a reconstruction is, is fainter."""
        inks = colours(x.shape[1])
        seen = torch.as_tensor(x).float().nan_to_num().clamp(0, 1)[:, : len(inks)]  # (n, k, h, w)
        mixed = PAPER[:, None, None] + torch.einsum("nkhw,kc->nchw", seen, inks - PAPER)
        pictures = fitted(mixed.clamp(0, 1), side)
        return pictures.permute(0, 2, 3, 1).mul(255).round().to(torch.uint8).numpy()


def colours(planes: int) -> Float[Tensor, "k 3"]:
    """The colour of each plane of pieces; of other numbers of planes than those of games that are known, two."""
    named = next((names for names in PLANES.values() if len(names) == planes), ("own", "other"))
    pieces = [name for name in named if name.split()[0] in ("own", "other") and "castling" not in name]
    each = len(pieces) // 2
    shades = torch.linspace(FAINTEST, 1, each) if each > 1 else torch.ones(1)
    inks = [PAPER + (ink - PAPER) * shades[:, None] for ink in (OWN, OTHER)]
    return torch.cat(inks)[:planes]
