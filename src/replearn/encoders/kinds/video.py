"""Videos: frames read one by one and along time, a small 3-D network, and patches of space and time."""

from collections.abc import Mapping
from typing import ClassVar

from torch import nn

from replearn.encoders.base import Described
from replearn.encoders.kinds.base import PATCHES, Maker, Networks
from replearn.encoders.videos import R3D, FrameCNN, SpaceTimePatches


def _cnn(shape: tuple[int, ...], *, width: int = 16) -> nn.Module:
    return FrameCNN(shape[0], max(shape[2:]), width=width)


def _r3d(shape: tuple[int, ...], *, width: int = 32) -> nn.Module:
    return R3D(shape[0], width=width)


class VideoNetworks(Networks):
    """Clips `(c, t, h, w)`."""

    bodies: ClassVar[Mapping[str, Maker]] = {
        **Networks.bodies,
        "cnn": _cnn,
        "r3d": _r3d,
        "vit": SpaceTimePatches,
    }
    offers: ClassVar[frozenset[str]] = Networks.offers | {PATCHES}

    def auto(self, samples: Described) -> str:
        return "cnn"
