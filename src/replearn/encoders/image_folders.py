"""Networks over images that others trained: local folders as the Hugging Face libraries write them."""

import hashlib
from pathlib import Path
from typing import Any

import torch
from torch import nn

from replearn.encoders.base import Encoder
from replearn.encoders.folder_files import read_state, weight_files
from replearn.encoders.folder_nets import (
    TEXT,
    VISION,
    known,
    loaded,
    model_type,
    preprocessing,
    told_of,
    without_pooler,
)
from replearn.encoders.two_halves import AttendedImages, Space, VisionBody

SCALING = ("image_mean", "image_std")
CLIP_IMAGES, SIGLIP_IMAGES = "clip_vision_model", "siglip_vision_model"
FIRST = ("vit", "deit", "dinov2")  # whose first token stands for the image
READ = ("clip", "siglip", *FIRST)
# Of a network of two halves, what leads into the space of both: of texts, and of images.
MAPS = {
    "clip": ("text_projection.weight", "visual_projection.weight"),
    "siglip": ("text_model.head.weight", "vision_model.head.probe"),
}


def pretrained_images(path: Path) -> Encoder:
    """The network in a local folder that reads images, and how these are scaled for it.

    Images are squares already; of other sizes than the network's they are resized.

    Raises:
        ValueError: the folder lacks a file, they can't be read, or its network reads something else.
    """
    again = known()
    named = model_type(path)
    if named not in (*READ, CLIP_IMAGES, SIGLIP_IMAGES):
        raise ValueError(
            f"networks of folders that read images are {', '.join(READ)}; {path} has one of {named}. Choose another "
            "folder, or a network of timm."
        )
    net = without_pooler(loaded(path, "AutoModel", half=VISION))
    with told_of(path):
        body = _body(path, net, paired=("space" in again) if again else named in MAPS)
        otherwise = "images are scaled as if their mean and deviation were 0.5"
        said, where = ({}, "") if again else preprocessing(path, "image_processor", otherwise=otherwise)
        mean, std = (torch.tensor(said.get(name, [0.5] * 3), dtype=torch.float32) for name in SCALING)
        if mean.shape != (3,) or std.shape != (3,) or not (std > 0).all():
            raise ValueError(f"{where} must have three numbers in {' and '.join(SCALING)}")
        side = int(net.config.image_size)
    return Encoder(body, dim=body.dim, mean=mean, std=std, size=(side, side))


def _body(path: Path, net: Any, *, paired: bool) -> VisionBody:
    if net.config.model_type == SIGLIP_IMAGES:
        if not net.config.vision_use_head:
            raise ValueError("its half for images must have a head that pools (vision_use_head)")
        return AttendedImages(net, space_in(path, "siglip") if paired else None)
    if not paired:
        return VisionBody(net)
    return VisionBody(net, projection_in(path, net, VISION), space_in(path, "clip"))


@torch.no_grad()
def projection_in(path: Path, net: Any, half: str) -> nn.Linear:
    """A CLIP's linear map of a half into the space of both."""
    made = nn.Linear(net.config.hidden_size, net.config.projection_dim, bias=False)
    if not known():
        made.weight.copy_(read_state(weight_files(path))[MAPS["clip"][(TEXT, VISION).index(half)]])
    return made


def space_in(path: Path, named: str) -> Space:
    """The space that the halves of a network of two share: of a `clip`, or a `siglip`."""
    if again := known():
        return Space(**again["space"])
    state = read_state(weight_files(path))
    name = hashlib.sha256(b"".join(state[one].float().numpy().tobytes() for one in MAPS[named]))
    bias = float(state["logit_bias"]) if "logit_bias" in state else None
    return Space(name.hexdigest()[:16], float(state["logit_scale"].exp()), bias)
