"""Images: our convolutional networks, and every one of timm."""

import logging
from collections.abc import Mapping
from copy import deepcopy
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import ClassVar

from torch import nn

from replearn.data.told import tell_resized
from replearn.encoders.base import Described, Encoder
from replearn.encoders.cnn import CNN
from replearn.encoders.conv import Conv
from replearn.encoders.dense import is_small
from replearn.encoders.folder_nets import known
from replearn.encoders.image_folders import pretrained_images
from replearn.encoders.kinds.base import PATCHES, Maker, Networks, check_sizes
from replearn.encoders.resnet import ResNetSmall
from replearn.encoders.text_nets import FOLDER
from replearn.encoders.vit import ViT

log = logging.getLogger("replearn")

LITTLE = 64  # pixels up to which "auto" takes the small ResNet


def _cnn(shape: tuple[int, ...], *, width: int = 32) -> nn.Module:
    return CNN(shape[0], width=width)


def _resnet_small(shape: tuple[int, ...], *, width: int = 64, depth: int = 1) -> nn.Module:
    return ResNetSmall(shape[0], width=width, blocks=(depth,) * 3)


def _resnet_tiny(shape: tuple[int, ...], *, width: int = 32, depth: int = 1) -> nn.Module:
    return _resnet_small(shape, width=width, depth=depth)


class ImageNetworks(Networks):
    """Images `(c, h, w)`."""

    bodies: ClassVar[Mapping[str, Maker]] = {
        **Networks.bodies,
        "cnn": _cnn,
        "resnet_small": _resnet_small,
        "resnet_tiny": _resnet_tiny,
        "conv": Conv,
        "vit": ViT,
    }
    offers: ClassVar[frozenset[str]] = Networks.offers | {PATCHES}

    def make(self, spec: str | nn.Module, samples: Described) -> Encoder:
        if isinstance(spec, str) and spec.startswith(FOLDER):
            if samples.shape[0] not in (1, 3):
                raise ValueError(
                    f"networks of folders read images of one or three channels; these have {samples.shape[0]}. Choose "
                    "another encoder."
                )
            path = Path(spec.removeprefix(FOLDER)).expanduser()
            made = pretrained_images(path)
            if not known():
                tell_resized(samples.shape[1:], made.size, path)
            return made
        return super().make(spec, samples)

    def again(self, encoder: Encoder, before: Described, samples: Described, *, of: str) -> Encoder:
        """Images of other sizes are resized to what it has learned from; grey ones have all its channels."""
        if samples.shape[0] not in (1, before.shape[0]):
            raise ValueError(
                f"{of} must have {before.shape[0]} channels, as what its encoder has learned from; got "
                f"{samples.shape[0]}. Take another run."
            )
        if encoder.size is not None or samples.shape[1:] == before.shape[1:]:
            return encoder
        log.info(
            "%s is resized from %s to %s pixels for its encoder", of, samples.shape[1:], before.shape[1:]
        )
        made = deepcopy(encoder)
        made.size = before.shape[1:]
        return made

    def auto(self, samples: Described) -> str:
        return "resnet_small" if max(samples.shape[1:]) <= LITTLE else "resnet18"

    def coder(self, samples: Described) -> str:
        return "mlp" if is_small(samples.shape) else "conv"

    def has(self, name: str) -> bool:
        return name in self.bodies or bool(import_module("replearn.encoders.timm_nets").is_timm(name))

    def body(self, name: str, samples: Described, weights: Path | None, **sizes: int) -> nn.Module:
        if name in self.bodies:
            return super().body(name, samples, weights, **sizes)
        timm_nets = import_module("replearn.encoders.timm_nets")
        if not timm_nets.is_timm(name):
            near = get_close_matches(name, ["auto", *self.bodies, *timm_nets.timm_names()], cutoff=0.5)
            raise ValueError(
                f"encoder must be auto, {', '.join(self.bodies)}, a timm model or a module; got {name!r}. "
                f"Nearest: {', '.join(near) or 'none'}."
            )
        check_sizes(name, timm_nets.timm_net, sizes)
        net: nn.Module = timm_nets.timm_net(name, samples.shape, weights=weights)
        return net
