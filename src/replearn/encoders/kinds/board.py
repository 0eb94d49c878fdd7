"""Positions of board games: those networks of images that read boards as small as they are."""

from collections.abc import Mapping
from typing import ClassVar

from replearn.encoders.base import Described
from replearn.encoders.kinds.base import PATCHES, Maker, Networks
from replearn.encoders.kinds.image import ImageNetworks

SMALL = ("linear", "mlp", "cnn", "resnet_small", "resnet_tiny", "vit")


class BoardNetworks(Networks):
    """Planes `(c, side, side)`."""

    bodies: ClassVar[Mapping[str, Maker]] = {name: ImageNetworks.bodies[name] for name in SMALL}
    offers: ClassVar[frozenset[str]] = Networks.offers | {PATCHES}

    def auto(self, samples: Described) -> str:
        return "cnn"
