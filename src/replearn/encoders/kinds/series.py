"""Series: convolutions along time, and transformers over patches of it, of all channels or of each."""

from collections.abc import Mapping
from typing import ClassVar

from torch import nn

from replearn.encoders.base import Described
from replearn.encoders.kinds.base import PATCHES, Maker, Networks
from replearn.encoders.series import SensorPatches, SeriesCNN, side_of_patch
from replearn.encoders.vit import ViT


def _cnn(shape: tuple[int, ...], *, width: int = 32, depth: int = 3) -> nn.Module:
    return SeriesCNN(shape[0], width=width, depth=depth)


def _vit(shape: tuple[int, ...], *, width: int = 128, depth: int = 4) -> nn.Module:
    return ViT(shape, side=side_of_patch(shape[1]), width=width, depth=depth)


def _sensors(shape: tuple[int, ...]) -> nn.Module:
    return SensorPatches(*shape, side=side_of_patch(shape[1]))


class SeriesNetworks(Networks):
    """Series `(c, t)`."""

    bodies: ClassVar[Mapping[str, Maker]] = {**Networks.bodies, "cnn": _cnn, "vit": _vit, "sensors": _sensors}
    offers: ClassVar[frozenset[str]] = Networks.offers | {PATCHES}

    def auto(self, samples: Described) -> str:
        return "cnn"
