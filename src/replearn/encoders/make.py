"""`make_encoder`: from a name or a module to an encoder for given samples."""

from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from math import prod
from pathlib import Path
from typing import Any

from torch import nn

from replearn.encoders.base import Described, Encoder
from replearn.encoders.cnn import CNN
from replearn.encoders.conv import Conv
from replearn.encoders.dense import MLP, Linear
from replearn.encoders.given import dry_run, given_encoder
from replearn.encoders.resnet import ResNetSmall
from replearn.encoders.stand_ins import meant_by, weights_at
from replearn.encoders.text_nets import FOLDER, text_encoder
from replearn.encoders.weights import fill, read_weights

FOR_ANYTHING: dict[str, Callable[[int], nn.Module]] = {"linear": Linear, "mlp": MLP}
FOR_IMAGES: dict[str, Callable[[int], nn.Module]] = {"cnn": CNN, "resnet_small": ResNetSmall}
FOR_SHAPES: dict[str, Callable[[tuple[int, ...]], nn.Module]] = {"conv": Conv}
ENCODERS = (*FOR_ANYTHING, *FOR_IMAGES, *FOR_SHAPES)
LITTLE = 64  # pixels up to which "auto" takes the small ResNet


def make_encoder(spec: str | nn.Module, samples: Described) -> Encoder:
    """An encoder for samples like these, with random weights or those of a local file. Nothing is downloaded.

    Args:
        spec: one of

            - `"auto"`: `resnet_small` for images up to 64 pixels, timm's `resnet18` for larger ones, `mlp`
              for tables, `bert_mini` for texts;
            - for texts one of `replearn.encoders.text_nets.TEXT_ENCODERS`, or `"hf:FOLDER"`;
            - `"linear"`, `"mlp"` (any samples, laid flat), `"cnn"`, `"conv"`, `"resnet_small"` (images);
            - the name of any timm model, such as `"resnet18"` or `"vit_tiny_patch16_224"`, fitted to the
              images as `replearn.encoders.timm_nets.timm_net` says;
            - any of these names for images and tables with a local file of weights,
              `"resnet18@weights/resnet18.safetensors"` (or `.pth`, of which only tensors are read), or with a run
              folder, `"resnet18@runs/simclr-photos"`, whose encoder is such a network; classifiers are left out,
              and a first convolution for other channels is adapted;
            - a module that reads float tensors `(n, *samples.shape)` and returns `(n, dim)` or
              `(n, dim, h, w)`. It is copied: training does not change it. An `Encoder` keeps its own scaling
              of the input.
        samples: give `kind`, `shape` and `statistics`; nothing else is read.

    Raises:
        ValueError: the name is unknown (the nearest are offered), the samples are of another kind, the
            weights do not fit, or the module does not read or return what an encoder must.

    Example:
        >>> import numpy as np
        >>> from replearn.data.samples import ArraySamples
        >>> samples = ArraySamples(np.zeros((10, 1, 28, 28), dtype=np.uint8))
        >>> encoder = make_encoder("resnet_small", samples)
        >>> encoder(samples[np.arange(4)]).shape, encoder.dim
        (torch.Size([4, 256]), 256)
    """
    spec = meant_by(spec)
    if samples.kind in ("text", "tokens"):
        return text_encoder(spec, samples)
    if isinstance(spec, nn.Module):
        return given_encoder(spec, samples)
    name, _, file = spec.partition("@")
    weights = weights_at(file) if file else None
    body = _body(_auto(samples) if name == "auto" else name, samples, weights)
    mean, std = samples.statistics
    fixed = isinstance(body, MLP | Linear) or getattr(body, "fixed", False)
    size = samples.shape[1:] if fixed and len(samples.shape) == 3 else None
    return Encoder(body, dim=dry_run(body, samples.shape).shape[1], mean=mean, std=std, size=size)


def comes_with_weights(spec: Any) -> bool:
    """Whether an encoder may have learned elsewhere: it is no name, or one that leads to a folder or a file of weights.

    >>> comes_with_weights("resnet18"), comes_with_weights("resnet18@weights.safetensors")
    (False, True)
    """
    if not isinstance(spec, str) or spec.startswith(FOLDER) or "@" in spec:
        return True
    return spec not in ENCODERS and Path(spec).is_dir()  # a run, by which fine-tuning begins


def _auto(samples: Described) -> str:
    if samples.kind == "table":
        return "mlp"
    if samples.kind == "image":
        return "resnet_small" if max(samples.shape[1:]) <= LITTLE else "resnet18"
    raise ValueError(
        f"there is no encoder of ours for samples of kind {samples.kind!r}; give a torch.nn.Module."
    )


def _body(name: str, samples: Described, weights: Path | None) -> nn.Module:
    timm_nets = None if name in ENCODERS else import_module("replearn.encoders.timm_nets")
    if timm_nets and not timm_nets.is_timm(name):
        near = get_close_matches(name, ["auto", *ENCODERS, *timm_nets.timm_names()], cutoff=0.5)
        raise ValueError(
            f"encoder must be auto, {', '.join(ENCODERS)}, a timm model or a module; got {name!r}. "
            f"Nearest: {', '.join(near) or 'none'}."
        )
    if name not in FOR_ANYTHING and len(samples.shape) != 3:
        raise ValueError(
            f"encoder {name!r} reads images (c, h, w); got samples of shape {samples.shape}. "
            "Use 'mlp' or 'linear'."
        )
    if timm_nets:
        net: nn.Module = timm_nets.timm_net(name, samples.shape, weights=weights)
        return net
    body = _ours(name, samples.shape)
    if weights:
        fill(body, read_weights(weights), weights, first=("stages.0.0",), heads=())
    return body


def _ours(name: str, shape: tuple[int, ...]) -> nn.Module:
    if name in FOR_SHAPES:
        return FOR_SHAPES[name](shape)
    return FOR_ANYTHING[name](prod(shape)) if name in FOR_ANYTHING else FOR_IMAGES[name](shape[0])
