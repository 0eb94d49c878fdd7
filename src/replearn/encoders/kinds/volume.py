"""Volumes: convolutions in three dimensions, and transformers over cubes."""

from collections.abc import Mapping
from typing import ClassVar

from torch import nn

from replearn.encoders.base import Described
from replearn.encoders.kinds.base import PATCHES, Maker, Networks
from replearn.encoders.vit import ViT
from replearn.encoders.volumes import VolumeCNN, side_of_patch


def _vit(shape: tuple[int, ...], *, width: int = 128, depth: int = 4) -> nn.Module:
    return ViT(shape, side=side_of_patch(shape[1:]), width=width, depth=depth)


class VolumeNetworks(Networks):
    """Volumes `(c, d, h, w)`."""

    bodies: ClassVar[Mapping[str, Maker]] = {**Networks.bodies, "cnn": VolumeCNN, "vit": _vit}
    offers: ClassVar[frozenset[str]] = Networks.offers | {PATCHES}

    def auto(self, samples: Described) -> str:
        return "cnn"
