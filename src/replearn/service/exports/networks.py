"""The network behind a representation, for formats that hold a library's own networks and nothing around them."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from replearn.encoders import Encoder, TextEncoder, Tokens
from replearn.service.exports.exported import Exported, OfBytes, OfTokens

OTHERS = "Write it --to onnx or --to torch, which hold any network."


def encoder_behind(exported: Exported) -> Encoder:
    """The encoder whose output is the representation.

    Raises:
        ValueError: the representation is more than one encoder's output.
    """
    inputs = exported.drawn(3, seed=0)
    h = exported.answers(inputs)[0]
    for encoder in (part for part in exported.modules() if isinstance(part, Encoder)):
        found = _said_by(encoder, exported, inputs)
        if found is not None and np.array_equal(found, h):
            return encoder
    raise ValueError(
        f"this format holds a representation that is one network's output; that of {type(exported.model).__name__} "
        f"is more. {OTHERS}"
    )


@torch.no_grad()
def _said_by(encoder: Encoder, exported: Exported, inputs: tuple[Tensor, ...]) -> np.ndarray | None:
    """What an encoder of the one class that a library's format can hold says; None of others."""
    alone = TextEncoder if isinstance(exported, OfTokens) else Encoder
    if type(encoder) is not alone or encoder.dim != exported.model.representation_dim:
        return None
    if isinstance(exported, OfTokens):
        ids, mask = inputs
        return encoder.read(Tokens(ids, mask.bool())).numpy()  # type: ignore[no-any-return]
    return encoder(inputs[0]).numpy()  # type: ignore[no-any-return]


def architecture(encoder: Encoder) -> str:
    """What timm calls the network of an encoder; empty of others."""
    config: Any = getattr(encoder.net, "pretrained_cfg", None) or {}
    return str(config.get("architecture", ""))


def timm_encoder(exported: Exported, form: str) -> Encoder:
    encoder = encoder_behind(exported)
    if not isinstance(exported, OfBytes) or not architecture(encoder):
        raise ValueError(
            f"{form}'s format holds networks of images by {form}'s names; this one is {type(encoder.net).__name__} for "
            f"samples of kind {exported.model.samples_.kind}. {OTHERS}"
        )
    body: Any = encoder.body
    sizes = exported.model.samples_.shape[1:]
    if not body.resize and any(side % body.patch for side in sizes):
        raise ValueError(
            f"{form}'s format doesn't say that images are padded; those of {sizes[0]} x {sizes[1]} pixels are, to "
            f"whole patches of {body.patch}. {OTHERS}"
        )
    return encoder


def check_same(
    net: Mapping[str, Tensor], again: Mapping[str, Tensor], name: str, instead: str = OTHERS
) -> None:
    """Raises ValueError where two networks have not the same layers, by names and shapes of their weights."""
    own, other = ({key: tuple(value.shape) for key, value in one.items()} for one in (net, again))
    unlike = sorted(key for key in own.keys() | other.keys() if own.get(key) != other.get(key))
    if unlike:
        key = unlike[0]
        raise ValueError(
            f"the network must have the layers of {name}; its stem was made for small images, or it differs otherwise "
            f"({key}: {own.get(key)} for {other.get(key)}). {instead}"
        )


def of_images(
    net: nn.Module, mean: list[float], std: list[float], size: tuple[int, ...] | None
) -> Callable[..., list[np.ndarray]]:
    """What a network says to bytes, scaled by these numbers."""
    shift, scale = (torch.tensor(numbers).view(1, -1, 1, 1) for numbers in (mean, std))

    @torch.no_grad()
    def answer(x: Tensor) -> list[np.ndarray]:
        images = (x.float() / 255 - shift) / scale
        if size is not None and images.shape[2:] != size:
            images = F.interpolate(images, size, mode="bilinear", antialias=True)  # (n, c, *size)
        return [net(images).numpy()]

    return answer
