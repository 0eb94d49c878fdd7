"""Clouds of points: networks that don't mind in which order points come."""

from collections.abc import Mapping
from typing import ClassVar

from torch import nn

from replearn.encoders.base import Described
from replearn.encoders.kinds.base import ENCODER, PATCHES, Maker, Networks
from replearn.encoders.point_patches import PointViT
from replearn.encoders.points import PointNet, PointNet2


def _pointnet(shape: tuple[int, ...]) -> nn.Module:
    return PointNet()


def _pointnet2(shape: tuple[int, ...]) -> nn.Module:
    return PointNet2()


def _vit(shape: tuple[int, ...], *, width: int = 128, depth: int = 4) -> nn.Module:
    return PointViT(shape[1], width=width, depth=depth)


class PointNetworks(Networks):
    """Clouds `(3, k)`."""

    bodies: ClassVar[Mapping[str, Maker]] = {"pointnet": _pointnet, "pointnet2": _pointnet2, "vit": _vit}
    offers: ClassVar[frozenset[str]] = frozenset({ENCODER, PATCHES})

    def auto(self, samples: Described) -> str:
        return "pointnet"

    def coder(self, samples: Described) -> str:
        return "pointnet"
