"""`make_encoder`: from a name or a module to an encoder for given samples."""

from difflib import get_close_matches
from pathlib import Path
from typing import Any

from torch import nn

from replearn.data.kinds import KINDS
from replearn.encoders.base import Described, Encoder
from replearn.encoders.kinds import NETWORKS, NoSuchNetwork
from replearn.encoders.kinds.base import sizes_of
from replearn.encoders.kinds.image import ImageNetworks
from replearn.encoders.stand_ins import meant_by
from replearn.encoders.text_nets import FOLDER

ENCODERS = tuple(ImageNetworks.bodies)


def make_encoder(spec: str | nn.Module, samples: Described) -> Encoder:
    """An encoder for samples like these, with random weights or those of a local file. Nothing is downloaded.

    Args:
        spec: one of

            - `"auto"`: `resnet_small` for images up to 64 pixels, timm's `resnet18` for larger ones, `mlp`
              for tables, `bert_mini` for texts;
            - `"cnn"`, `"vit"`, of series and sounds, too; of sounds also `"wave"`;
            - for texts one of `replearn.encoders.text_nets.TEXT_ENCODERS`, or `"hf:FOLDER"`;
            - `"linear"`, `"mlp"` (any samples, laid flat), `"cnn"`, `"conv"`, `"resnet_small"`, `"resnet_tiny"` (half
              as wide, in a quarter of the time), `"vit"` (images);
            - one of ours but those of texts with other sizes, `"resnet_small:width=16:depth=2"`: `width` is that of its
              first stage, of hidden layers or of tokens, `depth` the number of blocks, in each stage of a residual
              network;
            - for images `"hf:FOLDER"`, a local folder of the Hugging Face libraries with a ViT, DeiT, DINOv2, CLIP or
              SigLIP; for pairs of images and texts one with a CLIP or SigLIP; for sounds one with a wav2vec 2.0,
              HuBERT, WavLM or AST;
            - the name of any timm model, such as `"resnet18"` or `"vit_tiny_patch16_224"`, fitted to the
              images as `replearn.encoders.timm_nets.timm_net` says;
            - any of these names for images and tables with a local file of weights,
              `"resnet18@weights/resnet18.safetensors"` (or `.pth`, of which only tensors are read), or with a run
              folder, `"resnet18@runs/simclr-photos"`, whose encoder is such a network; classifiers are left out,
              and a first convolution for other channels is adapted;
            - a module that reads float tensors `(n, *samples.shape)` and returns `(n, dim)` or
              `(n, dim, h, w)`. It is copied: training does not change it. An `Encoder` keeps its own scaling
              of the input.
        samples: give `kind`, `shape` and `statistics`; nothing else is read. Which names another kind has says
            its module of `replearn.encoders.kinds`, or its package.

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
    try:
        return NETWORKS[samples.kind].make(spec, samples)
    except NoSuchNetwork as error:
        raise ValueError(_refusal(str(spec), samples)) from error


def _refusal(spec: str, samples: Described) -> str:
    """Why there is no such encoder for samples like these: its name is of another kind's, or of none."""
    name, _ = sizes_of(spec.partition("@")[0])
    others = [KINDS[kind].plural for kind, room in NETWORKS.items() if room.has(name)]
    if others:
        return (
            f"encoder {name!r} reads {' or '.join(others)}; got samples of shape {samples.shape}. "
            "Use 'mlp' or 'linear'."
        )
    names = ["auto", *NETWORKS[samples.kind].bodies]
    known = [*names, *(name for room in NETWORKS.values() for name in room.bodies)]
    near = get_close_matches(name, known, cutoff=0.5)
    return (
        f"encoder must be {', '.join(names)} or a module; got {name!r}. Nearest: {', '.join(near) or 'none'}."
    )


def comes_with_weights(spec: Any) -> bool:
    """Whether an encoder may have learned elsewhere: it is no name, or one that leads to a folder or a file of weights.

    >>> comes_with_weights("resnet18"), comes_with_weights("resnet18@weights.safetensors")
    (False, True)
    """
    if not isinstance(spec, str) or spec.startswith(FOLDER) or "@" in spec:
        return True
    if "=" in spec and ":" not in spec.partition("=")[0] and not Path(spec).is_dir():  # of members
        return any(comes_with_weights(part.partition("=")[2]) for part in spec.split(","))
    return spec not in ENCODERS and Path(spec).is_dir()  # a run, by which fine-tuning begins
